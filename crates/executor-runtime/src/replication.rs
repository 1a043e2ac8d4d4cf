//! Executors whose replicas somebody keeps consistent: writes go to that one, who has every replica make them.

use std::path::PathBuf;
use std::sync::Arc;

use call::{Error, Message, Request, Status};
use futures_util::future::BoxFuture;

use crate::endpoint::Code;
use crate::service::Service;
use crate::state::State;
use crate::{Failure, HostError, Hosted};

/// Has writes made on every replica.
pub trait Replication: Send + Sync + 'static {
    /// Has a request to a write endpoint made everywhere, and returns its answer.
    fn write(&self, request: Request) -> BoxFuture<'static, Result<Message, Error>>;
}

/// The executor below its replication: it makes what was decided, and its state can be taken and given as a whole.
#[derive(Clone)]
pub struct Replica {
    service: Arc<Service>,
    state: State,
}

impl Replica {
    /// Makes one write, alone and without a time limit of its caller: replicas must not differ in what they make.
    ///
    /// # Errors
    ///
    /// If the code was not there to be called, because its process is gone. All other failures are answers.
    pub async fn apply(&self, request: Request) -> Result<Message, Error> {
        self.service.apply(request).await
    }

    /// Writes the state to `file`, which must not exist.
    ///
    /// # Errors
    ///
    /// If the executor has no such function, or it fails.
    pub async fn save(&self, file: PathBuf) -> Result<(), Failure> {
        self.state.save(file).await
    }

    /// Takes the state from `file`.
    ///
    /// # Errors
    ///
    /// If the executor has no such function, or it fails.
    pub async fn load(&self, file: PathBuf) -> Result<(), Failure> {
        self.state.load(file).await
    }
}

impl Hosted {
    /// The executor below its replication.
    #[must_use]
    pub fn replica(&self) -> Replica {
        Replica { service: self.service.clone(), state: self.instance.state.clone() }
    }

    /// The same, with its writes made by `replication`. Its state cannot be set from outside any more.
    ///
    /// # Errors
    ///
    /// If a write endpoint streams its answers.
    pub fn with_replication(mut self, replication: Arc<dyn Replication>) -> Result<Self, HostError> {
        let mut writes = self.service.endpoints.iter().filter(|(_, bound)| bound.is_write);
        if let Some((endpoint, _)) = writes.find(|(_, bound)| matches!(bound.code, Code::Stream(_))) {
            return Err(HostError::StreamingWrite { endpoint: endpoint.to_string() });
        }
        let batched = self.service.batchers.keys().filter(|name| self.service.endpoints[*name].is_write);
        for endpoint in batched {
            tracing::warn!(%endpoint, "writes of a stateful executor are made one after the other, not in batches");
        }
        self.replication = Some(replication);
        Ok(self)
    }
}

impl Service {
    /// Sends a request to a write endpoint to the one who has it made.
    pub(crate) async fn replicate(
        &self,
        replication: &dyn Replication,
        request: Request,
    ) -> Result<Message, Error> {
        let answer = replication.write(request).await?;
        let exception = answer.header.status.as_ref().and_then(|status| status.exception.as_ref());
        if let Some(exception) = exception {
            self.exit_after(&exception.name);
        }
        Ok(answer)
    }

    async fn apply(&self, request: Request) -> Result<Message, Error> {
        let endpoint = request.message.header.endpoint.clone().unwrap_or_default();
        let found = self.endpoints.get(&*endpoint).or_else(|| self.endpoints.get(call::DEFAULT_ENDPOINT));
        let Some(bound) = found else { return Ok(request.message) };
        let received = request.message.clone();
        let called = match self.invocation(&request, call::Deadline::NEVER, Default::default()) {
            Ok(invocation) => self.make(bound, invocation).await,
            Err(failure) => Ok(Err(failure)),
        };
        match called {
            Ok(outcome) => Ok(self.answer_of(outcome, received)),
            // Its process is gone, and its state with it.
            Err(error) if matches!(bound.code, Code::Foreign { .. }) => Err(error),
            Err(error) => {
                tracing::error!(%error, "a write was cut off; this replica may differ from the others now");
                let mut answer = received;
                answer.header.status = Some(Box::new(Status::from(&error)));
                Ok(answer)
            }
        }
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("executor", &self.service.class).finish_non_exhaustive()
    }
}
