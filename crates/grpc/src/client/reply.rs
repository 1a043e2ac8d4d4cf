//! The answer to a call.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;

use call::Payload;
use h2::{Reason, RecvStream};
use http::{HeaderMap, StatusCode};
use tonic::Code;

use super::InFlight;
use crate::encoding::DecodeError;
use crate::{Deframer, Encoding, FrameError, Status, header};

/// The messages of an answer, as they arrive, and the trailers after them.
///
/// Dropping it before the end cancels the call at the peer.
pub struct Reply {
    body: RecvStream,
    deframer: Deframer,
    encoding: Encoding,
    max_message: usize,
    /// How the call ended, once it has: the trailers of a good end, or the status of a bad one.
    end: Option<Result<HeaderMap, Status>>,
    in_flight: InFlight,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The peer has not begun with it, so it can be made again elsewhere.
    #[error("the call could not be sent")]
    NotSent(#[source] h2::Error),
    /// The connection broke, or the peer broke the call off; whether it has acted is not known.
    #[error("the connection was lost during the call")]
    Lost(#[source] h2::Error),
    /// The call is over while messages were still to be sent.
    #[error("the call is over")]
    Closed,
    /// The peer answered with an error status.
    #[error(transparent)]
    Status(Status),
    /// The peer is not a gRPC server.
    #[error("the peer answered with HTTP status {0} instead of a gRPC answer")]
    Http(StatusCode),
    /// The peer ended its answer without saying how it went.
    #[error("the peer ended its answer without a status")]
    NoStatus,
    /// The answer holds another number of messages than the call allows.
    #[error("the peer sent {0} messages where one was due")]
    Messages(&'static str),
    /// The answer is not made of gRPC messages.
    #[error("the answer is not a valid gRPC message")]
    Frame(#[from] FrameError),
    /// The answer cannot be decompressed.
    #[error("the answer cannot be decompressed")]
    Decode(#[from] DecodeError),
    /// The peer uses an encoding that was not offered.
    #[error("the answer is in an unknown encoding")]
    UnknownEncoding,
    /// The request cannot be compressed.
    #[error("the request cannot be compressed")]
    Encode(#[source] io::Error),
}

impl CallError {
    /// An error of the connection after the request was sent.
    pub(super) fn lost(error: h2::Error) -> Self {
        // A peer that shuts down refuses what it has not begun with; those streams can go elsewhere.
        let refused = error.is_remote()
            && (error.reason() == Some(Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(Reason::NO_ERROR));
        if refused { Self::NotSent(error) } else { Self::Lost(error) }
    }

    /// Whether the peer certainly has not begun with the call.
    #[must_use]
    pub const fn never_began(&self) -> bool {
        matches!(self, Self::NotSent(_))
    }

    /// Whether the peer broke off this call alone, so that the connection can be used further.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        matches!(self, Self::NotSent(error) | Self::Lost(error) if error.is_reset())
    }

    /// The gRPC status code that stands for it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Status(status) => status.code,
            Self::NotSent(_) => Code::Unavailable,
            Self::Lost(error) => match error.reason().filter(|_| error.is_reset()) {
                None => Code::Unavailable,
                Some(Reason::REFUSED_STREAM) => Code::Unavailable,
                Some(Reason::CANCEL) => Code::Cancelled,
                Some(Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
                Some(Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
                Some(_) => Code::Internal,
            },
            Self::Http(status) => match status.as_u16() {
                401 => Code::Unauthenticated,
                403 => Code::PermissionDenied,
                404 => Code::Unimplemented,
                429 | 502 | 503 | 504 => Code::Unavailable,
                400 => Code::Internal,
                _ => Code::Unknown,
            },
            Self::Frame(FrameError::TooLarge { .. }) | Self::Decode(DecodeError::TooLarge { .. }) => {
                Code::ResourceExhausted
            }
            Self::Closed
            | Self::NoStatus
            | Self::Messages(_)
            | Self::Frame(_)
            | Self::Decode(_)
            | Self::UnknownEncoding
            | Self::Encode(_) => Code::Internal,
        }
    }
}

impl Reply {
    pub(super) fn new(
        response: http::Response<RecvStream>,
        in_flight: InFlight,
        max_message: usize,
    ) -> Result<Self, CallError> {
        let (parts, body) = response.into_parts();
        // A status in the headers is the whole answer; trailers that follow it would say the same.
        let end = match Status::from_headers(&parts.headers) {
            None if parts.status != StatusCode::OK => return Err(CallError::Http(parts.status)),
            Some(Err(status)) => Some(Err(status)),
            Some(Ok(())) if body.is_end_stream() => Some(Ok(parts.headers.clone())),
            Some(Ok(())) | None => None,
        };
        let encoding = match parts.headers.get(header::GRPC_ENCODING) {
            None => Encoding::Identity,
            Some(name) => Encoding::from_name(name.as_bytes()).ok_or(CallError::UnknownEncoding)?,
        };
        let deframer = Deframer::new(max_message);
        Ok(Self { body, deframer, encoding, max_message, end, in_flight })
    }

    /// The next message; `None` when the call ended well.
    ///
    /// Cancel-safe: what has arrived is kept.
    ///
    /// # Errors
    ///
    /// If the call ended with an error status or was lost.
    pub async fn next(&mut self) -> Result<Option<Payload>, CallError> {
        loop {
            if let Some(frame) = self.deframer.cut()? {
                if !frame.compressed {
                    return Ok(Some(frame.message));
                }
                return Ok(Some(self.encoding.decode(frame.message, self.max_message)?));
            }
            match &self.end {
                Some(Ok(_trailers)) => return Ok(self.deframer.finish().map(|()| None)?),
                Some(Err(status)) => return Err(CallError::Status(status.clone())),
                None => {}
            }
            match self.body.data().await {
                Some(Ok(data)) => {
                    self.in_flight.0.received.fetch_add(1, Ordering::Relaxed);
                    // Failing means that the stream is over, which the next read says.
                    let _over = self.body.flow_control().release_capacity(data.len());
                    self.deframer.push(data);
                }
                Some(Err(error)) => return Err(CallError::lost(error)),
                None => {
                    let trailers = self.body.trailers().await.map_err(CallError::lost)?;
                    let trailers = trailers.ok_or(CallError::NoStatus)?;
                    let status = Status::from_headers(&trailers).ok_or(CallError::NoStatus)?;
                    self.end = Some(status.map(|()| trailers));
                }
            }
        }
    }

    /// The one message of a unary call, and the trailers.
    ///
    /// # Errors
    ///
    /// If the call ended with an error status, was lost, or had another number of messages.
    pub async fn only(mut self) -> Result<(Payload, HeaderMap), CallError> {
        let only = self.next().await?.ok_or(CallError::Messages("no"))?;
        if self.next().await?.is_some() {
            return Err(CallError::Messages("several"));
        }
        Ok((only, self.into_trailers()))
    }

    /// The trailers, once [`Reply::next`] returned `None`.
    #[must_use]
    pub fn into_trailers(self) -> HeaderMap {
        self.end.and_then(Result::ok).unwrap_or_default()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("end", &self.end).finish_non_exhaustive()
    }
}
