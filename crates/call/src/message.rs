//! What a request and its answer are made of.

use std::error::Error as _;

use bytes::Bytes;
use bytestring::ByteString;

use crate::{Error, ErrorCode, Metadata, Parameters, Payload};

/// A request or an answer as it travels between client, gateway and executors.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Who asks for what, and how it went.
    pub header: Header,
    /// Named values beside the documents.
    pub parameters: Parameters,
    /// Where the message has been.
    pub routes: Routes,
    /// The documents, encoded and never looked into on the way through: a `DataContentProto`, or a single
    /// `DocProto` where the call streams documents. `None` if the field is missing.
    pub documents: Option<Payload>,
    /// Fields that a newer peer added, passed on as they came.
    pub unknown: Payload,
    /// What was said about an answer after it: the trailing metadata of gRPC.
    pub trailers: Metadata,
}

/// The header of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// Chosen by the client; any text, even none.
    pub request_id: ByteString,
    /// How it went; `None` means success.
    pub status: Option<Box<Status>>,
    /// The executor endpoint that is called, such as `/search`.
    pub endpoint: Option<ByteString>,
    /// A regular expression that the names of the executors to be called match from their start.
    pub target_executor: Option<ByteString>,
    /// Milliseconds that the client allows; zero means no limit.
    pub timeout: Option<u32>,
}

/// How a call went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether it failed.
    pub is_error: bool,
    /// One sentence.
    pub description: ByteString,
    /// What the executor raised.
    pub exception: Option<Exception>,
}

/// An exception in the code of an executor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// The exception's class.
    pub name: ByteString,
    /// Its arguments as text.
    pub args: Vec<ByteString>,
    /// Its stack trace, line by line.
    pub stacks: Vec<ByteString>,
    /// The executor's class.
    pub executor: ByteString,
}

/// The routes of a message: those it came with, undecoded, and those added here.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// Complete encoded `routes` fields as they came in.
    pub received: Bytes,
    /// Routes that follow them.
    pub added: Vec<Route>,
}

/// One component that a message reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The deployment's name, or `gateway`.
    pub executor: ByteString,
    /// When it was reached.
    pub start: Option<Timestamp>,
    /// When it answered; missing if it was passed by or still works.
    pub end: Option<Timestamp>,
    /// How it failed, if it did.
    pub status: Option<Box<Status>>,
}

/// A point in time since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Whole seconds.
    pub seconds: i64,
    /// The rest, 0 to 999 999 999.
    pub nanos: i32,
}

impl Message {
    /// Whether the message reports the failure of an executor.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.header.status.as_ref().is_some_and(|status| status.is_error)
    }
}

/// How a failed request is told where failures are answers: the exception is the one that Python clients know such a
/// failure by.
impl From<&Error> for Status {
    fn from(error: &Error) -> Self {
        let name = match error.code {
            ErrorCode::Unavailable | ErrorCode::DeadlineExceeded | ErrorCode::NotFound => {
                "InternalNetworkError"
            }
            ErrorCode::InvalidRequest => "ValueError",
            ErrorCode::Unimplemented => "NotImplementedError",
            ErrorCode::Cancelled => "CancelledError",
            ErrorCode::Overloaded | ErrorCode::Internal => "RuntimeError",
        };
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let exception = Exception {
            name: name.into(),
            stacks: causes.map(|cause| cause.to_string().into()).collect(),
            ..Exception::default()
        };
        Self { is_error: true, description: error.to_string().into(), exception: Some(exception) }
    }
}

impl Timestamp {
    /// The time by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: since_epoch.as_secs().try_into().unwrap_or(i64::MAX),
            nanos: since_epoch.subsec_nanos().try_into().unwrap_or(0),
        }
    }
}
