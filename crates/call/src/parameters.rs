//! The parameters of a request: a JSON object in its Protocol Buffers form, decoded only when looked into.

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::{Map, Number, Value};

use crate::Payload;
use crate::wire::{self, Malformed, Reader};

/// The reserved key under which executors return objects.
pub const RESULTS_KEY: &str = "__results__";

/// As deep as the Protocol Buffers libraries of other languages go.
const MAX_DEPTH: usize = 100;

/// An encoded `google.protobuf.Struct`.
///
/// Most requests pass through without anybody looking at their parameters, so this holds the bytes.
/// [`Parameters::entries`] walks the top level without decoding the values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    wire: Bytes,
}

/// One key of the top level with its encoded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: ByteString,
    /// The encoded `google.protobuf.Value`.
    pub value: Bytes,
}

impl Parameters {
    /// Takes an encoded `Struct`, unchecked.
    #[must_use]
    pub const fn from_wire(wire: Bytes) -> Self {
        Self { wire }
    }

    /// The encoded `Struct`.
    #[must_use]
    pub const fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// Whether there is no key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// The keys of the top level in the order of the wire. A key may occur twice; the last one counts.
    ///
    /// # Errors
    ///
    /// Each step fails if the bytes are malformed there.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, Malformed>> {
        let mut reader = Reader::new(self.wire.clone());
        std::iter::from_fn(move || {
            loop {
                match reader.next() {
                    Ok(Some(field)) if field.number == 1 => return Some(field.bytes().and_then(read_entry)),
                    Ok(Some(_unknown)) => {}
                    Ok(None) => return None,
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    /// Decodes the value of one key.
    ///
    /// # Errors
    ///
    /// If the bytes are malformed.
    pub fn get(&self, key: &str) -> Result<Option<Value>, Malformed> {
        let mut found = None;
        for entry in self.entries() {
            let entry = entry?;
            if entry.key == key {
                found = Some(entry);
            }
        }
        found.map(|entry| entry.decode()).transpose()
    }

    /// Decodes everything. All numbers are doubles.
    ///
    /// # Errors
    ///
    /// If the bytes are malformed or nested too deeply.
    pub fn to_map(&self) -> Result<Map<String, Value>, Malformed> {
        read_struct(self.wire.clone().into(), MAX_DEPTH)
    }

    /// Encodes an object.
    #[must_use]
    pub fn from_map(map: &Map<String, Value>) -> Self {
        let mut wire = Vec::new();
        write_struct(&mut wire, map);
        Self { wire: wire.into() }
    }

    /// Encodes entries, in this order.
    #[must_use]
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut wire = Vec::new();
        for entry in entries {
            wire::put_message(&mut wire, 1, |wire| {
                wire::put_bytes(wire, 1, entry.key.as_bytes());
                wire::put_bytes(wire, 2, &entry.value);
            });
        }
        Self { wire: wire.into() }
    }
}

impl Entry {
    /// Encodes a key and its value.
    #[must_use]
    pub fn new(key: impl Into<ByteString>, value: &Value) -> Self {
        let mut wire = Vec::new();
        write_value(&mut wire, value);
        Self { key: key.into(), value: wire.into() }
    }

    /// A key whose value is an object that is encoded already.
    #[must_use]
    pub fn from_object(key: impl Into<ByteString>, object: &Parameters) -> Self {
        let mut wire = Vec::with_capacity(wire::bytes_len(field::STRUCT, object.wire.len()));
        wire::put_bytes(&mut wire, field::STRUCT, &object.wire);
        Self { key: key.into(), value: wire.into() }
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// If the bytes are malformed or nested too deeply.
    pub fn decode(&self) -> Result<Value, Malformed> {
        read_value(self.value.clone().into(), MAX_DEPTH)
    }

    /// Whether the value is an object, without decoding it.
    ///
    /// # Errors
    ///
    /// If the bytes are malformed.
    pub fn is_object(&self) -> Result<bool, Malformed> {
        let mut kind = 0;
        let mut reader = Reader::new(self.value.clone());
        while let Some(field) = reader.next()? {
            kind = field.number;
        }
        Ok(kind == field::STRUCT)
    }

    /// The value as parameters of its own, if it is an object.
    ///
    /// # Errors
    ///
    /// If the bytes are malformed.
    pub fn object(&self) -> Result<Option<Parameters>, Malformed> {
        let mut object = None;
        let mut reader = Reader::new(self.value.clone());
        while let Some(field) = reader.next()? {
            object = if field.number == field::STRUCT { Some(field.bytes()?) } else { None };
        }
        Ok(object.map(|object| Parameters::from_wire(object.into_bytes())))
    }
}

/// Field numbers of `google.protobuf.Value`.
mod field {
    pub(super) const NULL: u32 = 1;
    pub(super) const NUMBER: u32 = 2;
    pub(super) const STRING: u32 = 3;
    pub(super) const BOOL: u32 = 4;
    pub(super) const STRUCT: u32 = 5;
    pub(super) const LIST: u32 = 6;
}

fn read_entry(entry: Payload) -> Result<Entry, Malformed> {
    let mut reader = Reader::new(entry);
    let (mut key, mut value) = (ByteString::new(), Bytes::new());
    while let Some(field) = reader.next()? {
        match field.number {
            1 => key = field.text()?,
            2 => value = field.bytes()?.into_bytes(),
            _ => {}
        }
    }
    Ok(Entry { key, value })
}

fn read_struct(wire: Payload, depth: usize) -> Result<Map<String, Value>, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed::Depth(MAX_DEPTH))?;
    let mut map = Map::new();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        if field.number == 1 {
            let entry = read_entry(field.bytes()?)?;
            map.insert(entry.key.to_string(), read_value(entry.value.into(), depth)?);
        }
    }
    Ok(map)
}

fn read_value(wire: Payload, depth: usize) -> Result<Value, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed::Depth(MAX_DEPTH))?;
    let mut value = Value::Null;
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        value = match field.number {
            field::NULL => Value::Null,
            // JSON has no NaN and no infinities.
            field::NUMBER => Number::from_f64(field.double()?).map_or(Value::Null, Value::Number),
            field::STRING => Value::String(field.text()?.to_string()),
            field::BOOL => Value::Bool(field.varint()? != 0),
            field::STRUCT => Value::Object(read_struct(field.bytes()?, depth)?),
            field::LIST => {
                let mut list = Vec::new();
                let mut items = Reader::new(field.bytes()?);
                while let Some(item) = items.next()? {
                    if item.number == 1 {
                        list.push(read_value(item.bytes()?, depth)?);
                    }
                }
                Value::Array(list)
            }
            _ => value,
        };
    }
    Ok(value)
}

fn write_struct(to: &mut Vec<u8>, map: &Map<String, Value>) {
    for (key, value) in map {
        wire::put_message(to, 1, |to| {
            wire::put_bytes(to, 1, key.as_bytes());
            wire::put_message(to, 2, |to| write_value(to, value));
        });
    }
}

fn write_value(to: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => {
            wire::put_key(to, field::NULL, 0);
            to.push(0);
        }
        Value::Bool(value) => {
            wire::put_key(to, field::BOOL, 0);
            to.push(u8::from(*value));
        }
        Value::Number(number) => {
            wire::put_key(to, field::NUMBER, 1);
            // Integers beyond 2^53 lose digits here: a `Struct` knows only doubles.
            to.extend_from_slice(&number.as_f64().unwrap_or(f64::NAN).to_le_bytes());
        }
        Value::String(text) => wire::put_bytes(to, field::STRING, text.as_bytes()),
        Value::Object(map) => wire::put_message(to, field::STRUCT, |to| write_struct(to, map)),
        Value::Array(list) => wire::put_message(to, field::LIST, |to| {
            for item in list {
                wire::put_message(to, 1, |to| write_value(to, item));
            }
        }),
    }
}

#[cfg(test)]
mod tests;
