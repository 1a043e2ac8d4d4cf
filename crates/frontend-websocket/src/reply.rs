//! What a request is answered with: one message, or, if its endpoint streams, one for each document and one for the end.

use std::pin::Pin;

use bytestring::ByteString;
use call::{
    Admitted, Context, Error, ErrorCode, Exception, Handler, Header, Kind, Message, Metadata, Parts, Payload,
    Request, Response, Status,
};
use docarray::node;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tower::ServiceExt as _;

use crate::mode::{Form, Outgoing};

/// The messages that answer a request. They are made as fast as they are taken; dropping it cancels the request.
pub(crate) type Reply = Pin<Box<dyn Stream<Item = Result<Outgoing, Error>> + Send>>;

/// A request as it was read.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) message: Box<Message>,
    /// Whether its endpoint streams.
    pub(crate) kind: Kind,
    /// How it is answered.
    pub(crate) form: Form,
}

/// Who answers the requests of a connection, and what all of them are told.
#[derive(Debug, Clone)]
pub(crate) struct Answering {
    pub(crate) handler: Handler,
    /// What travels on of the headers that opened the connection.
    pub(crate) metadata: Metadata,
}

impl Answering {
    async fn answer(self, message: Message, kind: Kind) -> Result<Response, Error> {
        let context = Context { metadata: self.metadata, ..Context::default() };
        self.handler.oneshot(Request { message, kind, context, ..Request::default() }).await
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is a stream where one message was due")]
struct UnexpectedStream;

/// An answer that is there.
pub(crate) fn ready(answer: Outgoing) -> Reply {
    Box::pin(stream::iter([Ok(answer)]))
}

/// Has a request answered.
pub(crate) fn reply(answering: Answering, asked: Asked, admitted: Option<Admitted>) -> Reply {
    let begun = async move {
        match asked.kind {
            Kind::Documents => documents(answering, asked, admitted).await.map(ready),
            Kind::Stream => streamed(answering, asked, admitted).await,
        }
    };
    Box::pin(stream::once(begun).try_flatten())
}

async fn documents(
    answering: Answering,
    asked: Asked,
    _admitted: Option<Admitted>,
) -> Result<Outgoing, Error> {
    let Asked { message, kind, form } = asked;
    match answering.answer(*message, kind).await? {
        Response::One(message) => form.write(&message),
        Response::Stream(_) => Err(Error::new(ErrorCode::Internal, UnexpectedStream)),
    }
}

async fn streamed(answering: Answering, asked: Asked, admitted: Option<Admitted>) -> Result<Reply, Error> {
    let Asked { mut message, kind, form } = asked;
    let header = Header { status: None, ..message.header.clone() };
    match only(message.documents.take().unwrap_or_default()) {
        Ok(document) => message.documents = Some(document),
        Err(wrong) => {
            let header = Header { status: Some(status(&wrong).into()), ..header };
            return form.write(&Message { header, ..Message::default() }).map(ready);
        }
    }
    let parts = match answering.answer(*message, kind).await? {
        Response::Stream(parts) => parts,
        Response::One(only) => Box::pin(stream::iter([Ok(only)])),
    };
    let messages = Messages { parts, form, header, _admitted: admitted };
    Ok(Box::pin(stream::unfold(Some(messages), async |rest| Some(rest?.next().await))))
}

/// Why a request for a stream cannot begin one.
#[derive(Debug, thiserror::Error)]
enum NotOne {
    #[error("data: the endpoint streams: expected one document, got {0}")]
    Number(usize),
    #[error("data: {0}")]
    Malformed(#[from] call::wire::Malformed),
}

/// The document of a list of one.
fn only(content: Payload) -> Result<Payload, NotOne> {
    let mut documents = node::items(node::doc_list(content)?);
    let first = documents.next().transpose()?;
    match (first, documents.count()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(NotOne::Number(0)),
        (Some(_), others) => Err(NotOne::Number(others + 1)),
    }
}

/// As an executor would say it.
pub(crate) fn status(invalid: &impl std::fmt::Display) -> Status {
    let description = ByteString::from(invalid.to_string());
    let exception = Exception {
        name: ByteString::from_static("ValidationError"),
        args: vec![description.clone()],
        ..Exception::default()
    };
    Status { is_error: true, description, exception: Some(exception) }
}

/// A stream on its way.
struct Messages {
    parts: Parts,
    form: Form,
    /// Of the request.
    header: Header,
    _admitted: Option<Admitted>,
}

impl Messages {
    /// The next message, and what follows it.
    async fn next(mut self) -> (Result<Outgoing, Error>, Option<Self>) {
        let last = match self.parts.next().await {
            Some(Ok(part)) if !part.is_error() => {
                let message = self.form.write(&self.one(part));
                let is_written = message.is_ok();
                return (message, is_written.then_some(self));
            }
            Some(Ok(failed)) => Header { status: failed.header.status, ..self.header },
            Some(Err(error)) => return (Err(error), None),
            None => self.header,
        };
        (self.form.write(&Message { header: last, ..Message::default() }), None)
    }

    /// A list of the one document.
    fn one(&self, part: Message) -> Message {
        let mut list = Payload::new();
        node::append_item(&mut list, part.documents.unwrap_or_default());
        Message { header: self.header.clone(), documents: Some(node::content(list)), ..part }
    }
}
