//! Messages out and answers in, documents undecoded.
//!
//! Everything happens while the answers are polled: sending too, so that a caller who does not read is not sent
//! more than fits into the windows of the connection.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use call::{Deadline, Message, Payload};
use futures_core::Stream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use grpc::client::{CallError, Outbox, Outgoing, Reply};
use grpc::{Encoding, path};
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::time::Sleep;

use crate::connector::Connector;
use crate::inputs::Contents;
use crate::{Error, ExecutorError};

pub(crate) type Answers = Pin<Box<dyn Stream<Item = Result<Message, Error>> + Send>>;
type Sending = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The answers to a request. Ends after the first error; dropping it cancels what is not finished.
#[must_use = "nothing is sent before the answers are polled"]
pub struct Messages {
    answers: Option<Answers>,
    /// How long everything may take, and when that is over.
    timeout: Option<(Duration, Deadline)>,
    timer: Option<Pin<Box<Sleep>>>,
    continue_on_error: bool,
}

/// What all messages of a request have in common.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) connector: Arc<Connector>,
    pub(crate) template: Message,
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Deadline,
    pub(crate) compression: Encoding,
    pub(crate) in_order: bool,
    pub(crate) unary_calls: usize,
}

impl Messages {
    pub(crate) fn new(answers: Answers, timeout: Option<Duration>, continue_on_error: bool) -> Self {
        let timeout = timeout.map(|allowed| (allowed, Deadline::after(allowed)));
        Self { answers: Some(answers), timeout, timer: None, continue_on_error }
    }

    pub(crate) fn failed(error: Error) -> Self {
        Self::new(Box::pin(stream::iter([Err(error)])), None, false)
    }

    /// Ends it.
    pub(crate) fn cancel(&mut self) {
        self.answers = None;
    }
}

impl Stream for Messages {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(answers) = &mut this.answers else { return Poll::Ready(None) };
        let next = match answers.as_mut().poll_next(cx) {
            Poll::Ready(next) => next,
            Poll::Pending => {
                let Some((allowed, deadline)) = this.timeout else { return Poll::Pending };
                let Some(instant) = deadline.instant() else { return Poll::Pending };
                let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(instant)));
                ready!(timer.as_mut().poll(cx));
                Some(Err(Error::DeadlineExceeded { allowed }))
            }
        };
        let next = next.map(|answer| {
            answer.and_then(|message| match ExecutorError::of(&message) {
                Some(error) if !this.continue_on_error => Err(Error::Executor(Box::new(error))),
                _ => Ok(message),
            })
        });
        if !matches!(next, Some(Ok(_))) {
            this.answers = None;
        }
        Poll::Ready(next)
    }
}

impl Call {
    /// Sends each content over a call of its own.
    pub(crate) fn unary(self, contents: Contents) -> Answers {
        let (in_order, at_once) = (self.in_order, self.unary_calls);
        let call = Arc::new(self);
        let answers = contents.map(move |content| {
            let call = call.clone();
            async move { call.one(content).await }
        });
        if in_order {
            Box::pin(answers.buffered(at_once))
        } else {
            Box::pin(answers.buffer_unordered(at_once))
        }
    }

    /// Sends one document, which is answered by a stream.
    pub(crate) fn document(self, doc: Payload) -> Answers {
        let open = async move {
            let message = self.message(Some(doc));
            let reply = self.connector.call(|| self.outgoing(path::STREAM_DOC, &message)).await?;
            Ok::<_, Error>(answers(std::future::ready(Ok(reply)), self.connector))
        };
        Box::pin(stream::once(open).try_flatten())
    }

    /// Sends all contents over one call.
    pub(crate) fn stream(self, contents: Contents) -> Answers {
        let open = async move {
            let (outbox, reply) = self.open().await?;
            let connector = self.connector.clone();
            let sent = Arc::new(AtomicUsize::new(0));
            let sending = Box::pin(self.send_all(contents, outbox, sent.clone()));
            let answers = Box::pin(answers(reply, connector));
            Ok::<_, Error>(Conversation { sending: Some(sending), answers, sent, received: 0 })
        };
        Box::pin(stream::once(open).try_flatten())
    }

    async fn one(&self, content: Option<Payload>) -> Result<Message, Error> {
        let message = self.message(content);
        let request_id = &message.header.request_id;
        let outgoing = || self.outgoing(path::PROCESS_SINGLE_DATA, &message);
        let reply = self.connector.call(outgoing).await?;
        let only = reply.only().await;
        let (wire, _trailers) = only.map_err(|error| Error::of_call(error, Some(request_id.clone())))?;
        Ok(proto::message::read(wire)?)
    }

    async fn open(
        &self,
    ) -> Result<(Outbox, impl Future<Output = Result<Reply, CallError>> + Send + use<>), Error> {
        let mut resends = 0;
        loop {
            let connection = self.connector.connection(self.deadline).await?;
            let path = PathAndQuery::from_static(path::CALL);
            let opened = connection.open(path, self.headers.clone(), self.deadline, self.compression).await;
            match opened {
                Ok(opened) => return Ok(opened),
                Err(error) => {
                    let again = self.connector.may_resend(&error, &mut resends).await;
                    again.map_err(|()| Error::Call(error))?;
                }
            }
        }
    }

    async fn send_all(
        self,
        mut contents: Contents,
        mut outbox: Outbox,
        sent: Arc<AtomicUsize>,
    ) -> Result<(), Error> {
        while let Some(content) = contents.next().await {
            let wire = proto::message::write(&self.message(content));
            sent.fetch_add(1, Ordering::Relaxed);
            match outbox.send(wire).await {
                Ok(()) => {}
                Err(error @ CallError::Encode(_)) => return Err(Error::Call(error)),
                // The call is over; how it ended is the answers' to say.
                Err(_) => return Ok(()),
            }
        }
        // As above.
        let _over = outbox.finish();
        Ok(())
    }

    fn message(&self, documents: Option<Payload>) -> Message {
        let mut message = Message { documents, ..self.template.clone() };
        message.header.request_id = call::new_id();
        message
    }

    fn outgoing(&self, path: &'static str, message: &Message) -> Outgoing {
        Outgoing {
            path: PathAndQuery::from_static(path),
            headers: self.headers.clone(),
            deadline: self.deadline,
            message: match self.compression {
                Encoding::Identity => grpc::client::Message::Frame(proto::message::write_frame(message)),
                encoding => grpc::client::Message::Encode(encoding, proto::message::write(message)),
            },
        }
    }
}

/// A call of many messages: sends while it receives.
struct Conversation<A> {
    /// `None` once everything is sent.
    sending: Option<Sending>,
    answers: Pin<Box<A>>,
    sent: Arc<AtomicUsize>,
    received: usize,
}

impl<A: Stream<Item = Result<Message, Error>>> Stream for Conversation<A> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(sending) = &mut this.sending
            && let Poll::Ready(end) = sending.as_mut().poll(cx)
        {
            this.sending = None;
            if let Err(error) = end {
                return Poll::Ready(Some(Err(error)));
            }
        }
        let next = ready!(this.answers.as_mut().poll_next(cx));
        if next.is_some() {
            this.received += 1;
            return Poll::Ready(next);
        }
        // A peer that shuts down in good order may end the stream before it has read everything.
        let missing = this.sent.load(Ordering::Relaxed).saturating_sub(this.received);
        let missing = missing + usize::from(this.sending.take().is_some());
        Poll::Ready((missing > 0).then_some(Err(Error::Unanswered { missing })))
    }
}

/// An answer that is being received.
struct Body {
    reply: Reply,
    /// Received, but not returned yet.
    held: Option<Message>,
}

/// What is being received.
enum Receiving<F> {
    Head(F),
    Body(Box<Body>),
}

/// The messages of a reply, from before its head is there. The connection lives as long as the stream.
fn answers(
    reply: impl Future<Output = Result<Reply, CallError>> + Send,
    connector: Arc<Connector>,
) -> impl Stream<Item = Result<Message, Error>> + Send {
    stream::try_unfold((Receiving::Head(reply), connector), |(state, connector)| async move {
        let mut body = match state {
            Receiving::Head(reply) => {
                let reply = reply.await.map_err(|error| Error::of_call(error, None))?;
                Box::new(Body { reply, held: None })
            }
            Receiving::Body(body) => body,
        };
        let next = match body.held.take() {
            Some(held) => Some(held),
            None => body.next(None).await?,
        };
        let Some(next) = next else { return Ok(None) };
        if is_bare(&next) {
            // Python gateways announce a failure by a message that has nothing but the id of the request.
            body.held = body.next(Some(&next)).await?;
        }
        Ok(Some((next, (Receiving::Body(body), connector))))
    })
}

impl Body {
    async fn next(&mut self, announced: Option<&Message>) -> Result<Option<Message>, Error> {
        let next = self.reply.next().await;
        let request_id = announced.map(|message| message.header.request_id.clone());
        let next = next.map_err(|error| Error::of_call(error, request_id))?;
        Ok(next.map(proto::message::read).transpose()?)
    }
}

fn is_bare(message: &Message) -> bool {
    let header = &message.header;
    message.documents.is_none()
        && message.routes.received.is_empty()
        && message.parameters.is_empty()
        && header.status.is_none()
        && header.endpoint.is_none()
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("over", &self.answers.is_none()).finish_non_exhaustive()
    }
}
