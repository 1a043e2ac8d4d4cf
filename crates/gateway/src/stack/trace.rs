//! Every request has a span, every failure one line in the log.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytestring::ByteString;
use call::{Error, ErrorCode, Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::instrument::{Instrument as _, Instrumented};
use tracing::{debug, debug_span, error, warn};

/// Names requests in the log and reports those that failed here.
///
/// What an executor reports as failed is an answer and not ours to report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceLayer;

/// See [`TraceLayer`].
#[derive(Debug, Clone)]
pub(crate) struct Trace<S> {
    inner: S,
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

impl<S> Service<Request> for Trace<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let request_id = request.message.header.request_id.clone();
        let endpoint = request.message.header.endpoint.clone().unwrap_or_default();
        // At this level nothing is paid for unless somebody looks.
        let span = debug_span!("request", %request_id, %endpoint);
        let answer = span.in_scope(|| self.inner.call(request));
        TraceFuture { answer: answer.instrument(span), request_id, endpoint }
    }
}

pin_project! {
    /// Dropping it cancels the request.
    pub(crate) struct TraceFuture<F> {
        #[pin]
        answer: Instrumented<F>,
        request_id: ByteString,
        endpoint: ByteString,
    }
}

impl<F: Future<Output = Result<Response, Error>>> Future for TraceFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        if let Err(error) = &answer {
            report(error, this.request_id, this.endpoint);
        }
        Poll::Ready(answer)
    }
}

/// Our faults are for somebody to mend, those of executors and of load for somebody to know; the client's own
/// are the client's.
fn report(failure: &Error, request_id: &str, endpoint: &str) {
    let code = failure.code;
    let cause: &dyn std::error::Error = failure;
    match code {
        ErrorCode::Internal => error!(?code, error = cause, request_id, endpoint, "a request failed"),
        ErrorCode::Unavailable | ErrorCode::DeadlineExceeded | ErrorCode::Overloaded => {
            warn!(?code, error = cause, request_id, endpoint, "a request failed");
        }
        ErrorCode::InvalidRequest | ErrorCode::NotFound | ErrorCode::Unimplemented | ErrorCode::Cancelled => {
            debug!(?code, error = cause, request_id, endpoint, "a request failed")
        }
    }
}
