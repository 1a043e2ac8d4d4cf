//! Why an executor gave no answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use call::wire::Malformed;
use call::{ErrorCode, ExecutorName};
use grpc::client::{CallError, ConnectError};
use tonic::Code;

use crate::Role;

/// Why an executor gave no answer. Its `Display` is what the client of the gateway reads, so it names the
/// reason, who speaks, the executor and the addresses that were tried.
#[derive(Debug)]
pub struct Error {
    /// Who called.
    pub role: Role,
    /// Who was called.
    pub executor: ExecutorName,
    /// Where.
    pub tried: Tried,
    /// What the last attempt failed of.
    pub failure: Failure,
}

/// Why one attempt failed.
#[derive(Debug)]
pub enum Failure {
    /// No name of the executor resolves to an address.
    Unresolved {
        /// What the resolver says.
        reason: String,
    },
    /// There is no connection.
    Connect(Arc<ConnectError>),
    /// There was no answer in time.
    TimedOut {
        /// How long this attempt was allowed to take, if the executor's time limit was the one that passed.
        allowed: Option<Duration>,
    },
    /// The call failed.
    Call(CallError),
    /// The answer is no message.
    Malformed(Malformed),
}

/// The addresses that were tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried(pub Vec<String>);

impl Failure {
    /// The gRPC status code that stands for it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unresolved { .. } | Self::Connect(_) => Code::Unavailable,
            Self::TimedOut { .. } => Code::DeadlineExceeded,
            Self::Call(error) => error.code(),
            Self::Malformed(_) => Code::Internal,
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<Error> for call::Error {
    fn from(error: Error) -> Self {
        let code = error.failure.code();
        let ours = proto::status::code_from_grpc(code);
        // UNAVAILABLE and the like say it all; the others are kept where ours is coarser.
        let exact = proto::status::code_to_grpc(ours) == code && ours != ErrorCode::Internal;
        let kept = Self::new(ours, error);
        if exact { kept } else { kept.with_grpc_code(code as i32) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved { reason } => f.write_str(reason),
            Self::Connect(error) => Chain(error.as_ref()).fmt(f),
            Self::TimedOut { .. } => f.write_str("deadline exceeded"),
            Self::Call(CallError::Status(status)) => status.fmt(f),
            Self::Call(error) => Chain(error).fmt(f),
            Self::Malformed(error) => write!(f, "the answer is not a valid message: {error}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, executor, tried, failure } = self;
        write!(f, "{failure}|{role}: deployment `{executor}` at address(es) {tried} ")?;
        match failure.code() {
            Code::Unavailable => f.write_str("cannot be reached, its head or executors may be down"),
            Code::NotFound => f.write_str("was reached, but there the service was not found"),
            Code::DeadlineExceeded => match failure {
                Failure::TimedOut { allowed: Some(allowed) } => {
                    write!(f, "did not answer within {allowed:?}; a larger `timeout_send` allows more")
                }
                Failure::TimedOut { allowed: None } => f.write_str("did not answer in time for the client"),
                Failure::Unresolved { .. }
                | Failure::Connect(_)
                | Failure::Call(_)
                | Failure::Malformed(_) => {
                    f.write_str("ran out of time; a larger `timeout_send` may allow more")
                }
            },
            code => write!(f, "failed the call with {code:?}"),
        }
    }
}

/// No source: the sentence has it all, because the client sees nothing else.
impl std::error::Error for Error {}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<_> = self.0.iter().map(|address| format!("'{address}'")).collect();
        write!(f, "{{{}}}", quoted.join(", "))
    }
}

/// An error with its causes.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use grpc::Status;

    use super::*;

    #[track_caller]
    fn check(failure: Failure, want: &str, code: ErrorCode, grpc_code: Option<Code>) {
        let tried = Tried(vec!["10.0.0.1:80".to_owned(), "10.0.0.2:80".to_owned()]);
        let executor = ExecutorName::try_from("ranker").unwrap();
        let error = call::Error::from(Error { role: Role::Gateway, executor, tried, failure });
        let at = "|Gateway: deployment `ranker` at address(es) {'10.0.0.1:80', '10.0.0.2:80'} ";
        assert_eq!(error.to_string(), want.replace("|", at));
        assert_eq!((error.code, error.grpc_code), (code, grpc_code.map(|code| code as i32)));
    }

    fn status(code: Code, message: &'static str) -> Failure {
        Failure::Call(CallError::Status(Status { code, message: message.into() }))
    }

    #[test]
    fn errors_name_reason_executor_and_addresses() {
        let refused = ConnectError::Tcp {
            address: ([10, 0, 0, 2], 80).into(),
            source: io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"),
        };
        check(
            Failure::Connect(Arc::new(refused)),
            "cannot connect to 10.0.0.2:80: connection refused|cannot be reached, its head or executors may be down",
            ErrorCode::Unavailable,
            None,
        );
        check(
            Failure::TimedOut { allowed: Some(Duration::from_millis(300)) },
            "deadline exceeded|did not answer within 300ms; a larger `timeout_send` allows more",
            ErrorCode::DeadlineExceeded,
            None,
        );
        check(
            status(Code::NotFound, "no route"),
            "no route|was reached, but there the service was not found",
            ErrorCode::NotFound,
            None,
        );
        check(
            status(Code::PermissionDenied, "no"),
            "no|failed the call with PermissionDenied",
            ErrorCode::InvalidRequest,
            Some(Code::PermissionDenied),
        );
        check(
            status(Code::Unknown, "Unexpected <class 'ValueError'>: x"),
            "Unexpected <class 'ValueError'>: x|failed the call with Unknown",
            ErrorCode::Internal,
            Some(Code::Unknown),
        );
    }
}
