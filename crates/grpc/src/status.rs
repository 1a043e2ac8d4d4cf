//! How a call ended, between trailers and [`call::Error`].

use std::fmt;

use bytestring::ByteString;
use call::{Error, ErrorCode};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};
use proto::status::{code_from_grpc, code_to_grpc};
use tonic::Code;

use crate::header;

/// What may stand as it is in a `grpc-message` header: printable ASCII but the percent sign.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// Longer messages are cut: header lists have bounds, and peers drop calls that pass them.
const MAX_MESSAGE: usize = 4096;

/// How a call ended when it did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The code; `Ok` only if the peer sent no valid one with an answer missing.
    pub code: Code,
    /// The peer's sentence.
    pub message: ByteString,
}

impl Status {
    /// Reads the trailers of a call: `None` if it ended well or they say nothing.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Result<(), Self>> {
        let code = headers.get(header::GRPC_STATUS)?;
        if code == "0" {
            return Some(Ok(()));
        }
        let code = Code::from_bytes(code.as_bytes());
        let message = headers.get(header::GRPC_MESSAGE).map_or(&b""[..], HeaderValue::as_bytes);
        let message = percent_decode(message).decode_utf8_lossy();
        Some(Err(Self { code, message: ByteString::from(&*message) }))
    }

    /// What the error becomes on the wire.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let code = error.grpc_code.map_or_else(|| code_to_grpc(error.code), Code::from);
        Self { code, message: ByteString::from(error.to_string()) }
    }

    /// Writes code and message into trailers.
    pub fn put(&self, headers: &mut HeaderMap) {
        headers.insert(header::GRPC_STATUS, HeaderValue::from(self.code as i32));
        if self.message.is_empty() {
            return;
        }
        let cut = self.message.floor_char_boundary(MAX_MESSAGE);
        let message = percent_encode(&self.message.as_bytes()[..cut], ESCAPED).to_string();
        if let Ok(message) = HeaderValue::try_from(message) {
            headers.insert(header::GRPC_MESSAGE, message);
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        code_from_grpc(self.code)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() { write!(f, "{}", self.code) } else { f.write_str(&self.message) }
    }
}

impl std::error::Error for Status {}

/// The trailers of a call that ended well.
#[must_use]
pub fn ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(2);
    trailers.insert(header::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_the_round_trip() {
        for message in ["", "plain text", "100 % größe\nzwei|Gateway: x", "a\u{0}b"] {
            let status = Status { code: Code::Unavailable, message: message.into() };
            let mut trailers = HeaderMap::new();
            status.put(&mut trailers);
            assert_eq!(Status::from_headers(&trailers), Some(Err(status)), "{message:?}");
        }
        assert_eq!(Status::from_headers(&ok()), Some(Ok(())));
        assert_eq!(Status::from_headers(&HeaderMap::new()), None);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let status = Status { code: Code::Internal, message: "ö".repeat(MAX_MESSAGE).into() };
        let mut trailers = HeaderMap::new();
        status.put(&mut trailers);
        let got = Status::from_headers(&trailers).unwrap().unwrap_err();
        assert_eq!(got.message, "ö".repeat(MAX_MESSAGE / 2));
    }

    #[test]
    fn the_code_of_an_executor_is_repeated() {
        let error = Error::new(ErrorCode::InvalidRequest, "no").with_grpc_code(Code::PermissionDenied as i32);
        assert_eq!(Status::of(&error).code, Code::PermissionDenied);
        assert_eq!(Status::of(&Error::new(ErrorCode::Overloaded, "no")).code, Code::ResourceExhausted);
    }
}
