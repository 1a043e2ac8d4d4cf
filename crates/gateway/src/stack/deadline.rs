//! No answer is waited for longer than somebody wants it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use call::{Deadline, Error, ErrorCode, Message, Parts, Request, Response};
use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower::{Layer, Service};

/// Ends requests at the earliest of the client's deadline, the `timeout` in the request's header and `max`.
///
/// The deadline travels on with the request; a streamed answer is bounded to its last part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeadlineLayer {
    /// The longest that a request may take; `None` leaves it to the client.
    pub(crate) max: Option<Duration>,
}

/// See [`DeadlineLayer`].
#[derive(Debug, Clone)]
pub(crate) struct WithDeadline<S> {
    inner: S,
    max: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
#[error("the deadline passed before there was an answer")]
struct TooLate;

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> WithDeadline<S> {
        WithDeadline { inner, max: self.max }
    }
}

impl<S> Service<Request> for WithDeadline<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let asked = request.message.header.timeout.filter(|millis| *millis > 0);
        let asked = asked.map(|millis| Duration::from_millis(millis.into()));
        let allowed = asked.into_iter().chain(self.max).min();
        let deadline = request.context.deadline.min(allowed.map_or(Deadline::NEVER, Deadline::after));
        request.context.deadline = deadline;
        DeadlineFuture { deadline, expired: sleep_until(deadline), answer: self.inner.call(request) }
    }
}

/// Most requests have no deadline; those that have one pay for the timer.
fn sleep_until(deadline: Deadline) -> Option<Pin<Box<Sleep>>> {
    deadline.instant().map(|instant| Box::pin(tokio::time::sleep_until(instant)))
}

fn poll_expired(expired: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<Error> {
    match expired {
        Some(expired) => {
            ready!(expired.as_mut().poll(cx));
            Poll::Ready(Error::new(ErrorCode::DeadlineExceeded, TooLate))
        }
        None => Poll::Pending,
    }
}

pin_project! {
    /// Dropping it cancels the request.
    pub(crate) struct DeadlineFuture<F> {
        deadline: Deadline,
        expired: Option<Pin<Box<Sleep>>>,
        #[pin]
        answer: F,
    }
}

impl<F: Future<Output = Result<Response, Error>>> Future for DeadlineFuture<F> {
    type Output = Result<Response, Error>;

    /// The answer first: it may say more about why there is none in time.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(answer) = this.answer.poll(cx) {
            return Poll::Ready(match answer? {
                Response::Stream(parts) if this.expired.is_some() => {
                    let bounded = BoundedParts { parts, expired: sleep_until(*this.deadline) };
                    Ok(Response::Stream(Box::pin(bounded)))
                }
                answer => Ok(answer),
            });
        }
        poll_expired(this.expired, cx).map(Err)
    }
}

/// The parts of a streamed answer up to the deadline.
struct BoundedParts {
    parts: Parts,
    expired: Option<Pin<Box<Sleep>>>,
}

impl Stream for BoundedParts {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // The deadline first: a stream that never rests would be read for ever.
        if let Poll::Ready(error) = poll_expired(&mut this.expired, cx) {
            this.parts = Box::pin(futures_util::stream::empty());
            this.expired = None;
            return Poll::Ready(Some(Err(error)));
        }
        this.parts.as_mut().poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use call::{Header, Message};
    use futures_util::{StreamExt as _, stream};
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    const MAX: Duration = Duration::from_secs(10);

    fn request(deadline: Deadline, timeout: Option<u32>) -> Request {
        let mut request = Request::default();
        request.message.header = Header { timeout, ..Header::default() };
        request.context.deadline = deadline;
        request
    }

    /// How long a request that is never answered is waited for.
    async fn waited(max: Option<Duration>, request: Request) -> Duration {
        let never = service_fn(|_| std::future::pending::<Result<Response, Error>>());
        let began = tokio::time::Instant::now();
        let error = DeadlineLayer { max }.layer(never).oneshot(request).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::DeadlineExceeded);
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_of_all_deadlines_counts() {
        let seconds = Duration::from_secs;
        assert_eq!(waited(Some(MAX), request(Deadline::NEVER, None)).await, MAX);
        assert_eq!(waited(Some(MAX), request(Deadline::NEVER, Some(3000))).await, seconds(3));
        assert_eq!(waited(Some(MAX), request(Deadline::after(seconds(2)), Some(3000))).await, seconds(2));
        assert_eq!(waited(None, request(Deadline::NEVER, Some(3000))).await, seconds(3));
        assert_eq!(waited(Some(MAX), request(Deadline::after(seconds(20)), Some(0))).await, MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_travels_on() {
        let tell = service_fn(async |request: Request| {
            assert_eq!(request.context.deadline.remaining(), Some(MAX));
            Ok::<_, Error>(Response::One(request.message))
        });
        DeadlineLayer { max: Some(MAX) }.layer(tell).oneshot(Request::default()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_bounded_to_its_last_part() {
        let slow = service_fn(async |_| {
            let parts = stream::unfold((), async |()| {
                tokio::time::sleep(Duration::from_secs(4)).await;
                Some((Ok(Message::default()), ()))
            });
            Ok(Response::Stream(Box::pin(parts)))
        });
        let answer = DeadlineLayer { max: Some(MAX) }.layer(slow).oneshot(Request::default()).await;
        let Ok(Response::Stream(parts)) = answer else { panic!("{answer:?}") };
        let parts: Vec<_> = parts.collect().await;
        let codes: Vec<_> = parts.into_iter().map(|part| part.err().map(|error| error.code)).collect();
        assert_eq!(codes, [None, None, Some(ErrorCode::DeadlineExceeded)]);
    }
}
