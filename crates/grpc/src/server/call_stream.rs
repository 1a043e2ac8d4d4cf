//! The answers of one `Call` stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use call::{Admitted, Error, ErrorCode, Handler, Message, Payload, Request, Response};
use futures_core::Stream;
use futures_util::StreamExt as _;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower::ServiceExt as _;

use super::head::Head;
use super::receive::Receiver;
use super::{Incoming, malformed};

/// Requests in, answers out, several at once.
///
/// The stream is polled while the client takes answers; it reads on only while fewer than `prefetch` requests
/// are in flight. So a client that does not read holds up itself and nobody else.
///
/// A request that fails without an answer ends the stream, because only the stream's status can say so. The
/// requests in flight are finished first, those not read yet are left. The same happens when the process drains:
/// a client that keeps its stream open must not hold up the end of the process. What clients sent before they could
/// know is read, though, so that the usual stream of a few requests ends as if nothing had happened.
pub(super) struct CallStream<B> {
    /// `None` once there is nothing more to read.
    receiver: Option<Receiver<B>>,
    handler: Handler,
    head: Head,
    in_flight: InFlight,
    failure: Option<Error>,
    stop: Stop,
}

/// From the beginning of the drain to the moment when no more is read.
enum Stop {
    Awaited(Pin<Box<WaitForCancellationFutureOwned>>),
    Heard(Pin<Box<Sleep>>),
}

/// How long it takes until clients have heard of the drain and what they sent before is here.
const UNTIL_HEARD: Duration = Duration::from_secs(1);

impl Stop {
    /// Whether no more is to be read.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Awaited(stopped) = self {
            if stopped.as_mut().poll(cx).is_pending() {
                return false;
            }
            *self = Self::Heard(Box::pin(tokio::time::sleep(UNTIL_HEARD)));
        }
        match self {
            Self::Awaited(_) => false,
            Self::Heard(heard) => heard.as_mut().poll(cx).is_ready(),
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Message, Error>> + Send>>;

enum InFlight {
    AsCompleted(FuturesUnordered<Answer>),
    InOrder(FuturesOrdered<Answer>),
}

impl InFlight {
    fn len(&self) -> usize {
        match self {
            Self::AsCompleted(answers) => answers.len(),
            Self::InOrder(answers) => answers.len(),
        }
    }

    fn push(&mut self, answer: Answer) {
        match self {
            Self::AsCompleted(answers) => answers.push(answer),
            Self::InOrder(answers) => answers.push_back(answer),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        match self {
            Self::AsCompleted(answers) => answers.poll_next_unpin(cx),
            Self::InOrder(answers) => answers.poll_next_unpin(cx),
        }
    }
}

impl<B> CallStream<B> {
    pub(super) fn new(receiver: Receiver<B>, handler: Handler, head: Head, stop: CancellationToken) -> Self {
        let in_flight = if head.in_order {
            InFlight::InOrder(FuturesOrdered::new())
        } else {
            InFlight::AsCompleted(FuturesUnordered::new())
        };
        let stop = Stop::Awaited(Box::pin(stop.cancelled_owned()));
        Self { receiver: Some(receiver), handler, head, in_flight, failure: None, stop }
    }

    fn begin(&mut self, wire: Payload, admitted: Admitted) {
        let request = proto::message::read(wire).map(|message| Request {
            message,
            context: self.head.context.clone(),
            ..Request::default()
        });
        match request {
            Ok(request) => self.in_flight.push(Box::pin(answer(self.handler.clone(), request, admitted))),
            Err(error) => self.fail(malformed(error)),
        }
    }

    fn fail(&mut self, error: Error) {
        self.receiver = None;
        self.failure.get_or_insert(error);
    }
}

async fn answer(handler: Handler, request: Request, _admitted: Admitted) -> Result<Message, Error> {
    match handler.oneshot(request).await? {
        Response::One(message) => Ok(message),
        Response::Stream(_) => Err(Error::new(ErrorCode::Internal, UnexpectedStream)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the server is shutting down, it takes no more requests on this stream")]
struct ShuttingDown;

#[derive(Debug, thiserror::Error)]
#[error("the answer is a stream where one message was due")]
struct UnexpectedStream;

impl<B: Incoming> Stream for CallStream<B> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.receiver.is_some() && this.stop.is_over(cx) {
            this.fail(Error::new(ErrorCode::Unavailable, ShuttingDown));
        }
        loop {
            while this.in_flight.len() < this.head.prefetch
                && let Some(receiver) = &mut this.receiver
            {
                match receiver.poll_next(cx) {
                    Poll::Ready(Some(Ok((wire, admitted)))) => this.begin(wire, admitted),
                    Poll::Ready(Some(Err(error))) => this.fail(error),
                    Poll::Ready(None) => this.receiver = None,
                    Poll::Pending => break,
                }
            }
            if this.in_flight.len() == 0 {
                return match &this.receiver {
                    Some(_) => Poll::Pending,
                    None => Poll::Ready(this.failure.take().map(Err)),
                };
            }
            match ready!(this.in_flight.poll_next(cx)) {
                Some(Err(error)) => this.fail(error),
                answer => return Poll::Ready(answer),
            }
        }
    }
}
