//! How connections end, and the close codes for it.

use call::{Error, ErrorCode};
use tokio_tungstenite::tungstenite;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::meter::Refused;

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Everything that was asked is answered.
    Done,
    /// The process drains.
    Drained,
    /// A message cannot be read.
    Undecodable(Box<dyn std::error::Error + Send + Sync>),
    /// A message of the kind that the mode does not have.
    WrongKind {
        /// What it should be.
        expected: &'static str,
    },
    /// The client does not keep to the protocol.
    Protocol(tungstenite::Error),
    /// A message is not taken.
    Refused(Refused),
    /// A request got no answer.
    Failed(Error),
    /// The client closes.
    ByClient,
    /// The connection is gone, or nobody is there.
    Lost(&'static str),
}

/// What fits into a close frame beside the code.
const MAX_REASON: usize = 123;

impl Ending {
    /// Why reading failed.
    pub(crate) fn of_failed_read(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Io(error) => {
                match error.get_ref().and_then(|source| source.downcast_ref::<Refused>()) {
                    Some(refused) => Self::Refused(*refused),
                    None => Self::Lost("the connection broke"),
                }
            }
            tungstenite::Error::Utf8(_) => Self::Undecodable(Box::new(error)),
            tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)
            | tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed => Self::Lost("the client is gone"),
            error => Self::Protocol(error),
        }
    }

    /// Whether something went wrong.
    pub(crate) const fn is_failure(&self) -> bool {
        !matches!(self, Self::Done | Self::Drained)
    }

    /// What the client is told; `None` if it does not wait for it.
    pub(crate) fn frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Done => (CloseCode::Normal, String::new()),
            Self::Drained => (CloseCode::Away, "the server is shutting down".to_owned()),
            Self::Undecodable(error) => (CloseCode::Invalid, error.to_string()),
            Self::WrongKind { expected } => (CloseCode::Unsupported, format!("expected {expected}")),
            Self::Protocol(error) => (CloseCode::Protocol, error.to_string()),
            Self::Refused(refused) => (refused_code(*refused), refused.to_string()),
            Self::Failed(error) => (failed_code(error.code), error.to_string()),
            Self::ByClient | Self::Lost(_) => return None,
        };
        let end = reason.floor_char_boundary(MAX_REASON);
        Some(CloseFrame { code, reason: reason[..end].into() })
    }
}

const fn refused_code(refused: Refused) -> CloseCode {
    match refused {
        Refused::TooLarge { .. } => CloseCode::Size,
        Refused::Overload(_) => CloseCode::Again,
        Refused::LongControl { .. } => CloseCode::Protocol,
    }
}

/// Clients of Jina know 1011 for all failures; "try again later" is the one that has a code of its own.
const fn failed_code(code: ErrorCode) -> CloseCode {
    match code {
        ErrorCode::Overloaded => CloseCode::Again,
        ErrorCode::InvalidRequest
        | ErrorCode::NotFound
        | ErrorCode::DeadlineExceeded
        | ErrorCode::Unavailable
        | ErrorCode::Unimplemented
        | ErrorCode::Cancelled
        | ErrorCode::Internal => CloseCode::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_into_the_frame() {
        let long = Ending::Failed(Error::new(ErrorCode::Unavailable, "ä".repeat(100)));
        let frame = long.frame().unwrap();
        assert_eq!((frame.code, frame.reason.len()), (CloseCode::Error, 122));
    }

    #[test]
    fn only_overload_asks_to_come_again() {
        let code = |code| Ending::Failed(Error::new(code, "x")).frame().unwrap().code;
        assert_eq!(code(ErrorCode::Overloaded), CloseCode::Again);
        assert_eq!(code(ErrorCode::Internal), CloseCode::Error);
    }
}
