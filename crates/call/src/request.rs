//! A request on its way through a process, and who answers it.

use std::pin::Pin;

use bytes::Bytes;
use bytestring::ByteString;
use futures_core::Stream;
use tower::util::BoxCloneSyncService;

use crate::{Admitted, Deadline, Error, Message};

/// Whoever answers requests. Front ends are given one and do not know who it is.
pub type Handler = BoxCloneSyncService<Request, Response, Error>;

/// The parts of a streamed answer, one document each.
pub type Parts = Pin<Box<dyn Stream<Item = Result<Message, Error>> + Send>>;

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What the client sent.
    pub message: Message,
    /// The other parts of a join that is not merged, in order after `message`; only executors are sent such.
    pub parts: Vec<Message>,
    /// Which of the two ways to call an executor it takes.
    pub kind: Kind,
    /// What travels beside the message.
    pub context: Context,
}

/// The two ways to call executors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A list of documents in, a list of documents out.
    #[default]
    Documents,
    /// One document in, a stream of documents out.
    Stream,
}

/// What travels beside a message and is not sent back.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// When nobody waits for the answer any more.
    pub deadline: Deadline,
    /// Headers that are passed on to executors: the trace context, and what the configuration lets through.
    pub metadata: Metadata,
}

/// Header names, in lower case, and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(pub Vec<(ByteString, ByteString)>);

/// The headers of the W3C trace context, which travel on always.
const TRACE: [&str; 3] = ["traceparent", "tracestate", "baggage"];

impl Metadata {
    /// The headers that travel on: those of traces, and those of `forward`. `values` tells the values of a header that
    /// are text.
    pub fn of_headers<'h, V>(forward: &[impl AsRef<str>], values: impl Fn(&str) -> V) -> Self
    where
        V: Iterator<Item = &'h str>,
    {
        let names = TRACE.into_iter().chain(forward.iter().map(AsRef::as_ref));
        let of_name = |name: &str| {
            let name = ByteString::from(name);
            values(&name).map(|value| (name.clone(), ByteString::from(value))).collect::<Vec<_>>()
        };
        Self(names.flat_map(of_name).collect())
    }
}

/// A body that arrived, for a front end that leaves the receiving to another.
#[derive(Debug)]
pub struct Arrived {
    /// All of it.
    pub body: Bytes,
    /// The deadline and the headers that travel on.
    pub context: Context,
    /// What was admitted for it.
    pub admitted: Admitted,
}

/// The answer to a request. Dropping it cancels what is not finished.
#[expect(
    clippy::large_enum_variant,
    reason = "one message is the rule; a box would cost every request an allocation"
)]
pub enum Response {
    /// One message.
    One(Message),
    /// Messages until the stream ends or fails.
    Stream(Parts),
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(message) => f.debug_tuple("One").field(message).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// A new random id of 32 lower-case hexadecimal digits, as clients make them.
#[must_use]
pub fn new_id() -> ByteString {
    let mut digits = uuid::Uuid::encode_buffer();
    let digits = uuid::Uuid::new_v4().simple().encode_lower(&mut digits);
    ByteString::from(&*digits)
}
