//! Bytes in several pieces, passed on without copying.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// A sequence of byte slices that reads as one.
///
/// A message that arrived in several HTTP/2 frames keeps the frames' buffers; cutting a field out of it or
/// passing it on moves reference counts, never bytes. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Payload {
    pieces: Pieces,
    len: usize,
}

#[derive(Clone)]
enum Pieces {
    /// The usual case: everything in one buffer, no allocation.
    One(Bytes),
    /// No piece is empty.
    Many(VecDeque<Bytes>),
}

impl Payload {
    /// A payload of no bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { pieces: Pieces::One(Bytes::new()), len: 0 }
    }

    /// The number of bytes in all pieces.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds `piece` at the end.
    pub fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        self.len += piece.len();
        match &mut self.pieces {
            Pieces::One(only) if only.is_empty() => *only = piece,
            Pieces::One(only) => {
                let mut pieces = VecDeque::with_capacity(4);
                pieces.push_back(std::mem::take(only));
                pieces.push_back(piece);
                self.pieces = Pieces::Many(pieces);
            }
            Pieces::Many(pieces) => pieces.push_back(piece),
        }
    }

    /// Adds all of `other` at the end.
    pub fn append(&mut self, other: Self) {
        for piece in other {
            self.push(piece);
        }
    }

    /// Cuts the first `n` bytes off and returns them.
    ///
    /// # Panics
    ///
    /// If there are fewer than `n` bytes; check [`Payload::len`] first.
    #[must_use]
    pub fn split_to(&mut self, n: usize) -> Self {
        assert!(n <= self.len, "cannot cut {n} bytes off a payload of {}", self.len);
        let mut head = Self::new();
        let mut missing = n;
        while missing > 0 {
            let piece = self.take_piece(missing);
            missing -= piece.len();
            head.push(piece);
        }
        head
    }

    /// All bytes in one buffer; copies only if there are several pieces.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        let len = self.len;
        self.copy_to_bytes(len)
    }

    /// The pieces, none of them empty.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        let (one, many) = match &self.pieces {
            Pieces::One(only) => (Some(only).filter(|only| !only.is_empty()), None),
            Pieces::Many(pieces) => (None, Some(pieces.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Takes up to `most` bytes from the first piece; `most` is not zero and the payload not empty.
    fn take_piece(&mut self, most: usize) -> Bytes {
        let piece = match &mut self.pieces {
            Pieces::One(only) => only.split_to(most.min(only.len())),
            Pieces::Many(pieces) => {
                let mut first = pieces.pop_front().unwrap_or_default();
                if first.len() <= most {
                    first
                } else {
                    let head = first.split_to(most);
                    pieces.push_front(first);
                    head
                }
            }
        };
        self.len -= piece.len();
        piece
    }
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        match &self.pieces {
            Pieces::One(only) => only,
            Pieces::Many(pieces) => pieces.front().map_or(&[], |piece| piece),
        }
    }

    fn advance(&mut self, n: usize) {
        if let Pieces::One(only) = &mut self.pieces {
            only.advance(n);
            self.len -= n;
        } else {
            let _skipped = self.split_to(n);
        }
    }

    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        if n <= self.chunk().len() {
            return if n == 0 { Bytes::new() } else { self.take_piece(n) };
        }
        let mut joined = BytesMut::with_capacity(n);
        for piece in self.split_to(n) {
            joined.extend_from_slice(&piece);
        }
        joined.freeze()
    }
}

impl From<Bytes> for Payload {
    fn from(only: Bytes) -> Self {
        Self { len: only.len(), pieces: Pieces::One(only) }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(only: Vec<u8>) -> Self {
        Bytes::from(only).into()
    }
}

impl FromIterator<Bytes> for Payload {
    fn from_iter<I: IntoIterator<Item = Bytes>>(pieces: I) -> Self {
        let mut payload = Self::new();
        for piece in pieces {
            payload.push(piece);
        }
        payload
    }
}

impl IntoIterator for Payload {
    type Item = Bytes;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter { rest: self }
    }
}

/// The pieces of a [`Payload`], from the first to the last.
#[derive(Debug)]
pub struct IntoIter {
    rest: Payload,
}

impl Iterator for IntoIter {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let n = self.rest.chunk().len();
        (n > 0).then(|| self.rest.take_piece(n))
    }
}

/// Equal bytes make equal payloads, however they are cut.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        if self.len != other.len {
            return false;
        }
        let (mut left, mut right) = (self.clone(), other.clone());
        while left.has_remaining() {
            let n = left.chunk().len().min(right.chunk().len());
            if left.chunk()[..n] != right.chunk()[..n] {
                return false;
            }
            left.advance(n);
            right.advance(n);
        }
        true
    }
}

impl Eq for Payload {}

impl Default for Pieces {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

/// Payloads are large and belong to users: only their size is shown.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes in {} pieces)", self.len, self.pieces().count())
    }
}

#[cfg(test)]
mod tests;
