//! Walks encoded messages that lie in one piece, without counting references.
//!
//! [`crate::node`] hands out parts of a message that live on their own. Here they live as long as the message,
//! which is what printing a whole document needs: nothing is allocated or counted for a value.

use call::wire::{self, Malformed};

/// The fields of a message.
#[derive(Clone, Copy)]
pub(super) struct Fields<'w>(&'w [u8]);

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Value<'w> {
    Varint(u64),
    Double(f64),
    Bytes(&'w [u8]),
    Fixed32,
}

/// An encoded value by its content.
#[derive(Clone, Copy)]
pub(super) enum Node<'w> {
    Null,
    Text(&'w str),
    Integer(i32),
    Float(f64),
    Boolean(bool),
    Blob(&'w [u8]),
    NdArray(&'w [u8]),
    /// A list, set or tuple: each item a `NodeProto`.
    List(&'w [u8]),
    /// A list of documents: each item a `DocProto`.
    Docs(&'w [u8]),
    /// A document or a dictionary.
    Object(&'w [u8]),
}

impl<'w> Fields<'w> {
    pub(super) const fn new(message: &'w [u8]) -> Self {
        Self(message)
    }

    pub(super) fn next(&mut self) -> Result<Option<(u32, Value<'w>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = wire::get_varint(&mut self.0)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(Malformed::FieldNumber(key >> 3))?;
        let value = match key & 7 {
            0 => Value::Varint(wire::get_varint(&mut self.0)?),
            1 => {
                let (bytes, rest) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
                self.0 = rest;
                Value::Double(f64::from_le_bytes(*bytes))
            }
            2 => {
                let len = wire::get_varint(&mut self.0)?;
                let at = usize::try_from(len).map_err(|_| Malformed::Truncated)?;
                let (bytes, rest) = self.0.split_at_checked(at).ok_or(Malformed::Truncated)?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => {
                let (_, rest) = self.0.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
                self.0 = rest;
                Value::Fixed32
            }
            wire_type => return Err(Malformed::WireType { field: number, wire_type: wire_type as u8 }),
        };
        Ok(Some((number, value)))
    }
}

impl<'w> Value<'w> {
    pub(super) const fn bytes(self, field: u32) -> Result<&'w [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Double(_) | Self::Fixed32 => Err(Malformed::Mismatch { field }),
        }
    }

    pub(super) fn text(self, field: u32) -> Result<&'w str, Malformed> {
        std::str::from_utf8(self.bytes(field)?).map_err(|_| Malformed::Utf8 { field })
    }

    pub(super) const fn varint(self, field: u32) -> Result<u64, Malformed> {
        match self {
            Self::Varint(value) => Ok(value),
            Self::Bytes(_) | Self::Double(_) | Self::Fixed32 => Err(Malformed::Mismatch { field }),
        }
    }

    pub(super) const fn double(self, field: u32) -> Result<f64, Malformed> {
        match self {
            Self::Double(value) => Ok(value),
            Self::Bytes(_) | Self::Varint(_) | Self::Fixed32 => Err(Malformed::Mismatch { field }),
        }
    }
}

impl<'w> Node<'w> {
    /// Looks at an encoded `NodeProto`.
    pub(super) fn read(wire: &'w [u8]) -> Result<Self, Malformed> {
        use crate::node::field;
        let mut node = Self::Null;
        let mut fields = Fields::new(wire);
        while let Some((number, value)) = fields.next()? {
            node = match number {
                field::TEXT => Self::Text(value.text(number)?),
                // An `int32` travels as its 64-bit extension, so the low half is the value.
                field::INTEGER => Self::Integer((value.varint(number)? as u32).cast_signed()),
                field::FLOAT => Self::Float(value.double(number)?),
                field::BOOLEAN => Self::Boolean(value.varint(number)? != 0),
                field::BLOB => Self::Blob(value.bytes(number)?),
                field::NDARRAY => Self::NdArray(value.bytes(number)?),
                field::DOC | field::DICT => Self::Object(value.bytes(number)?),
                field::DOC_ARRAY => Self::Docs(value.bytes(number)?),
                field::LIST | field::SET | field::TUPLE => Self::List(value.bytes(number)?),
                _ => node,
            };
        }
        Ok(node)
    }
}

/// Reads an entry of a map: its key and its encoded value.
pub(super) fn entry(wire: &[u8]) -> Result<(&str, &[u8]), Malformed> {
    let (mut key, mut node) = ("", &[][..]);
    let mut fields = Fields::new(wire);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => key = value.text(number)?,
            2 => node = value.bytes(number)?,
            _ => {}
        }
    }
    Ok((key, node))
}
