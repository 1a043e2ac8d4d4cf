//! Messages inside a stream of buffers: one flag, four bytes of length, the message.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use call::Payload;

/// The length of a frame's head.
pub const HEAD: usize = 5;

/// Cuts frames out of the buffers of a stream without copying them.
#[derive(Debug)]
pub struct Deframer {
    buffered: Payload,
    /// The largest message that is taken.
    limit: usize,
}

/// One message as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether the message is in the stream's encoding.
    pub compressed: bool,
    /// The message.
    pub message: Payload,
}

/// What is wrong with a stream of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The message is larger than allowed; it was not waited for.
    #[error("a message of {len} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// What its head says.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The flag is neither 0 nor 1.
    #[error("{0} is no flag of a gRPC message")]
    Flag(u8),
    /// The stream ended inside a frame.
    #[error("the stream ends inside a message")]
    Truncated,
}

impl Deframer {
    /// Starts at the beginning of a stream.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { buffered: Payload::new(), limit }
    }

    /// Takes the next buffer of the stream.
    pub fn push(&mut self, buffer: Bytes) {
        self.buffered.push(buffer);
    }

    /// The next complete frame, if there is one.
    ///
    /// # Errors
    ///
    /// If the stream cannot be read on.
    pub fn cut(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((flag, len)) = self.head() else { return Ok(None) };
        if flag > 1 {
            return Err(FrameError::Flag(flag));
        }
        if len > self.limit {
            return Err(FrameError::TooLarge { len, limit: self.limit });
        }
        if self.buffered.len() < HEAD + len {
            return Ok(None);
        }
        self.buffered.advance(HEAD);
        Ok(Some(Frame { compressed: flag == 1, message: self.buffered.split_to(len) }))
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    ///
    /// If it ends inside a frame.
    pub const fn finish(&self) -> Result<(), FrameError> {
        if self.buffered.is_empty() { Ok(()) } else { Err(FrameError::Truncated) }
    }

    /// The length of the message that is arriving, once its head is here.
    #[must_use]
    pub fn announced(&self) -> Option<usize> {
        self.head().map(|(_flag, len)| len)
    }

    /// Bytes received that are not part of a returned frame.
    #[must_use]
    pub const fn buffered(&self) -> usize {
        self.buffered.len()
    }

    fn head(&self) -> Option<(u8, usize)> {
        if self.buffered.len() < HEAD {
            return None;
        }
        let mut head = [0; HEAD];
        if let Some(contiguous) = self.buffered.chunk().first_chunk() {
            head = *contiguous;
        } else {
            self.buffered.clone().copy_to_slice(&mut head);
        }
        let [flag, len @ ..] = head;
        Some((flag, u32::from_be_bytes(len) as usize))
    }
}

/// Puts a head before a message.
#[must_use]
pub fn frame(message: Payload, compressed: bool) -> Payload {
    let mut head = BytesMut::with_capacity(HEAD);
    head.put_u8(compressed.into());
    head.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    let mut frame = Payload::from(head.freeze());
    frame.append(message);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(case: &str, pieces: &[&'static [u8]], want: Result<&[(bool, &[u8])], FrameError>) {
        let mut deframer = Deframer::new(10);
        let mut got = Vec::new();
        let mut read = || {
            for piece in pieces {
                deframer.push(Bytes::from_static(piece));
                while let Some(frame) = deframer.cut()? {
                    got.push((frame.compressed, frame.message.into_bytes()));
                }
            }
            deframer.finish()
        };
        let end = read();
        let got: Vec<_> = got.iter().map(|(compressed, message)| (*compressed, &message[..])).collect();
        assert_eq!(end.map(|()| &got[..]), want, "{case}");
    }

    #[test]
    fn frames_are_cut_wherever_the_buffers_end() {
        check("nothing", &[], Ok(&[]));
        check("one", &[b"\0\0\0\0\x02ab"], Ok(&[(false, b"ab")]));
        check("an empty message", &[b"\x01\0\0\0\0"], Ok(&[(true, b"")]));
        check("two in one", &[b"\0\0\0\0\x01a\x01\0\0\0\x01b"], Ok(&[(false, b"a"), (true, b"b")]));
        check("byte by byte", &[b"\0", b"\0", b"\0", b"\0", b"\x02", b"a", b"b"], Ok(&[(false, b"ab")]));
        check("half", &[b"\0\0\0\0\x02a"], Err(FrameError::Truncated));
        check("half a head", &[b"\0\0"], Err(FrameError::Truncated));
        check("a wrong flag", &[b"\x02\0\0\0\0"], Err(FrameError::Flag(2)));
        check("too large", &[b"\0\0\0\0\x0b"], Err(FrameError::TooLarge { len: 11, limit: 10 }));
    }

    #[test]
    fn a_framed_message_can_be_cut_out_again() {
        let mut deframer = Deframer::new(100);
        for piece in frame(Payload::from(b"hello".to_vec()), true) {
            deframer.push(piece);
        }
        let want = Frame { compressed: true, message: Payload::from(b"hello".to_vec()) };
        assert_eq!(deframer.cut(), Ok(Some(want)));
    }
}
