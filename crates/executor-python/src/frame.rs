//! What goes over the socket between this process and a worker.
//!
//! A frame is the length of what follows (four bytes, little endian), its kind (one byte), the number of the call
//! it belongs to (eight bytes), and a body. `worker/frames.py` is the other end.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use call::Payload;

/// The longest frame: Protocol Buffers hold no more in one message.
const MOST: usize = i32::MAX as usize;
const HEAD: usize = 13;

/// To a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToWorker {
    /// Call an endpoint with a `DataRequestListProto`.
    Call(Payload),
    /// Call an endpoint that streams.
    Stream(Payload),
    /// The next document of a stream is wanted.
    Next,
    /// Nobody waits for the answer any more.
    Cancel,
    /// Close the executor and end.
    Close,
}

/// From a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromWorker {
    /// The executor is made: what it is, as JSON, and its `EndpointsProto`.
    Hello(Bytes, Bytes),
    /// It cannot be made: why, as JSON.
    Unfit(Bytes),
    /// A call's results as JSON, if there are any, and its `DataContentProto`.
    Answer(Bytes, Bytes),
    /// What a call or a stream failed with, a `StatusProto`.
    Failure(Bytes),
    /// The same, and it was not called: its documents or parameters do not fit.
    Unreadable(Bytes),
    /// A `DocProto` of a stream.
    Item(Bytes),
    /// A `StatusProto` in the place of a document of a stream.
    ItemFailure(Bytes),
    /// The stream has ended.
    End,
    /// The executor is closed; what it failed with, if it did, as a `StatusProto`.
    Closed(Bytes),
}

/// What came is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a frame of {length} bytes")]
    Length { length: usize },
    #[error("a frame of the unknown kind {kind}")]
    Kind { kind: u8 },
    #[error("a frame that ends too early")]
    Short,
}

impl ToWorker {
    /// The bytes of the frame; documents stay the slices they are. `None` if there are more than fit in one.
    pub(crate) fn write(self, number: u64) -> Option<Payload> {
        let (kind, body) = match self {
            Self::Call(body) => (2, body),
            Self::Stream(body) => (3, body),
            Self::Next => (4, Payload::new()),
            Self::Cancel => (5, Payload::new()),
            Self::Close => (6, Payload::new()),
        };
        let length = u32::try_from(HEAD - 4 + body.len()).ok().filter(|length| *length as usize <= MOST)?;
        let mut head = BytesMut::with_capacity(HEAD);
        head.put_u32_le(length);
        head.put_u8(kind);
        head.put_u64_le(number);
        let mut frame = Payload::from(head.freeze());
        frame.append(body);
        Some(frame)
    }
}

/// Takes the next frame and the number of its call out of what was received; `None` if it is not all there yet.
pub(crate) fn next(received: &mut BytesMut) -> Result<Option<(u64, FromWorker)>, Malformed> {
    if received.len() < 4 {
        return Ok(None);
    }
    let length = (&received[..4]).get_u32_le() as usize;
    if !(HEAD - 4..=MOST).contains(&length) {
        return Err(Malformed::Length { length });
    }
    if received.len() < 4 + length {
        received.reserve(4 + length - received.len());
        return Ok(None);
    }
    let mut frame = received.split_to(4 + length).freeze();
    frame.advance(4);
    let (kind, number) = (frame.get_u8(), frame.get_u64_le());
    let frame = match kind {
        1 => sized(frame).map(|(about, endpoints)| FromWorker::Hello(about, endpoints))?,
        2 => FromWorker::Unfit(frame),
        3 => sized(frame).map(|(results, docs)| FromWorker::Answer(results, docs))?,
        4 => FromWorker::Failure(frame),
        5 => FromWorker::Item(frame),
        6 => FromWorker::ItemFailure(frame),
        7 => FromWorker::End,
        8 => FromWorker::Closed(frame),
        9 => FromWorker::Unreadable(frame),
        kind => return Err(Malformed::Kind { kind }),
    };
    Ok(Some((number, frame)))
}

/// A part with its length before it, and the rest.
fn sized(mut body: Bytes) -> Result<(Bytes, Bytes), Malformed> {
    let length = body.try_get_u32_le().map_err(|_short| Malformed::Short)? as usize;
    if body.len() < length {
        return Err(Malformed::Short);
    }
    let first = body.split_to(length);
    Ok((first, body))
}

#[cfg(test)]
mod tests;
