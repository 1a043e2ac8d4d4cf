//! A body that holds what was admitted for its request until it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use call::Admitted;
use http_body::{Frame, SizeHint};

/// One piece.
#[derive(Debug)]
pub(crate) struct Held {
    piece: Bytes,
    _admitted: Admitted,
}

impl Held {
    pub(crate) fn new(piece: impl Into<Bytes>, admitted: Admitted) -> Self {
        Self { piece: piece.into(), _admitted: admitted }
    }
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = std::mem::take(&mut self.get_mut().piece);
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.piece.len() as u64)
    }
}
