//! The Protocol Buffers encoding: just enough to read and write messages field by field.
//!
//! Generated code decodes a whole message. The call path wants the opposite: look at a few small fields,
//! keep the rest as the slices they are. [`Reader`] walks the fields of one message inside a [`Payload`];
//! the `put_*` functions write fields into a buffer.

use bytes::{Buf, BufMut};
use bytestring::ByteString;

use crate::Payload;

/// The value of one field, by wire type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Wire type 0: integers, booleans, enumerations.
    Varint(u64),
    /// Wire type 1: `fixed64`, `double`.
    Fixed64(u64),
    /// Wire type 2: strings, bytes, messages, packed lists.
    Bytes(Payload),
    /// Wire type 5: `fixed32`, `float`.
    Fixed32(u32),
}

/// Bytes that are not a Protocol Buffers message of the expected shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The message ends inside a field.
    #[error("the message ends in the middle of a field")]
    Truncated,
    /// More than ten bytes, or more than 64 bits.
    #[error("a variable-length integer does not fit 64 bits")]
    Varint,
    /// Field numbers are 1 to 2^29 - 1.
    #[error("{0} is no field number")]
    FieldNumber(u64),
    /// Wire types 3 and 4 are the groups that proto3 dropped; 6 and 7 never existed.
    #[error("field {field} has the unknown wire type {wire_type}")]
    WireType {
        /// The field's number.
        field: u32,
        /// The type found.
        wire_type: u8,
    },
    /// A known field has another wire type than its declaration says.
    #[error("field {field} has the wrong wire type")]
    Mismatch {
        /// The field's number.
        field: u32,
    },
    /// A `string` field holds bytes that are not UTF-8.
    #[error("field {field} is not valid UTF-8")]
    Utf8 {
        /// The field's number.
        field: u32,
    },
    /// Messages inside messages beyond the bound.
    #[error("the message is nested more than {0} levels deep")]
    Depth(usize),
}

/// Walks the fields of one message.
#[derive(Debug, Clone)]
pub struct Reader {
    rest: Payload,
}

/// One field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The field's number in the `.proto` file.
    pub number: u32,
    /// What it holds.
    pub value: Value,
}

impl Reader {
    /// Reads `message` from its first field.
    #[must_use]
    pub fn new(message: impl Into<Payload>) -> Self {
        Self { rest: message.into() }
    }

    /// The next field, or `None` after the last.
    ///
    /// # Errors
    ///
    /// If the bytes are not a message; the reader is useless afterwards.
    #[expect(clippy::should_implement_trait, reason = "reading can fail, and callers want `?` on each step")]
    pub fn next(&mut self) -> Result<Option<Field>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = get_varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3)
            .ok()
            .filter(|number| (1..1 << 29).contains(number))
            .ok_or(Malformed::FieldNumber(key >> 3))?;
        let value = match key & 7 {
            0 => Value::Varint(get_varint(&mut self.rest)?),
            1 => Value::Fixed64(self.rest.try_get_u64_le().map_err(|_| Malformed::Truncated)?),
            2 => {
                let len = get_varint(&mut self.rest)?;
                let len = usize::try_from(len).ok().filter(|len| *len <= self.rest.len());
                Value::Bytes(self.rest.split_to(len.ok_or(Malformed::Truncated)?))
            }
            5 => Value::Fixed32(self.rest.try_get_u32_le().map_err(|_| Malformed::Truncated)?),
            wire_type => return Err(Malformed::WireType { field: number, wire_type: wire_type as u8 }),
        };
        Ok(Some(Field { number, value }))
    }
}

impl Field {
    /// The value of a string, bytes or message field.
    ///
    /// # Errors
    ///
    /// If the field has another wire type.
    pub fn bytes(self) -> Result<Payload, Malformed> {
        match self.value {
            Value::Bytes(payload) => Ok(payload),
            Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32(_) => {
                Err(Malformed::Mismatch { field: self.number })
            }
        }
    }

    /// The value of a `string` field.
    ///
    /// # Errors
    ///
    /// If the field has another wire type or is not UTF-8.
    pub fn text(self) -> Result<ByteString, Malformed> {
        let field = self.number;
        ByteString::try_from(self.bytes()?.into_bytes()).map_err(|_| Malformed::Utf8 { field })
    }

    /// The value of an integer, boolean or enumeration field.
    ///
    /// # Errors
    ///
    /// If the field has another wire type.
    pub const fn varint(&self) -> Result<u64, Malformed> {
        match &self.value {
            Value::Varint(value) => Ok(*value),
            Value::Fixed64(_) | Value::Bytes(_) | Value::Fixed32(_) => {
                Err(Malformed::Mismatch { field: self.number })
            }
        }
    }

    /// The value of a `double` field.
    ///
    /// # Errors
    ///
    /// If the field has another wire type.
    pub const fn double(&self) -> Result<f64, Malformed> {
        match &self.value {
            Value::Fixed64(bits) => Ok(f64::from_bits(*bits)),
            Value::Varint(_) | Value::Bytes(_) | Value::Fixed32(_) => {
                Err(Malformed::Mismatch { field: self.number })
            }
        }
    }

    /// The field as it stands in a message, so that unknown fields can be passed on.
    #[must_use]
    pub fn into_wire(self) -> Payload {
        let mut head = Vec::with_capacity(16);
        match self.value {
            Value::Varint(value) => {
                put_key(&mut head, self.number, 0);
                put_varint(&mut head, value);
                head.into()
            }
            Value::Fixed64(value) => {
                put_key(&mut head, self.number, 1);
                head.put_u64_le(value);
                head.into()
            }
            Value::Bytes(payload) => {
                put_len(&mut head, self.number, payload.len());
                let mut wire = Payload::from(head);
                wire.append(payload);
                wire
            }
            Value::Fixed32(value) => {
                put_key(&mut head, self.number, 5);
                head.put_u32_le(value);
                head.into()
            }
        }
    }
}

/// Reads a variable-length integer.
///
/// # Errors
///
/// If the buffer ends too early or the integer does not fit 64 bits.
#[inline]
pub fn get_varint(from: &mut impl Buf) -> Result<u64, Malformed> {
    let chunk = from.chunk();
    if let Some(&first) = chunk.first()
        && first < 0x80
    {
        from.advance(1);
        return Ok(u64::from(first));
    }
    let mut value = 0_u64;
    for n in 0..10 {
        let byte = from.try_get_u8().map_err(|_| Malformed::Truncated)?;
        if n == 9 && byte > 1 {
            return Err(Malformed::Varint);
        }
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed::Varint)
}

/// How many bytes [`put_varint`] writes for `value`.
#[must_use]
#[inline]
pub const fn varint_len(value: u64) -> usize {
    // 7 bits a byte; zero still takes one.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Writes a variable-length integer.
#[inline]
pub fn put_varint(to: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        to.put_u8((value as u8) | 0x80);
        value >>= 7;
    }
    to.put_u8(value as u8);
}

/// Writes a field's number and wire type.
#[inline]
pub fn put_key(to: &mut impl BufMut, field: u32, wire_type: u8) {
    put_varint(to, (u64::from(field) << 3) | u64::from(wire_type));
}

/// How many bytes [`put_key`] writes for `field`.
#[must_use]
#[inline]
pub const fn key_len(field: u32) -> usize {
    varint_len((field as u64) << 3)
}

/// Writes the start of a field of `len` bytes: a string, bytes or a message.
#[inline]
pub fn put_len(to: &mut impl BufMut, field: u32, len: usize) {
    put_key(to, field, 2);
    put_varint(to, len as u64);
}

/// Writes a string, bytes or an encoded message.
#[inline]
pub fn put_bytes(to: &mut impl BufMut, field: u32, bytes: &[u8]) {
    put_len(to, field, bytes.len());
    to.put_slice(bytes);
}

/// How many bytes [`put_bytes`] writes for `len` bytes.
#[must_use]
#[inline]
pub const fn bytes_len(field: u32, len: usize) -> usize {
    key_len(field) + varint_len(len as u64) + len
}

/// Writes a string unless it is empty, which proto3 leaves out.
pub fn put_text(to: &mut impl BufMut, field: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(to, field, text.as_bytes());
    }
}

/// Writes an integer unless it is zero, which proto3 leaves out.
pub fn put_uint(to: &mut impl BufMut, field: u32, value: u64) {
    if value != 0 {
        put_key(to, field, 0);
        put_varint(to, value);
    }
}

/// Writes a message whose size is not known beforehand: `write` fills it.
#[inline]
pub fn put_message(to: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let message = begin_message(to, field);
    write(to);
    message.end(to);
}

/// Starts a message whose size is not known beforehand; what is written until [`Begun::end`] is its content.
#[inline]
pub fn begin_message(to: &mut Vec<u8>, field: u32) -> Begun {
    put_key(to, field, 2);
    let at = to.len();
    // Most messages need one byte for their size; for others the content moves.
    to.push(0);
    Begun { at }
}

/// A message that is being written.
#[derive(Debug)]
#[must_use = "the size of the message is written at its end"]
pub struct Begun {
    at: usize,
}

impl Begun {
    /// Writes the size of the message, whose content ends here.
    #[inline]
    pub fn end(self, to: &mut Vec<u8>) {
        let content = self.at + 1;
        let len = to.len() - content;
        if len < 0x80 {
            to[self.at] = len as u8;
            return;
        }
        make_room(to, self.at, len);
    }
}

/// Moves a content of `len` bytes, whose size stands before it at `at`, so that the size finds room.
fn make_room(to: &mut Vec<u8>, at: usize, len: usize) {
    let content = at + 1;
    let more = varint_len(len as u64) - 1;
    to.resize(content + len + more, 0);
    to.copy_within(content..content + len, content + more);
    put_varint(&mut &mut to[at..content + more], len as u64);
}

#[cfg(test)]
mod tests;
