//! Why a request has no answer, or not the one that was hoped for.

use std::time::Duration;

use bytestring::ByteString;
use call::wire::Malformed;
use call::{ErrorCode, Message};
use docarray::DocError;
use grpc::client::{CallError, ConnectError};

use crate::{Address, InvalidAddress, TlsError};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text to connect to is no address.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The TLS settings are wrong.
    #[error("encrypted connections to {address} are not possible")]
    Tls {
        /// Whom to.
        address: Address,
        /// Why.
        source: TlsError,
    },
    /// The host has no address.
    #[error("cannot find out the address of {address}")]
    Resolve {
        /// The host.
        address: Address,
        /// Why; nothing if there just is none.
        source: std::io::Error,
    },
    /// Nobody answers there.
    #[error("cannot connect to {address} ({tries} tries)")]
    Connect {
        /// Whom to.
        address: Address,
        /// How often it was tried.
        tries: usize,
        /// Why the last try failed.
        source: ConnectError,
    },
    /// Others are trying to connect already, without success.
    #[error("no connection to {address} within {waited:?}")]
    Unreachable {
        /// Whom to.
        address: Address,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The connection broke, or the peer does not speak gRPC as it should.
    #[error("the call failed")]
    Call(#[from] CallError),
    /// The peer refused: the Flow cannot answer, which is no executor's own failure.
    #[error("{message}")]
    Status {
        /// What can be done about it.
        code: ErrorCode,
        /// The gRPC status code.
        grpc_code: i32,
        /// The peer's sentence.
        message: ByteString,
        /// The request that failed, if the peer told.
        request_id: Option<ByteString>,
    },
    /// It took too long.
    #[error("no answer within {allowed:?}")]
    DeadlineExceeded {
        /// How long it was allowed to take.
        allowed: Duration,
    },
    /// An executor failed.
    #[error(transparent)]
    Executor(Box<ExecutorError>),
    /// The peer ended its answers too early.
    #[error("the peer ended the stream while {missing} requests had no answer")]
    Unanswered {
        /// How many.
        missing: usize,
    },
    /// The answer is no valid message.
    #[error("the answer is not a valid message")]
    Malformed(#[from] Malformed),
    /// Documents are not of the expected type.
    #[error("the documents of the answer to request `{request_id}` are not of the expected type")]
    Document {
        /// The request.
        request_id: ByteString,
        /// Where they differ.
        source: DocError,
    },
    /// The parameters are no JSON object.
    #[error("parameters must be an object with text as keys")]
    Parameters,
    /// The parameters cannot be written as JSON.
    #[error("the parameters cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// A name or value cannot be a header.
    #[error("the metadata `{name}` is no valid header")]
    Metadata {
        /// The name.
        name: String,
    },
    /// The peer answered a question about its state with something else.
    #[error("the answer to {path} is not a valid message")]
    Control {
        /// The call.
        path: &'static str,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The failure of an executor's code, or of the Flow in its place.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", self.message, if self.executor.is_empty() { String::new() } else { format!(" (in executor `{}`)", self.executor) })]
pub struct ExecutorError {
    /// The class of the exception.
    pub name: ByteString,
    /// One sentence.
    pub message: ByteString,
    /// The class of the executor.
    pub executor: ByteString,
    /// The arguments of the exception as text.
    pub args: Vec<ByteString>,
    /// The stack trace, line by line.
    pub stacks: Vec<ByteString>,
    /// The request that failed.
    pub request_id: ByteString,
}

impl Error {
    /// What can be done about it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Address(_)
            | Self::Tls { .. }
            | Self::Document { .. }
            | Self::Parameters
            | Self::Json(_)
            | Self::Metadata { .. } => ErrorCode::InvalidRequest,
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Unreachable { .. }
            | Self::Unanswered { .. } => ErrorCode::Unavailable,
            Self::Call(CallError::NotSent(_) | CallError::Lost(_) | CallError::Closed) => {
                ErrorCode::Unavailable
            }
            Self::Call(_) | Self::Malformed(_) | Self::Executor(_) | Self::Control { .. } => {
                ErrorCode::Internal
            }
            Self::Status { code, .. } => *code,
            Self::DeadlineExceeded { .. } => ErrorCode::DeadlineExceeded,
        }
    }

    /// How a call ended when it did not end well.
    pub(crate) fn of_call(error: CallError, request_id: Option<ByteString>) -> Self {
        match error {
            CallError::Status(status) => Self::Status {
                code: status.error_code(),
                grpc_code: status.code as i32,
                message: if status.message.is_empty() { status.to_string().into() } else { status.message },
                request_id,
            },
            other => Self::Call(other),
        }
    }
}

impl ExecutorError {
    /// The failure that a message reports, if it does.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        let status = message.header.status.as_deref().filter(|status| status.is_error)?;
        let exception = status.exception.clone().unwrap_or_default();
        let description = Some(&status.description).filter(|description| !description.is_empty());
        Some(Self {
            message: description.unwrap_or(&exception.name).clone(),
            name: exception.name,
            executor: exception.executor,
            args: exception.args,
            stacks: exception.stacks,
            request_id: message.header.request_id.clone(),
        })
    }
}
