//! Where frames begin and end in the bytes of a client, see RFC 6455 §5.2.

/// Follows the frames of one direction, whatever pieces they arrive in. What they hold it does not look at.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    head: [u8; MAX_HEAD],
    /// How much of the head is there.
    n_head: usize,
    /// Payload that is still to come, once the head is complete.
    rest: Option<u64>,
}

/// What happens next in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The head of a frame is complete.
    Head {
        /// What kind of frame.
        kind: Kind,
        /// The length of its payload.
        len: u64,
    },
    /// A frame is complete.
    End {
        /// What kind of frame.
        kind: Kind,
        /// Whether it was the last one of its message.
        is_final: bool,
    },
}

/// Kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message or a part of one.
    Data,
    /// The other side closes.
    Close,
    /// A ping or a pong.
    Control,
}

/// Two bytes, a long length, a mask.
const MAX_HEAD: usize = 14;

const OPCODE: u8 = 0b1111;
const CLOSE: u8 = 8;
const FINAL: u8 = 0b1000_0000;
const MASKED: u8 = 0b1000_0000;

impl Frames {
    /// The next thing that is seen in `bytes`, which are cut off as far as it took; `None` if there is nothing more.
    pub(crate) fn next(&mut self, bytes: &mut &[u8]) -> Option<Seen> {
        let Some(rest) = self.rest else { return self.head(bytes) };
        let n = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
        *bytes = &bytes[n..];
        let rest = rest - n as u64;
        if rest > 0 {
            self.rest = Some(rest);
            return None;
        }
        let end = Seen::End { kind: self.kind(), is_final: self.head[0] & FINAL != 0 };
        *self = Self::default();
        Some(end)
    }

    fn head(&mut self, bytes: &mut &[u8]) -> Option<Seen> {
        while self.n_head < self.head_len() {
            let (first, others) = bytes.split_first()?;
            self.head[self.n_head] = *first;
            self.n_head += 1;
            *bytes = others;
        }
        let len = self.payload_len();
        self.rest = Some(len);
        Some(Seen::Head { kind: self.kind(), len })
    }

    /// As far as can be told yet.
    fn head_len(&self) -> usize {
        if self.n_head < 2 {
            return 2;
        }
        let long = match self.head[1] & !MASKED {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + long + if self.head[1] & MASKED == 0 { 0 } else { 4 }
    }

    fn payload_len(&self) -> u64 {
        let long = |n: usize| self.head[2..2 + n].iter().fold(0, |len, byte| len << 8 | u64::from(*byte));
        match self.head[1] & !MASKED {
            126 => long(2),
            127 => long(8),
            short => short.into(),
        }
    }

    fn kind(&self) -> Kind {
        match self.head[0] & OPCODE {
            CLOSE => Kind::Close,
            opcode if opcode > CLOSE => Kind::Control,
            _ => Kind::Data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is seen in `bytes` when they arrive in pieces of `n`.
    fn seen(bytes: &[u8], n: usize) -> Vec<Seen> {
        let mut frames = Frames::default();
        let mut all = Vec::new();
        for mut piece in bytes.chunks(n) {
            while let Some(seen) = frames.next(&mut piece) {
                all.push(seen);
            }
        }
        all
    }

    #[test]
    fn frames_are_found_whatever_the_pieces() {
        let mut bytes = vec![0x02, 0x83, 1, 2, 3, 4, 7, 7, 7]; // three bytes, masked, not the last of its message
        bytes.extend([0x89, 0x80, 1, 2, 3, 4]); // an empty ping between the two
        bytes.extend([0x80, 0xfe, 0x01, 0x00, 1, 2, 3, 4]); // 256 bytes, the last
        bytes.extend([9; 256]);
        bytes.extend([0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0, 1, 5]); // one byte, its length in the longest form, no mask
        bytes.extend([0x88, 0x80, 1, 2, 3, 4]); // close
        let want = [
            Seen::Head { kind: Kind::Data, len: 3 },
            Seen::End { kind: Kind::Data, is_final: false },
            Seen::Head { kind: Kind::Control, len: 0 },
            Seen::End { kind: Kind::Control, is_final: true },
            Seen::Head { kind: Kind::Data, len: 256 },
            Seen::End { kind: Kind::Data, is_final: true },
            Seen::Head { kind: Kind::Data, len: 1 },
            Seen::End { kind: Kind::Data, is_final: true },
            Seen::Head { kind: Kind::Close, len: 0 },
            Seen::End { kind: Kind::Close, is_final: true },
        ];
        for n in [1, 2, 3, 5, 8, 13, 1000] {
            assert_eq!(seen(&bytes, n), want, "pieces of {n}");
        }
    }

    #[test]
    fn the_longest_length_is_told_before_any_payload() {
        let head = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        assert_eq!(seen(&head, 14), [Seen::Head { kind: Kind::Data, len: u64::MAX }]);
    }
}
