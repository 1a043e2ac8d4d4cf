//! How much goes to executors and comes back, for the status report.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use call::{Answer, Error, Hop, HopInput, Message, Payload};
use info::Traffic;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// Counts bytes of documents and parameters. A streamed answer is not counted.
#[derive(Debug, Clone)]
pub(crate) struct TrafficLayer {
    pub(crate) traffic: Traffic,
}

/// See [`TrafficLayer`].
#[derive(Debug, Clone)]
pub(crate) struct CountTraffic<S> {
    inner: S,
    traffic: Traffic,
}

impl<S> Layer<S> for TrafficLayer {
    type Service = CountTraffic<S>;

    fn layer(&self, inner: S) -> CountTraffic<S> {
        CountTraffic { inner, traffic: self.traffic.clone() }
    }
}

impl<S: Service<Hop, Response = Answer, Error = Error>> Service<Hop> for CountTraffic<S> {
    type Response = Answer;
    type Error = Error;
    type Future = TrafficFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, hop: Hop) -> Self::Future {
        self.traffic.sent(match &hop.input {
            HopInput::One(message) | HopInput::Stream(message) => size(message),
            HopInput::Many(messages) => messages.iter().map(size).sum(),
        });
        TrafficFuture { answer: self.inner.call(hop), traffic: self.traffic.clone() }
    }
}

fn size(message: &Message) -> usize {
    message.parameters.wire().len() + message.documents.as_ref().map_or(0, Payload::len)
}

pin_project! {
    /// Dropping it cancels the call.
    pub(crate) struct TrafficFuture<F> {
        #[pin]
        answer: F,
        traffic: Traffic,
    }
}

impl<F: Future<Output = Result<Answer, Error>>> Future for TrafficFuture<F> {
    type Output = Result<Answer, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        if let Ok(Answer::One { message, .. }) = &answer {
            this.traffic.received(size(message));
        }
        Poll::Ready(answer)
    }
}
