//! The values of a document in their encoded form.
//!
//! A document (`DocProto`) and a dictionary (`DictOfAnyProto`) have the same encoding: [`fields`] walks
//! either, [`items`] walks a list, [`Node::read`] looks at one value without going into it.

use bytes::Bytes;
use bytestring::ByteString;
use call::Payload;
use call::wire::{self, Malformed, Reader};

use crate::NdArray;

/// Field numbers of `NodeProto`.
pub mod field {
    #![expect(missing_docs, reason = "the names are those of proto/docarray.proto")]
    pub const TEXT: u32 = 1;
    pub const INTEGER: u32 = 2;
    pub const FLOAT: u32 = 3;
    pub const BOOLEAN: u32 = 4;
    pub const BLOB: u32 = 5;
    pub const NDARRAY: u32 = 6;
    pub const DOC: u32 = 7;
    pub const DOC_ARRAY: u32 = 8;
    pub const LIST: u32 = 9;
    pub const SET: u32 = 10;
    pub const TUPLE: u32 = 11;
    pub const DICT: u32 = 12;
    pub const TYPE: u32 = 13;
}

/// One value of a document; what nests stays encoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// No content.
    Null,
    /// `text`
    Text(ByteString),
    /// `integer`
    Integer(i32),
    /// `float`, a double
    Float(f64),
    /// `boolean`
    Boolean(bool),
    /// `blob`
    Blob(Bytes),
    /// `ndarray`: an encoded `NdArrayProto`.
    NdArray(Payload),
    /// `doc`: an encoded `DocProto`, see [`fields`].
    Doc(Payload),
    /// `doc_array`: an encoded `DocListProto`, see [`items`].
    DocArray(Payload),
    /// `list`: an encoded `ListOfAnyProto`, see [`items`].
    List(Payload),
    /// `set`: an encoded `ListOfAnyProto`, see [`items`].
    Set(Payload),
    /// `tuple`: an encoded `ListOfAnyProto`, see [`items`].
    Tuple(Payload),
    /// `dict`: an encoded `DictOfAnyProto`, see [`fields`].
    Dict(Payload),
}

impl Node {
    /// Looks at an encoded `NodeProto`: its content and its `type`, if it has one.
    ///
    /// # Errors
    ///
    /// If the bytes are no such message.
    pub fn read(wire: Payload) -> Result<(Self, Option<ByteString>), Malformed> {
        let (mut node, mut kind) = (Self::Null, None);
        let mut reader = Reader::new(wire);
        while let Some(field) = reader.next()? {
            node = match field.number {
                field::TEXT => Self::Text(field.text()?),
                // An `int32` travels as its 64-bit extension, so the low half is the value.
                field::INTEGER => Self::Integer((field.varint()? as u32).cast_signed()),
                field::FLOAT => Self::Float(field.double()?),
                field::BOOLEAN => Self::Boolean(field.varint()? != 0),
                field::BLOB => Self::Blob(field.bytes()?.into_bytes()),
                field::NDARRAY => Self::NdArray(field.bytes()?),
                field::DOC => Self::Doc(field.bytes()?),
                field::DOC_ARRAY => Self::DocArray(field.bytes()?),
                field::LIST => Self::List(field.bytes()?),
                field::SET => Self::Set(field.bytes()?),
                field::TUPLE => Self::Tuple(field.bytes()?),
                field::DICT => Self::Dict(field.bytes()?),
                field::TYPE => {
                    kind = Some(field.text()?);
                    node
                }
                _ => node,
            };
        }
        Ok((node, kind))
    }

    /// Writes the content of a `NodeProto`.
    pub fn write(&self, kind: Option<&str>, to: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Text(text) => wire::put_bytes(to, field::TEXT, text.as_bytes()),
            Self::Integer(value) => {
                wire::put_key(to, field::INTEGER, 0);
                wire::put_varint(to, i64::from(*value).cast_unsigned());
            }
            Self::Float(value) => {
                wire::put_key(to, field::FLOAT, 1);
                to.extend_from_slice(&value.to_le_bytes());
            }
            Self::Boolean(value) => {
                wire::put_key(to, field::BOOLEAN, 0);
                to.push(u8::from(*value));
            }
            Self::Blob(bytes) => wire::put_bytes(to, field::BLOB, bytes),
            Self::NdArray(inner) => put_payload(to, field::NDARRAY, inner),
            Self::Doc(inner) => put_payload(to, field::DOC, inner),
            Self::DocArray(inner) => put_payload(to, field::DOC_ARRAY, inner),
            Self::List(inner) => put_payload(to, field::LIST, inner),
            Self::Set(inner) => put_payload(to, field::SET, inner),
            Self::Tuple(inner) => put_payload(to, field::TUPLE, inner),
            Self::Dict(inner) => put_payload(to, field::DICT, inner),
        }
        if let Some(kind) = kind {
            wire::put_bytes(to, field::TYPE, kind.as_bytes());
        }
    }
}

/// Walks the fields of a `DocProto` or a `DictOfAnyProto`: each name with its encoded `NodeProto`.
///
/// A name may occur twice; the last one counts.
pub fn fields(wire: Payload) -> impl Iterator<Item = Result<(ByteString, Payload), Malformed>> {
    messages(wire, 1).map(|entry| {
        let (mut name, mut node) = (ByteString::new(), Payload::new());
        let mut reader = Reader::new(entry?);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => name = field.text()?,
                2 => node = field.bytes()?,
                _ => {}
            }
        }
        Ok((name, node))
    })
}

/// Walks a `DocListProto` (each item a `DocProto`) or a `ListOfAnyProto` (each item a `NodeProto`).
pub fn items(wire: Payload) -> impl Iterator<Item = Result<Payload, Malformed>> {
    messages(wire, 1)
}

/// The `DocListProto` inside a request's `DataContentProto`, whichever of its two forms it has.
///
/// # Errors
///
/// If the bytes are no such message.
pub fn doc_list(content: Payload) -> Result<Payload, Malformed> {
    let mut docs = Payload::new();
    let mut last = 0;
    let mut reader = Reader::new(content);
    while let Some(field) = reader.next()? {
        match field.number {
            // The same message field twice means both, one after the other.
            1 if last == 1 => docs.append(field.bytes()?),
            1 | 2 => {
                last = field.number;
                docs = field.bytes()?;
            }
            _ => {}
        }
    }
    Ok(docs)
}

/// Wraps an encoded `DocListProto` into a `DataContentProto`.
#[must_use]
pub fn content(docs: Payload) -> Payload {
    let mut head = Vec::with_capacity(11);
    wire::put_len(&mut head, 1, docs.len());
    let mut content = Payload::from(head);
    content.append(docs);
    content
}

/// Writes one field of a `DocProto` or a `DictOfAnyProto`; `write` fills its `NodeProto`.
pub fn put_field(to: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    wire::put_message(to, 1, |to| {
        wire::put_bytes(to, 1, name.as_bytes());
        wire::put_message(to, 2, write);
    });
}

/// Adds one encoded item to a `DocListProto` or a `ListOfAnyProto` without copying it.
pub fn append_item(list: &mut Payload, item: Payload) {
    let mut head = Vec::with_capacity(6);
    wire::put_len(&mut head, 1, item.len());
    list.push(head.into());
    list.append(item);
}

/// Writes one item of a `DocListProto` or a `ListOfAnyProto`; `write` fills it.
pub fn put_item(to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    wire::put_message(to, 1, write);
}

/// Writes a tensor as the content of a `NodeProto`, with the `type` that Python receivers need.
pub fn put_ndarray(to: &mut Vec<u8>, array: &NdArray, kind: &str) {
    wire::put_message(to, field::NDARRAY, |to| array.write(to));
    wire::put_bytes(to, field::TYPE, kind.as_bytes());
}

/// The messages in the repeated field `number`, everything else passed by.
fn messages(wire: Payload, number: u32) -> impl Iterator<Item = Result<Payload, Malformed>> {
    let mut reader = Reader::new(wire);
    std::iter::from_fn(move || {
        loop {
            match reader.next() {
                Ok(Some(field)) if field.number == number => return Some(field.bytes()),
                Ok(Some(_other)) => {}
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

fn put_payload(to: &mut Vec<u8>, number: u32, inner: &Payload) {
    wire::put_len(to, number, inner.len());
    for piece in inner.pieces() {
        to.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests;
