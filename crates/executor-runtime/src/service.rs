//! A request on its way through an executor: find the endpoint, admit, call, answer.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use call::{Deadline, Error, ErrorCode, Kind, Message, Request, Response};
use futures_util::stream;
use indexmap::IndexMap;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::batch::Batcher;
use crate::calls::Calls;
use crate::endpoint::{Bound, Code};
use crate::gate::Place;
use crate::invocation::Part;
use crate::outcome::Identity;
use crate::stream::Driven;
use crate::{Context, Failure, Invocation, Outcome, Replication};

/// Everything that answers requests.
pub(crate) struct Service {
    pub(crate) endpoints: IndexMap<ByteString, Arc<Bound>>,
    pub(crate) identity: Identity,
    pub(crate) class: ByteString,
    pub(crate) meta_name: Arc<str>,
    pub(crate) calls: Arc<Calls>,
    /// By endpoint, where calls are gathered into batches.
    pub(crate) batchers: IndexMap<ByteString, Arc<Batcher>>,
    pub(crate) exit_on_exceptions: Vec<String>,
}

/// The deadline passed while the executor worked.
#[derive(Debug, thiserror::Error)]
#[error("the deadline passed before the executor answered")]
pub(crate) struct TooLate;

/// Streams cannot pass a document on unanswered: nobody would know how it ended.
#[derive(Debug, thiserror::Error)]
#[error("the executor has no endpoint `{endpoint}` and no default one")]
struct UnknownEndpoint {
    endpoint: ByteString,
}

impl Service {
    /// Answers a request; writes by `replication`, if somebody keeps the replicas consistent.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request,
        replication: Option<&dyn Replication>,
    ) -> Result<Response, Error> {
        let endpoint = request.message.header.endpoint.clone().unwrap_or_default();
        let own = self.endpoints.get_key_value(&*endpoint);
        let found = own.or_else(|| self.endpoints.get_key_value(call::DEFAULT_ENDPOINT));
        match (found, request.kind) {
            (None, Kind::Documents) => Ok(Response::One(request.message)),
            (None, Kind::Stream) => Err(Error::new(ErrorCode::NotFound, UnknownEndpoint { endpoint })),
            (Some((_, bound)), Kind::Documents)
                if bound.is_write
                    && let Some(replication) = replication =>
            {
                self.replicate(replication, request).await.map(Response::One)
            }
            (Some((name, bound)), Kind::Documents) => {
                self.documents(name, bound, request).await.map(Response::One)
            }
            (Some((_, bound)), Kind::Stream) => {
                let bound = bound.clone();
                self.stream(&bound, request).await
            }
        }
    }

    /// A list of documents, answered by one.
    async fn documents(&self, name: &str, bound: &Bound, request: Request) -> Result<Message, Error> {
        let deadline = deadline(&request);
        let left = CancellationToken::new();
        let _leaves = left.clone().drop_guard();
        let received = request.message.clone();
        let called = async {
            match self.invocation(&request, deadline, left) {
                Ok(invocation) => self.call(name, bound, invocation).await,
                Err(failure) => Ok(Err(failure)),
            }
        };
        let called = deadline.bound(called).await;
        let outcome = called.ok_or_else(|| Error::new(ErrorCode::DeadlineExceeded, TooLate))??;
        let answer = self.answer_of(outcome, received);
        if let Some(exception) = answer.header.status.as_ref().and_then(|status| status.exception.as_ref()) {
            self.exit_after(&exception.name);
        }
        Ok(answer)
    }

    /// The answer to a request that was made, or that failed.
    pub(crate) fn answer_of(
        &self,
        outcome: Result<(Outcome, call::Payload), Failure>,
        received: Message,
    ) -> Message {
        let answer = outcome.and_then(|(outcome, docs)| {
            let answer = outcome.answer(received.clone(), docs, &self.identity);
            answer.map_err(|error| Failure::validation(&error))
        });
        answer.unwrap_or_else(|failure| self.failed(received, &failure))
    }

    /// Makes one call, past those that wait for batches.
    pub(crate) async fn make(
        &self,
        bound: &Bound,
        invocation: Invocation,
    ) -> Result<Result<(Outcome, call::Payload), Failure>, Error> {
        let received = invocation.received();
        let place = self.calls.enter_bounded_elsewhere(&bound.code).await?;
        let outcome = self.calls.call(&bound.code, invocation, place).await?;
        Ok(outcome.map(|outcome| (outcome, received)))
    }

    /// Admits one call and makes it, in a batch if the endpoint's are.
    ///
    /// The outer error is ours, the inner one the code's.
    async fn call(
        &self,
        name: &str,
        bound: &Bound,
        invocation: Invocation,
    ) -> Result<Result<(Outcome, call::Payload), Failure>, Error> {
        if let Code::Stream(_) = &bound.code {
            let message = format!("{}() streams documents: it is called with stream_doc", bound.method);
            return Ok(Err(Failure::new("TypeError", message)));
        }
        let received = invocation.received();
        let outcome = match (self.batchers.get(name), &bound.code) {
            (Some(batcher), _) => batcher.call(&invocation).await?,
            (None, code) => {
                let place = self.calls.enter(code).await?;
                self.calls.call(code, invocation, place).await?
            }
        };
        Ok(outcome.map(|outcome| (outcome, received)))
    }

    /// One document, answered by a stream.
    async fn stream(self: Arc<Self>, bound: &Bound, request: Request) -> Result<Response, Error> {
        let deadline = deadline(&request);
        let left = CancellationToken::new();
        let leaves = left.clone().drop_guard();
        let received = request.message.clone();
        let Code::Stream(run) = &bound.code else {
            let failure = Failure::new("ValueError", "endpoint must be generator");
            let answer = self.failed(received, &failure);
            return Ok(Response::Stream(Box::pin(stream::iter([Ok(answer)]))));
        };
        let place = deadline.bound(self.calls.enter(&bound.code)).await;
        let place = place.ok_or_else(|| Error::new(ErrorCode::DeadlineExceeded, TooLate))??;
        let invocation = Invocation {
            parts: vec![Part { from: String::new(), docs: received.documents.unwrap_or_default() }],
            ..self.without_documents(&request, deadline, left)
        };
        let service = self.clone();
        let header = received.header;
        let failed = move |failure: &Failure| {
            let message = Message {
                header: header.clone(),
                documents: Some(call::Payload::new()),
                ..Message::default()
            };
            service.exit_after(&failure.name);
            service.failed(message, failure)
        };
        let held: (Place, DropGuard) = (place, leaves);
        let documents = Driven::new(|items| run(invocation, items), failed, deadline, held);
        Ok(Response::Stream(Box::pin(documents)))
    }

    pub(crate) fn invocation(
        &self,
        request: &Request,
        deadline: Deadline,
        left: CancellationToken,
    ) -> Result<Invocation, Failure> {
        let invocation = self.without_documents(request, deadline, left);
        let parts = std::iter::once(&request.message).chain(&request.parts).map(Part::of);
        Ok(Invocation { parts: parts.collect::<Result<_, _>>()?, ..invocation })
    }

    fn without_documents(
        &self,
        request: &Request,
        deadline: Deadline,
        left: CancellationToken,
    ) -> Invocation {
        let header = &request.message.header;
        Invocation {
            parts: Vec::new(),
            parameters: request.message.parameters.clone(),
            meta_name: self.meta_name.clone(),
            is_batch: false,
            context: Context {
                request_id: header.request_id.clone(),
                endpoint: header.endpoint.clone().unwrap_or_default(),
                deadline,
                metadata: request.context.metadata.clone(),
                left,
            },
        }
    }

    /// The request as it was received, with what became of it.
    fn failed(&self, mut received: Message, failure: &Failure) -> Message {
        tracing::warn!(
            endpoint = received.header.endpoint.as_deref(),
            request_id = &*received.header.request_id,
            error = %failure,
            causes = ?failure.causes,
            "the executor failed"
        );
        received.header.status = Some(Box::new(failure.status(&self.class)));
        received
    }

    /// Lets the process end if this is one of the errors after which it should.
    pub(crate) fn exit_after(&self, error: &str) {
        if self.exit_on_exceptions.iter().any(|name| name == error) {
            tracing::error!(error, "the process ends after this error, as configured");
            self.calls.exit.cancel();
        }
    }
}

/// The earlier of the connection's deadline and the header's.
fn deadline(request: &Request) -> Deadline {
    let allowed = request.message.header.timeout.filter(|timeout| *timeout > 0);
    let header =
        allowed.map_or(Deadline::NEVER, |timeout| Deadline::after(Duration::from_millis(timeout.into())));
    request.context.deadline.min(header)
}

#[cfg(test)]
mod tests;
