//! Failures become errors of GraphQL, each with a code in its extensions.

use async_graphql::{Error, ErrorExtensionValues, Value};
use call::{ErrorCode, Status};
use docarray::DocError;
use docarray::codec::Invalid;

/// Why an endpoint is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The documents or parameters are not what the endpoint takes.
    #[error("{0}")]
    Invalid(Invalid),
    /// An executor failed.
    #[error("{}", .0.description)]
    Executor(Box<Status>),
    /// There is no answer.
    #[error("{0}")]
    Call(#[from] call::Error),
    /// What an executor answered cannot be read.
    #[error("the answer cannot be read: {0}")]
    Answer(#[from] DocError),
    /// Its JSON cannot.
    #[error("the answer cannot be read")]
    Json(#[from] serde_json::Error),
    /// The endpoint streams, and no stream was asked for.
    #[error("the endpoint streams: subscribe to it")]
    Streams,
    /// A fault of ours, of which the log tells more.
    #[error("internal error")]
    Panic,
}

/// What is wrong with a query.
pub(crate) const INVALID_QUERY: &str = "GRAPHQL_VALIDATION_FAILED";
/// A query that cannot be read.
pub(crate) const UNREADABLE_QUERY: &str = "GRAPHQL_PARSE_FAILED";
/// The failure of an executor.
const EXECUTOR_FAILED: &str = "EXECUTOR_FAILED";

impl Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => code(ErrorCode::InvalidRequest),
            Self::Executor(_) => EXECUTOR_FAILED,
            Self::Call(error) => code(error.code),
            Self::Answer(_) | Self::Json(_) | Self::Panic => code(ErrorCode::Internal),
            Self::Streams => code(ErrorCode::Unimplemented),
        }
    }
}

impl Failure {
    /// As it stands in an answer.
    pub(crate) fn into_error(self) -> Error {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code());
        match &self {
            Self::Invalid(invalid) => {
                let problems = invalid.problems.iter().map(|problem| Value::from(problem.to_string()));
                extensions.set("problems", Value::List(problems.collect()));
            }
            Self::Executor(status) => {
                if let Some(exception) = &status.exception {
                    extensions.set("exception", exception_of(exception));
                }
            }
            Self::Call(error) => {
                if let Some(pause) = error.retry_after {
                    extensions.set("retryAfter", pause.as_secs_f64());
                }
            }
            Self::Answer(_) | Self::Json(_) | Self::Streams | Self::Panic => {}
        }
        Error { message: self.to_string(), source: None, extensions: Some(extensions) }
    }
}

/// The names of codes, the same in every language.
pub(crate) const fn code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidRequest => "INVALID_REQUEST",
        ErrorCode::NotFound => "NOT_FOUND",
        ErrorCode::Overloaded => "OVERLOADED",
        ErrorCode::DeadlineExceeded => "DEADLINE_EXCEEDED",
        ErrorCode::Unavailable => "UNAVAILABLE",
        ErrorCode::Unimplemented => "UNIMPLEMENTED",
        ErrorCode::Cancelled => "CANCELLED",
        ErrorCode::Internal => "INTERNAL",
    }
}

fn exception_of(exception: &call::Exception) -> Value {
    let texts = |texts: &[bytestring::ByteString]| {
        Value::List(texts.iter().map(|text| Value::from(text.to_string())).collect())
    };
    let entries = [
        ("name", Value::from(exception.name.to_string())),
        ("args", texts(&exception.args)),
        ("stacks", texts(&exception.stacks)),
        ("executor", Value::from(exception.executor.to_string())),
    ];
    Value::Object(entries.into_iter().map(|(key, value)| (async_graphql::Name::new(key), value)).collect())
}
