//! What the messages of a connection are.

use std::sync::Arc;

use bytes::Bytes;
use call::{Error, ErrorCode, Kind, Message, Payload};
use docarray::discovery::{Catalog, Discovery};
use docarray::envelope::Endpoint;
use tokio_tungstenite::tungstenite;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::close::Ending;
use crate::json::Json;
use crate::reply::Asked;

/// What the messages of a connection are.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Encoded, in binary messages.
    Bytes(Catalog),
    /// JSON, in text messages.
    Json(Json),
}

/// What a message says.
pub(crate) enum Received {
    /// No more requests.
    End,
    /// A request.
    Request(Asked),
    /// A request that is answered at once, because it is wrong.
    Wrong(Outgoing),
}

/// How an answer is written.
#[derive(Debug)]
pub(crate) enum Form {
    /// Encoded.
    Bytes,
    /// As JSON, by the schemas of its endpoint.
    Json(Arc<Endpoint>),
}

/// A message on its way out, as frames.
///
/// A large one goes out in parts: the frame that is being sent is copied into the connection's buffer.
#[derive(Debug)]
pub(crate) struct Outgoing {
    rest: Payload,
    /// What the next frame is.
    data: Data,
    /// Whether it is an answer that reports a failure.
    pub(crate) is_error: bool,
}

/// What ends the requests in bytes mode.
const END: [u8; 1] = [0];

/// Payload of a frame at most.
const MAX_FRAME: usize = 256 << 10;

#[derive(Debug, thiserror::Error)]
enum Undecodable {
    #[error("the message is empty")]
    Empty,
    #[error("the message is not a valid request: {0}")]
    Malformed(call::wire::Malformed),
}

impl Mode {
    /// Reads a message of a client; pings and the like are none.
    pub(crate) fn read(&mut self, message: tungstenite::Message) -> Result<Received, Ending> {
        match (self, message) {
            (Self::Bytes(catalog), tungstenite::Message::Binary(bytes)) => read_bytes(bytes, catalog),
            (Self::Json(json), tungstenite::Message::Text(text)) => json.read(Bytes::from(text).as_ref()),
            (Self::Bytes(_), _) => {
                Err(Ending::WrongKind { expected: "binary messages, as the subprotocol `bytes` has them" })
            }
            (Self::Json(_), _) => {
                Err(Ending::WrongKind { expected: "text messages, without the subprotocol `bytes`" })
            }
        }
    }
}

fn read_bytes(bytes: Bytes, catalog: &Catalog) -> Result<Received, Ending> {
    if bytes == END[..] {
        return Ok(Received::End);
    }
    if bytes.is_empty() {
        return Err(Ending::Undecodable(Undecodable::Empty.into()));
    }
    match proto::message::read(bytes.into()) {
        Ok(message) => {
            let kind = kind(&catalog.read(), message.header.endpoint.as_deref().unwrap_or_default());
            Ok(Received::Request(Asked { message: Box::new(message), kind, form: Form::Bytes }))
        }
        Err(error) => Err(Ending::Undecodable(Undecodable::Malformed(error).into())),
    }
}

/// Which of the two ways to call executors an endpoint takes.
pub(crate) fn kind(discovery: &Discovery, endpoint: &str) -> Kind {
    let streams = discovery.schema(endpoint).is_some_and(|schema| schema.is_generator);
    if streams { Kind::Stream } else { Kind::Documents }
}

#[derive(Debug, thiserror::Error)]
#[error("an executor returned documents that cannot be read")]
struct BadAnswer(#[source] docarray::DocError);

impl Form {
    /// Writes an answer.
    pub(crate) fn write(&self, message: &Message) -> Result<Outgoing, Error> {
        let outgoing = match self {
            Self::Bytes => Outgoing::binary(proto::message::write(message)),
            Self::Json(endpoint) => {
                let mut text = Vec::new();
                endpoint
                    .write(message, &mut text)
                    .map_err(|error| Error::new(ErrorCode::Internal, BadAnswer(error)))?;
                Outgoing::text(text)
            }
        };
        Ok(Outgoing { is_error: message.is_error(), ..outgoing })
    }
}

impl Outgoing {
    pub(crate) const fn binary(message: Payload) -> Self {
        Self { rest: message, data: Data::Binary, is_error: false }
    }

    /// `text` is written by us, so it is valid.
    pub(crate) fn text(text: Vec<u8>) -> Self {
        Self { rest: text.into(), data: Data::Text, is_error: false }
    }

    /// The next frame, and whether it is the last.
    pub(crate) fn next_frame(&mut self) -> (tungstenite::Message, bool) {
        let part = self.rest.split_to(self.rest.len().min(MAX_FRAME)).into_bytes();
        let is_last = self.rest.is_empty();
        let frame = Frame::message(part, OpCode::Data(self.data), is_last);
        self.data = Data::Continue;
        (tungstenite::Message::Frame(frame), is_last)
    }
}
