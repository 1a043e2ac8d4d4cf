//! Encoded values become JSON.
//!
//! Values are written by what they are; the schema gives documents their fields, in its order, and numbers their
//! kind. Whoever answers is believed: a value of another type than the schema says is written as it came.

mod tensor;

use smallvec::{SmallVec, smallvec};

use super::blob;
use super::shape::{Class, Shape, Shapes, Slot};
use super::slices::{self, Fields, Node};
use crate::doc::{DocError, Reason};

/// Values inside values, at most.
const MAX_DEPTH: usize = 100;

/// Writes documents of one schema.
#[derive(Clone, Copy)]
pub(super) struct Printer<'s> {
    shapes: &'s Shapes,
}

impl<'s> Printer<'s> {
    pub(super) const fn new(shapes: &'s Shapes) -> Self {
        Self { shapes }
    }

    /// Writes a `DocProto`.
    pub(super) fn root(self, doc: &[u8], to: &mut Vec<u8>) -> Result<(), DocError> {
        self.document(self.shapes.root(), doc, to, 0)
    }

    /// Writes a `DocListProto` as an array.
    pub(super) fn documents(self, docs: &[u8], to: &mut Vec<u8>) -> Result<(), DocError> {
        array(docs, to, |_, doc, to| self.document(self.shapes.root(), doc, to, 0))
    }

    fn document(self, class: &Class, doc: &[u8], to: &mut Vec<u8>, depth: usize) -> Result<(), DocError> {
        let depth = deeper(depth)?;
        let mut found: SmallVec<[Option<&[u8]>; 16]> = smallvec![None; class.fields.len()];
        let mut next = 0;
        entries(doc, |name, value| {
            if let Some(index) = class.find(name, next) {
                next = index + 1;
                found[index] = Some(value);
            }
            Ok(())
        })?;
        to.push(b'{');
        let start = to.len();
        for ((name, field), value) in class.fields.iter().zip(found) {
            if value.is_none() && field.absent.is_empty() {
                continue;
            }
            if to.len() > start {
                to.push(b',');
            }
            to.extend_from_slice(&field.key);
            match value {
                Some(value) => {
                    let printed = self.value(field.slot.shape, value, to, depth);
                    printed.map_err(|error| error.in_field(name))?;
                }
                None => to.extend_from_slice(&field.absent),
            }
        }
        if let Some(Slot { shape, .. }) = class.open {
            entries(doc, |name, value| {
                if class.fields.contains_key(name) {
                    return Ok(());
                }
                put_key(name, start, to);
                self.value(shape, value, to, depth).map_err(|error| error.in_field(name))
            })?;
        }
        to.push(b'}');
        Ok(())
    }

    fn value(self, shape: usize, wire: &[u8], to: &mut Vec<u8>, depth: usize) -> Result<(), DocError> {
        match (Node::read(wire)?, self.shapes.get(shape)) {
            (Node::Null, _) => to.extend_from_slice(b"null"),
            // An integer that travels as digits because no number holds it.
            (Node::Text(text), Shape::Integer(_)) if is_number(text) => to.extend_from_slice(text.as_bytes()),
            (Node::Text(text), _) => put_text(text, to),
            (Node::Integer(integer), Shape::Number(_)) => put_float(integer.into(), to),
            (Node::Integer(integer), _) => put_integer(integer.into(), to),
            (Node::Float(float), Shape::Integer(_)) => put_whole(float, to),
            (Node::Float(float), _) => put_float(float, to),
            (Node::Boolean(boolean), _) => put_boolean(boolean, to),
            (Node::Blob(bytes), _) => put_text(&blob::text(bytes), to),
            (Node::NdArray(wire), _) => tensor::put(wire, to)?,
            (Node::List(items), shape) => {
                let depth = deeper(depth)?;
                array(items, to, |n, item, to| self.value(item_shape(shape, n), item, to, depth))?;
            }
            (Node::Docs(docs), shape) => {
                let depth = deeper(depth)?;
                array(docs, to, |n, doc, to| self.object(item_shape(shape, n), doc, to, depth))?;
            }
            (Node::Object(fields), _) => self.object(shape, fields, to, depth)?,
        }
        Ok(())
    }

    /// Writes a document or a dictionary; their encodings are the same, the schema tells which it is.
    fn object(self, shape: usize, fields: &[u8], to: &mut Vec<u8>, depth: usize) -> Result<(), DocError> {
        let values = match self.shapes.get(shape) {
            Shape::Class(class) => return self.document(&self.shapes.classes[*class], fields, to, depth),
            Shape::Union(options) => match self.class_of(options, fields)? {
                Some(class) => return self.document(class, fields, to, depth),
                None => Slot::ANY,
            },
            Shape::Dict(values) => *values,
            _ => Slot::ANY,
        };
        let depth = deeper(depth)?;
        to.push(b'{');
        let start = to.len();
        // Should a key come twice, readers of JSON take the last one as well.
        entries(fields, |name, value| {
            put_key(name, start, to);
            self.value(values.shape, value, to, depth).map_err(|error| error.in_field(name))
        })?;
        to.push(b'}');
        Ok(())
    }

    /// The first of several classes that has all the fields that came and misses none that it must have.
    fn class_of(self, options: &[usize], fields: &[u8]) -> Result<Option<&'s Class>, DocError> {
        for option in options {
            let Shape::Class(class) = self.shapes.get(*option) else { continue };
            let class = &self.shapes.classes[*class];
            let (mut is_known, mut n_required, mut next) = (true, 0, 0);
            entries(fields, |name, _| {
                match class.find(name, next) {
                    Some(index) => {
                        next = index + 1;
                        n_required += usize::from(class.fields[index].required);
                    }
                    None => is_known &= class.open.is_some(),
                }
                Ok(())
            })?;
            if is_known && n_required >= class.n_required {
                return Ok(Some(class));
            }
        }
        Ok(None)
    }
}

/// Writes the default of a field as the schema has it: there, all numbers are doubles.
pub(super) fn default(shapes: &Shapes, shape: usize, value: &serde_json::Value, to: &mut Vec<u8>) {
    use serde_json::Value;
    match (value, shapes.get(shape)) {
        (Value::Null, _) => to.extend_from_slice(b"null"),
        (Value::Bool(boolean), _) => put_boolean(*boolean, to),
        (Value::Number(number), Shape::Integer(_)) => match number.as_i64() {
            Some(integer) => put_integer(integer, to),
            None => put_whole(number.as_f64().unwrap_or(f64::NAN), to),
        },
        (Value::Number(number), Shape::Number(_)) => put_float(number.as_f64().unwrap_or(f64::NAN), to),
        (Value::Number(number), Shape::Union(options)) => {
            let whole = options.iter().find(|option| matches!(shapes.get(**option), Shape::Integer(_)));
            match whole {
                Some(integer) => default(shapes, *integer, value, to),
                None => put_float(number.as_f64().unwrap_or(f64::NAN), to),
            }
        }
        (Value::Number(number), _) => to.extend_from_slice(number.to_string().as_bytes()),
        (Value::String(text), _) => put_text(text, to),
        (Value::Array(items), shape) => {
            to.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    to.push(b',');
                }
                default(shapes, item_shape(shape, n), item, to);
            }
            to.push(b']');
        }
        (Value::Object(map), shape) => {
            to.push(b'{');
            let start = to.len();
            for (name, value) in map {
                let shape = match shape {
                    Shape::Dict(values) => values.shape,
                    Shape::Class(class) => {
                        let field = shapes.classes[*class].fields.get(&**name);
                        field.map_or(Slot::ANY.shape, |field| field.slot.shape)
                    }
                    _ => Slot::ANY.shape,
                };
                put_key(name, start, to);
                default(shapes, shape, value, to);
            }
            to.push(b'}');
        }
    }
}

/// The shape of an item of a list.
fn item_shape(list: &Shape, n: usize) -> usize {
    match list {
        Shape::List { items, .. } => items.shape,
        Shape::Tuple { items, rest, .. } => items.get(n).copied().or(*rest).unwrap_or(Slot::ANY).shape,
        _ => Slot::ANY.shape,
    }
}

const fn deeper(depth: usize) -> Result<usize, DocError> {
    if depth == MAX_DEPTH {
        return Err(DocError::new(Reason::TooDeep { limit: MAX_DEPTH }));
    }
    Ok(depth + 1)
}

/// Walks the entries of a map in field 1 of a message.
fn entries<'w>(
    wire: &'w [u8],
    mut each: impl FnMut(&'w str, &'w [u8]) -> Result<(), DocError>,
) -> Result<(), DocError> {
    let mut fields = Fields::new(wire);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            let (name, value) = slices::entry(value.bytes(number)?)?;
            each(name, value)?;
        }
    }
    Ok(())
}

/// Writes the messages in field 1 of a message as an array.
fn array(
    wire: &[u8],
    to: &mut Vec<u8>,
    mut each: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Result<(), DocError>,
) -> Result<(), DocError> {
    to.push(b'[');
    let mut n = 0;
    let mut fields = Fields::new(wire);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            if n > 0 {
                to.push(b',');
            }
            each(n, value.bytes(number)?, to).map_err(|error| error.in_item(n))?;
            n += 1;
        }
    }
    to.push(b']');
    Ok(())
}

/// Writes a key of the object that began at `start`.
fn put_key(name: &str, start: usize, to: &mut Vec<u8>) {
    if to.len() > start {
        to.push(b',');
    }
    put_text(name, to);
    to.push(b':');
}

/// A name as the key of an object.
pub(super) fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    put_text(name, &mut key);
    key.push(b':');
    key
}

/// Writes a text in quotes.
pub(crate) fn put_text(text: &str, to: &mut Vec<u8>) {
    // Without a branch for each byte, this is a few instructions for many of them.
    let is_plain = |part: &[u8]| !part.iter().fold(false, |found, byte| found | must_be_escaped(*byte));
    if text.as_bytes().chunks(256).all(is_plain) {
        to.push(b'"');
        to.extend_from_slice(text.as_bytes());
        to.push(b'"');
        return;
    }
    serde_json::to_writer(to, text).expect("a text can be written to memory");
}

const fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

pub(super) fn put_boolean(boolean: bool, to: &mut Vec<u8>) {
    to.extend_from_slice(if boolean { b"true" } else { b"false" });
}

pub(super) fn put_integer(integer: i64, to: &mut Vec<u8>) {
    to.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
}

/// Writes the shortest digits that stand for the number; JSON has no NaN and no infinities.
pub(super) fn put_float(float: f64, to: &mut Vec<u8>) {
    if float.is_finite() {
        to.extend_from_slice(zmij::Buffer::new().format_finite(float).as_bytes());
    } else {
        to.extend_from_slice(b"null");
    }
}

/// Writes a double that stands for an integer.
fn put_whole(float: f64, to: &mut Vec<u8>) {
    if float.fract() == 0.0 && float.abs() < 9e15 {
        put_integer(float as i64, to);
    } else {
        put_float(float, to);
    }
}

/// Whether a text is a whole number in JSON.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits == "0" || !digits.starts_with('0');
    is_plain && !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}
