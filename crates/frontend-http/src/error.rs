//! Failures become answers, each in one place.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use bytestring::ByteString;
use call::{ErrorCode, Overload, Status};
use docarray::DocError;
use docarray::codec::Invalid;
use docarray::envelope::{put_detail, put_failure, put_invalid_part};
use http::header::{CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::answer::{JSON, allow};
use crate::head::{self, REQUEST_TIMEOUT};
use crate::receive::ReceiveError;

/// Bodies of another type up to this size are repeated in the error that they cause.
const MAX_INPUT: usize = 1024;

/// The status of requests whose caller is gone, as nginx has it. Nobody reads it but our log.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such path.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed {
        /// Which.
        allow: String,
    },
    /// It is there with a slash more or less at its end.
    Moved {
        /// Where.
        location: String,
    },
    /// The body did not arrive.
    Receive(ReceiveError),
    /// The body is not what the endpoint takes.
    Invalid {
        /// Where it stood.
        part: &'static str,
        /// What is wrong.
        invalid: Invalid,
        /// What was sent.
        body: Bytes,
    },
    /// The body is said to be something else than JSON.
    NotJson {
        /// What was sent.
        body: Bytes,
    },
    /// The header with the time that the client waits is none.
    Timeout {
        /// What it says.
        value: String,
    },
    /// An executor failed.
    Executor {
        /// The id of the request.
        request_id: ByteString,
        /// What it said.
        status: Box<Status>,
    },
    /// There is no answer.
    Call {
        /// The id of the request.
        request_id: ByteString,
        /// Why.
        error: call::Error,
    },
    /// What an executor answered cannot be read.
    Answer(DocError),
    /// A fault of ours, of which the log tells more.
    Panic,
    /// A part of the page that is not there.
    NoAsset,
    /// The client wants to speak WebSocket, which this path does not.
    NoWebSocket,
}

impl From<ReceiveError> for Failure {
    fn from(error: ReceiveError) -> Self {
        Self::Receive(error)
    }
}

impl From<Overload> for Failure {
    fn from(overload: Overload) -> Self {
        Self::Call { request_id: call::new_id(), error: overload.into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound | Self::NoAsset => detail(StatusCode::NOT_FOUND, "Not Found"),
            Self::MethodNotAllowed { allow: methods } => {
                let mut response = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
                response.headers_mut().extend(allow(&methods));
                response
            }
            Self::Moved { location } => match HeaderValue::from_str(&location) {
                Ok(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
                Err(_) => detail(StatusCode::NOT_FOUND, "Not Found"),
            },
            Self::Receive(error) => detail(receive_status(&error), &error.to_string()),
            Self::Invalid { part, invalid, body } => {
                let mut json = Vec::new();
                put_invalid_part(part, &invalid, &body, &mut json);
                unprocessable(json)
            }
            Self::NotJson { body } => unprocessable(not_json(&body)),
            Self::Timeout { value } => {
                let problem = json!({"detail": [{
                    "type": "float_parsing",
                    "loc": ["header", REQUEST_TIMEOUT.as_str()],
                    "msg": "Input should be a number of seconds",
                    "input": value,
                }]});
                unprocessable(problem.to_string())
            }
            Self::Executor { request_id, status } => {
                let mut response = if is_invalid(&status) {
                    unprocessable(invalid_for_executor(&status))
                } else {
                    detail(StatusCode::INTERNAL_SERVER_ERROR, &status.description)
                };
                head::tell_request_id(&request_id, response.headers_mut());
                response
            }
            Self::Call { request_id, error } => unanswered(&request_id, &error),
            Self::Answer(error) => detail(
                StatusCode::INTERNAL_SERVER_ERROR,
                &format!("the answer of an executor cannot be read: {error}"),
            ),
            Self::NoWebSocket => {
                (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "text/plain"), (CONNECTION, "close")]).into_response()
            }
            Self::Panic => detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }
}

/// Whether an executor found documents or parameters wrong, such as integers that are too large for it.
fn is_invalid(status: &Status) -> bool {
    status.exception.as_ref().is_some_and(|exception| exception.name == "ValidationError")
}

fn invalid_for_executor(status: &Status) -> String {
    let problem = json!({"type": "value_error", "loc": ["body"], "msg": &*status.description});
    json!({"detail": [problem]}).to_string()
}

/// The status of each code.
fn call_status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
        // The route is there; what is missing is behind it, and may be there the next time.
        ErrorCode::NotFound | ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::Cancelled => {
            StatusCode::from_u16(CLIENT_CLOSED_REQUEST).unwrap_or(StatusCode::BAD_REQUEST)
        }
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn receive_status(error: &ReceiveError) -> StatusCode {
    match error {
        ReceiveError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ReceiveError::Stalled(_) => StatusCode::REQUEST_TIMEOUT,
        ReceiveError::TooLate => StatusCode::GATEWAY_TIMEOUT,
        ReceiveError::Lost(_) => StatusCode::BAD_REQUEST,
        ReceiveError::Encoding { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
    }
}

/// A failure with the header from which clients of Jina take why.
fn unanswered(request_id: &str, error: &call::Error) -> Response {
    let mut body = Vec::new();
    put_failure(request_id, &Status::from(error), &mut body);
    let mut response = (call_status(error.code), [(CONTENT_TYPE, JSON)], body).into_response();
    if let Some(pause) = error.retry_after {
        let seconds = pause.as_secs_f64().ceil().max(1.0);
        response
            .headers_mut()
            .extend(HeaderValue::from_str(&seconds.to_string()).ok().map(|v| (RETRY_AFTER, v)));
    }
    head::tell_request_id(request_id, response.headers_mut());
    response
}

fn detail(status: StatusCode, sentence: &str) -> Response {
    let mut body = Vec::new();
    put_detail(sentence, &mut body);
    (status, [(CONTENT_TYPE, JSON)], body).into_response()
}

fn unprocessable(body: impl Into<Body>) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, [(CONTENT_TYPE, JSON)], body.into()).into_response()
}

fn not_json(body: &[u8]) -> String {
    let mut problem = json!({
        "type": "model_attributes_type",
        "loc": ["body"],
        "msg": "Input should be a valid dictionary or object to extract fields from",
    });
    if body.len() <= MAX_INPUT {
        problem["input"] = String::from_utf8_lossy(body).into();
    }
    json!({"detail": [problem]}).to_string()
}
