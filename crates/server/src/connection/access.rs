//! A line in the log for each request over HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tracing::info;

use super::web::is_grpc;

/// Which requests are lines in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessLog {
    /// Leaves out those that ask whether the process is healthy.
    pub hide_health_checks: bool,
}

/// What a line says of a request.
#[derive(Debug)]
pub(super) struct Line {
    peer: SocketAddr,
    request: String,
}

impl Line {
    /// Calls of gRPC have no line, even where they share a port with HTTP.
    pub(super) fn of<B>(log: AccessLog, peer: SocketAddr, request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        let is_health_check = request.method() == http::Method::GET && matches!(path, "/" | "/health");
        if is_grpc(request) || (is_health_check && log.hide_health_checks) {
            return None;
        }
        let target = request.uri().path_and_query().map_or(path, |target| target.as_str());
        let request = format!("{} {target} {:?}", request.method(), request.version());
        Some(Self { peer, request })
    }
}

pin_project! {
    /// Writes the line when the head of the answer is there.
    #[derive(Debug)]
    pub struct Logged<F> {
        #[pin]
        answer: F,
        line: Option<Line>,
    }
}

impl<F> Logged<F> {
    pub(super) const fn new(answer: F, line: Option<Line>) -> Self {
        Self { answer, line }
    }
}

impl<F, B> Future for Logged<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        if let (Some(Line { peer, request }), Ok(response)) = (this.line.take(), &answer) {
            let status = response.status();
            let reason = status.canonical_reason().unwrap_or_default();
            // In the form that web servers have.
            info!("{peer} - \"{request}\" {} {reason}", status.as_u16());
        }
        Poll::Ready(answer)
    }
}
