//! What holds for requests to a web server, and not for calls of gRPC: how many are let in at once, and which headers every
//! answer has.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use tracing::debug;

/// Headers that every answer has, beside its own.
pub type Headers = Arc<[(HeaderName, HeaderValue)]>;

/// Whether a request is a call of gRPC.
pub(super) fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Whether a request wants to become a connection of WebSocket.
fn is_websocket<B>(request: &Request<B>) -> bool {
    request.headers().get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Counts what is there at once on a port, up to a limit from which on requests are refused.
///
/// As web servers in Python count: a request is refused while there are as many connections as the limit, its own and those
/// that rest included, or as many other requests. Connections of WebSocket count and are not refused.
#[derive(Debug)]
pub(super) struct Crowd {
    limit: usize,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// One more, until it is dropped.
#[derive(Debug)]
pub(super) struct OneMore(Arc<AtomicUsize>);

impl OneMore {
    fn of(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crowd {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, connections: Arc::default(), requests: Arc::default() }
    }

    /// Counts a connection.
    pub(super) fn connection(&self) -> OneMore {
        OneMore::of(&self.connections)
    }

    /// Counts a request; `None` if it is one too many.
    pub(super) fn request<B>(&self, request: &Request<B>) -> Option<OneMore> {
        let is_full = |count: &AtomicUsize| count.load(Ordering::Relaxed) >= self.limit;
        if !is_websocket(request) && (is_full(&self.connections) || is_full(&self.requests)) {
            debug!(limit = self.limit, "a request is refused because there are too many at once");
            return None;
        }
        Some(OneMore::of(&self.requests))
    }
}

pin_project! {
    /// The answer to a request, or that it is refused.
    #[derive(Debug)]
    pub(super) struct Answer<F> {
        // None if there is no room for the request.
        #[pin]
        answer: Option<F>,
        headers: Option<Headers>,
    }
}

impl<F> Answer<F> {
    pub(super) const fn new(answer: Option<F>, headers: Option<Headers>) -> Self {
        Self { answer, headers }
    }
}

impl<F, B> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Either<B, Full<Bytes>>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.answer.as_pin_mut() {
            Some(answer) => {
                let Ok(response) = ready!(answer.poll(cx));
                response.map(Either::Left)
            }
            None => refusal().map(Either::Right),
        };
        for (name, value) in this.headers.iter().flat_map(|headers| headers.iter()) {
            response.headers_mut().append(name, value.clone());
        }
        Poll::Ready(Ok(response))
    }
}

/// With its end the connection ends as well, so that the client makes room for others.
fn refusal() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from("Service Unavailable"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
