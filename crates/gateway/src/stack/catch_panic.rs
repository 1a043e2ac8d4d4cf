//! A panic costs one request, not its neighbours on the same connection.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use call::{Error, ErrorCode, Message, Parts, Request, Response};
use futures_core::Stream;
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::error;

/// Answers requests whose handling panics as failed inside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatchPanicLayer;

/// See [`CatchPanicLayer`].
#[derive(Debug, Clone)]
pub(crate) struct CatchPanic<S> {
    inner: S,
}

/// What the caller is told; what happened is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the gateway failed while it handled the request")]
struct Panicked;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

impl<S> Service<Request> for CatchPanic<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = CatchPanicFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        CatchPanicFuture { answer: self.inner.call(request) }
    }
}

pin_project! {
    /// Dropping it cancels the request.
    pub(crate) struct CatchPanicFuture<F> {
        #[pin]
        answer: F,
    }
}

impl<F: Future<Output = Result<Response, Error>>> Future for CatchPanicFuture<F> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = self.project().answer;
        let answer = ready!(caught(|| answer.poll(cx))?);
        Poll::Ready(answer.map(|answer| match answer {
            Response::One(message) => Response::One(message),
            Response::Stream(parts) => Response::Stream(Box::pin(CaughtParts { parts: Some(parts) })),
        }))
    }
}

/// The parts of a streamed answer up to a panic.
struct CaughtParts {
    parts: Option<Parts>,
}

impl Stream for CaughtParts {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(parts) = &mut self.parts else { return Poll::Ready(None) };
        match caught(|| parts.as_mut().poll_next(cx)) {
            Ok(part) => part,
            Err(error) => {
                self.parts = None;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

/// What panicked is never polled again, so it does not matter in what state it was left.
fn caught<T>(poll: impl FnOnce() -> T) -> Result<T, Error> {
    std::panic::catch_unwind(AssertUnwindSafe(poll)).map_err(|panic| {
        error!(panic = text(&*panic), "a request panicked");
        Error::new(ErrorCode::Internal, Panicked)
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_request() {
        let handler = service_fn(async |request: Request| {
            assert!(request.message.header.request_id.is_empty(), "as asked");
            Ok(Response::One(request.message))
        });
        let handler = CatchPanicLayer.layer(handler);
        let mut request = Request::default();
        request.message.header.request_id = "r".into();
        let error = handler.clone().oneshot(request).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(!error.to_string().contains("as asked"), "{error}");
        handler.oneshot(Request::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_ends_a_stream() {
        let handler = service_fn(async |_| {
            let parts = stream::iter([1, 0]).map(|n| {
                assert_ne!(n, 0, "as asked");
                Ok(Message::default())
            });
            Ok(Response::Stream(Box::pin(parts)))
        });
        let answer = CatchPanicLayer.layer(handler).oneshot(Request::default()).await;
        let Ok(Response::Stream(parts)) = answer else { panic!("{answer:?}") };
        let parts: Vec<_> = parts.collect().await;
        let codes: Vec<_> = parts.into_iter().map(|part| part.err().map(|error| error.code)).collect();
        assert_eq!(codes, [None, Some(ErrorCode::Internal)]);
    }
}
