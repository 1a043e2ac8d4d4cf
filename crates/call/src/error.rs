//! The only error that crosses a crate border on the call path.

use std::fmt;
use std::time::Duration;

/// What the caller can do about a failure, the same on every protocol.
///
/// A new code needs a new reaction of the caller, not a new cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request is wrong: mend it.
    InvalidRequest,
    /// There is nothing by that name: ask for something else.
    NotFound,
    /// Too much at once: try again after a pause.
    Overloaded,
    /// The time that was allowed is over: allow more, or ask for less.
    DeadlineExceeded,
    /// Somebody who is needed cannot be reached: try again.
    Unavailable,
    /// What is asked for is not offered here: do not try again.
    Unimplemented,
    /// The caller went away.
    Cancelled,
    /// A fault behind the border: report it.
    Internal,
}

/// Why a request got no answer.
///
/// `Display` is for the caller; the chain behind `source()` is for our log.
#[derive(Debug)]
pub struct Error {
    /// What the caller can do.
    pub code: ErrorCode,
    /// The gRPC status code an executor answered with, where it says more than `code`. The gRPC front end
    /// repeats it.
    pub grpc_code: Option<i32>,
    /// How long to wait before the next try, for [`ErrorCode::Overloaded`].
    pub retry_after: Option<Duration>,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl Error {
    /// An error whose sentence for the caller is the `Display` of `cause`.
    pub fn new(code: ErrorCode, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { code, grpc_code: None, retry_after: None, cause: cause.into() }
    }

    /// Repeats the gRPC status code of an executor.
    #[must_use]
    pub const fn with_grpc_code(mut self, grpc_code: i32) -> Self {
        self.grpc_code = Some(grpc_code);
        self
    }

    /// The cause, if it is a `T`.
    #[must_use]
    pub fn cause<T: std::error::Error + 'static>(&self) -> Option<&T> {
        self.cause.downcast_ref()
    }

    /// Says when to try again.
    #[must_use]
    pub const fn with_retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}
