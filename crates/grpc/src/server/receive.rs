//! Messages as they arrive.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use call::{Admission, Admitted, Error, ErrorCode, Payload};
use tokio::time::Sleep;

use super::{Incoming, Settings};
use crate::encoding::DecodeError;
use crate::{Deframer, Encoding, FrameError};

/// Reads the messages of one call, takes them on in the name of the process, and decompresses them.
pub(super) struct Receiver<B> {
    body: B,
    /// Whether the peer has sent all it will.
    ended: bool,
    deframer: Deframer,
    encoding: Encoding,
    max_message: usize,
    admission: Admission,
    /// The message that is arriving, taken on when its head said how large it is.
    arriving: Option<Admitted>,
    stall: Duration,
    /// Runs while the peer stops in the middle of a message.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// What can go wrong while a message arrives.
#[derive(Debug, thiserror::Error)]
enum ReceiveError {
    #[error("the request is not a valid gRPC message")]
    Frame(#[source] FrameError),
    #[error(transparent)]
    TooLarge(FrameError),
    #[error(transparent)]
    Decode(DecodeError),
    #[error("the request ends before its message")]
    Empty,
    #[error("the request has more than one message, the call takes one")]
    TooMany,
    #[error("the connection was lost while the request arrived")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the request stopped in the middle of a message for {0:?}")]
    Stalled(Duration),
}

impl From<ReceiveError> for Error {
    fn from(error: ReceiveError) -> Self {
        let code = match &error {
            ReceiveError::Frame(_) | ReceiveError::Empty | ReceiveError::TooMany => ErrorCode::InvalidRequest,
            ReceiveError::Decode(DecodeError::TooLarge { .. }) | ReceiveError::TooLarge(_) => {
                ErrorCode::Overloaded
            }
            ReceiveError::Decode(_) => ErrorCode::InvalidRequest,
            ReceiveError::Lost(_) => ErrorCode::Cancelled,
            ReceiveError::Stalled(_) => ErrorCode::DeadlineExceeded,
        };
        Self::new(code, error)
    }
}

impl From<FrameError> for ReceiveError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLarge { .. } => Self::TooLarge(error),
            FrameError::Flag(_) | FrameError::Truncated => Self::Frame(error),
        }
    }
}

impl<B: Incoming> Receiver<B> {
    pub(super) fn new(body: B, encoding: Encoding, settings: &Settings, admission: Admission) -> Self {
        Self {
            body,
            ended: false,
            deframer: Deframer::new(settings.max_message),
            encoding,
            max_message: settings.max_message,
            admission,
            arriving: None,
            stall: settings.stall,
            stalled: None,
        }
    }

    /// The one message of a call that has one.
    pub(super) async fn only(&mut self) -> Result<(Payload, Admitted), Error> {
        let only = std::future::poll_fn(|cx| self.poll_next(cx)).await.ok_or(ReceiveError::Empty)??;
        match std::future::poll_fn(|cx| self.poll_next(cx)).await {
            None => Ok(only),
            Some(Ok(_)) => Err(ReceiveError::TooMany.into()),
            Some(Err(error)) => Err(error),
        }
    }

    /// The next message; `None` after the last one. After an error the receiver is useless.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Payload, Admitted), Error>>> {
        loop {
            if let Some(frame) = self.deframer.cut().map_err(ReceiveError::from)? {
                self.stalled = None;
                let admitted = match self.arriving.take() {
                    Some(admitted) => admitted,
                    None => admit(&self.admission, frame.message.len())?,
                };
                return Poll::Ready(Some(self.decode(frame.compressed, frame.message, admitted)));
            }
            if self.ended {
                return Poll::Ready(
                    self.deframer.finish().err().map(|end| Err(ReceiveError::from(end).into())),
                );
            }
            if self.arriving.is_none()
                && let Some(len) = self.deframer.announced()
            {
                self.arriving = Some(admit(&self.admission, len)?);
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.stalled = None;
                    if let Ok(data) = frame.into_data() {
                        self.deframer.push(data);
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(ReceiveError::Lost(error.into()).into())));
                }
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => {
                    ready!(self.poll_stalled(cx));
                    return Poll::Ready(Some(Err(ReceiveError::Stalled(self.stall).into())));
                }
            }
        }
    }

    /// Ready when the peer has stopped in the middle of a message for too long. Between messages a stream
    /// may rest as long as it likes.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.deframer.buffered() == 0 {
            return Poll::Pending;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.stall)));
        stalled.as_mut().poll(cx)
    }

    fn decode(
        &self,
        compressed: bool,
        message: Payload,
        mut admitted: Admitted,
    ) -> Result<(Payload, Admitted), Error> {
        if !compressed {
            return Ok((message, admitted));
        }
        let message = self.encoding.decode(message, self.max_message).map_err(ReceiveError::Decode)?;
        admitted.add_bytes(message.len())?;
        Ok((message, admitted))
    }
}

fn admit(admission: &Admission, bytes: usize) -> Result<Admitted, Error> {
    let mut admitted = admission.admit()?;
    admitted.add_bytes(bytes)?;
    Ok(admitted)
}
