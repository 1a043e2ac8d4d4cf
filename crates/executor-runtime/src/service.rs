//! A request on its way through an executor: find the endpoint, admit, call, answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use call::{Deadline, Error, ErrorCode, Kind, Message, Request, Response};
use futures_util::FutureExt as _;
use futures_util::stream;
use indexmap::IndexMap;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::endpoint::{Bound, Code};
use crate::gate::{Gate, Place};
use crate::invocation::Part;
use crate::outcome::Identity;
use crate::stream::Driven;
use crate::{Context, Failure, Invocation, Outcome};

/// Everything that answers requests.
pub(crate) struct Service {
    pub(crate) endpoints: IndexMap<ByteString, Arc<Bound>>,
    pub(crate) identity: Identity,
    pub(crate) class: ByteString,
    pub(crate) meta_name: Arc<str>,
    /// Before `async` code and streams.
    pub(crate) gate: Gate,
    /// Before code that blocks.
    pub(crate) blocking_gate: Gate,
    /// Code that blocks cannot be stopped; whoever ends the process waits for it here.
    pub(crate) blocking: TaskTracker,
    pub(crate) exit_on_exceptions: Vec<String>,
    /// Cancelled when the process should end.
    pub(crate) exit: CancellationToken,
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

/// The thread of a blocking call is gone, which only the end of the runtime brings about.
#[derive(Debug, thiserror::Error)]
#[error("the executor is being closed")]
struct Closing;

impl Service {
    pub(crate) async fn answer(self: Arc<Self>, request: Request) -> Result<Response, Error> {
        let endpoint = request.message.header.endpoint.clone().unwrap_or_default();
        let own = self.endpoints.get(&*endpoint);
        let bound = own.or_else(|| self.endpoints.get(call::DEFAULT_ENDPOINT)).cloned();
        match (bound, request.kind) {
            (None, Kind::Documents) => Ok(Response::One(request.message)),
            (None, Kind::Stream) => Err(Error::new(ErrorCode::NotFound, UnknownEndpoint { endpoint })),
            (Some(bound), Kind::Documents) => self.documents(&bound, request).await.map(Response::One),
            (Some(bound), Kind::Stream) => self.stream(&bound, request).await,
        }
    }

    /// A list of documents, answered by one.
    async fn documents(&self, bound: &Bound, request: Request) -> Result<Message, Error> {
        let deadline = deadline(&request);
        let left = CancellationToken::new();
        let _leaves = left.clone().drop_guard();
        let received = request.message.clone();
        let called = async {
            match self.invocation(&request, deadline, left) {
                Ok(invocation) => self.call(bound, invocation).await,
                Err(failure) => Ok(Err(failure)),
            }
        };
        let called = deadline.bound(called).await;
        let outcome = called.ok_or_else(|| Error::new(ErrorCode::DeadlineExceeded, TooLate))??;
        let answer = outcome.and_then(|(outcome, docs)| {
            let answer = outcome.answer(received.clone(), docs, &self.identity);
            answer.map_err(|error| Failure::validation(&error))
        });
        Ok(answer.unwrap_or_else(|failure| self.failed(received, &failure)))
    }

    /// Admits one call and makes it. Batches would be gathered here.
    ///
    /// The outer error is ours, the inner one the code's.
    async fn call(
        &self,
        bound: &Bound,
        invocation: Invocation,
    ) -> Result<Result<(Outcome, call::Payload), Failure>, Error> {
        let received = invocation.received();
        let outcome = match &bound.code {
            Code::Async(run) => {
                let _place = self.gate.enter().await?;
                let call = AssertUnwindSafe(async { run(invocation).await }).catch_unwind();
                call.await.unwrap_or_else(|panic| Err(Failure::panic(&*panic)))
            }
            Code::Blocking(run) => {
                let place = self.blocking_gate.enter().await?;
                let run = run.clone();
                // It keeps its place until it is done, even if nobody waits for it any more.
                let call = self.blocking.spawn_blocking(move || {
                    let _place: Place = place;
                    run(invocation)
                });
                match call.await {
                    Ok(outcome) => outcome,
                    Err(error) if error.is_panic() => Err(Failure::panic(&*error.into_panic())),
                    Err(_) => return Err(Error::new(ErrorCode::Unavailable, Closing)),
                }
            }
            Code::Foreign { run, blocking: false } => {
                let _place = self.gate.enter().await?;
                run(invocation).await?
            }
            Code::Foreign { run, blocking: true } => {
                let place = self.blocking_gate.enter().await?;
                let call = run(invocation);
                // As above: it is not stopped by a caller who leaves.
                let call = self.blocking.spawn(async move {
                    let _place: Place = place;
                    call.await
                });
                call.await.map_err(|_ended| Error::new(ErrorCode::Unavailable, Closing))??
            }
            Code::Stream(_) => {
                let message = format!("{}() streams documents: it is called with stream_doc", bound.method);
                Err(Failure::new("TypeError", message))
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
        let place = deadline.bound(self.gate.enter()).await;
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
            service.failed(message, failure)
        };
        let held: (Place, DropGuard) = (place, leaves);
        let documents = Driven::new(|items| run(invocation, items), failed, deadline, held);
        Ok(Response::Stream(Box::pin(documents)))
    }

    fn invocation(
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
        if self.exit_on_exceptions.contains(&failure.name) {
            tracing::error!(error = %failure, "the process ends after this error, as configured");
            self.exit.cancel();
        }
        received
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
