//! The types that a field of a document can have.

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::{Value, json};

use super::{Definitions, Depth, Doc, DocError, Form, Reason};
use crate::Node;
use crate::node::field;

/// A value in a field of a document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a document",
    note = "fields hold text, numbers, `bytes::Bytes`, `NdArray`, documents, JSON, and lists, maps and options of these"
)]
pub trait Field: Sized {
    /// Reads a value. What other senders make of the same value is understood, too.
    ///
    /// # Errors
    ///
    /// If it is of another type.
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError>;

    /// Writes the content of a `NodeProto`.
    fn write_node(&self, to: &mut Vec<u8>, form: Form);

    /// The JSON schema; documents inside are referred to.
    fn schema_in(definitions: &mut Definitions) -> Value;

    /// The value of a field that did not come, or came as null; `None` if the field is required.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// The value as a schema's `default`; `None` leaves it out.
    #[must_use]
    fn as_default(&self) -> Option<Value> {
        None
    }
}

/// Reads null as the value of a field that did not come.
pub(super) fn null<T: Field>(expected: &'static str) -> Result<T, DocError> {
    T::absent().ok_or_else(|| DocError::expected(expected, &Node::Null))
}

impl<T: Doc> Field for T {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        match node {
            Node::Doc(fields) | Node::Dict(fields) => Self::read_fields(fields, depth),
            other => Err(DocError::expected("doc", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, form: Form) {
        let field = match form {
            Form::Document => field::DOC,
            Form::Generic => field::DICT,
        };
        call::wire::put_message(to, field, |to| self.write_fields(to, form));
    }

    fn schema_in(definitions: &mut Definitions) -> Value {
        definitions.reference::<Self>()
    }
}

impl Field for String {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        ByteString::read_node(node, depth).map(Self::from)
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        call::wire::put_bytes(to, field::TEXT, self.as_bytes());
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"type": "string"})
    }

    fn as_default(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

impl Field for ByteString {
    fn read_node(node: Node, _: Depth) -> Result<Self, DocError> {
        match node {
            Node::Text(text) => Ok(text),
            other => Err(DocError::expected("text", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        call::wire::put_bytes(to, field::TEXT, self.as_bytes());
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"type": "string"})
    }

    fn as_default(&self) -> Option<Value> {
        Some((**self).into())
    }
}

impl Field for Bytes {
    fn read_node(node: Node, _: Depth) -> Result<Self, DocError> {
        match node {
            Node::Blob(bytes) => Ok(bytes),
            Node::Text(text) => Ok(text.into_bytes()),
            other => Err(DocError::expected("blob", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        call::wire::put_bytes(to, field::BLOB, self);
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"format": "binary", "type": "string"})
    }

    fn as_default(&self) -> Option<Value> {
        std::str::from_utf8(self).ok().map(Value::from)
    }
}

impl Field for bool {
    fn read_node(node: Node, _: Depth) -> Result<Self, DocError> {
        match node {
            Node::Boolean(boolean) => Ok(boolean),
            Node::Integer(0) => Ok(false),
            Node::Integer(1) => Ok(true),
            other => Err(DocError::expected("boolean", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        Node::Boolean(*self).write(None, to);
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"type": "boolean"})
    }

    fn as_default(&self) -> Option<Value> {
        Some((*self).into())
    }
}

/// An integer as it travels: 32 bits as such, more as a float, which holds 53.
fn put_integer(number: i128, to: &mut Vec<u8>) {
    match i32::try_from(number) {
        Ok(small) => Node::Integer(small).write(None, to),
        Err(_) => Node::Float(number as f64).write(None, to),
    }
}

/// A whole number in any of the forms that senders give it.
fn read_integer(node: Node) -> Result<i128, DocError> {
    match node {
        Node::Integer(number) => Ok(number.into()),
        Node::Float(number) if number.fract() == 0.0 => Ok(number as i128),
        Node::Text(text) => {
            let number = text.trim().parse();
            number.map_err(|_| DocError::new(Reason::Content { expected: "integer", found: "text" }))
        }
        other => Err(DocError::expected("integer", &other)),
    }
}

// Bytes are left out on purpose: a `Vec<u8>` would travel as a list of numbers. `bytes::Bytes` is a blob.
macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl Field for $integer {
            fn read_node(node: Node, _: Depth) -> Result<Self, DocError> {
                let number = read_integer(node)?;
                Self::try_from(number).map_err(|_| {
                    DocError::new(Reason::Range { expected: stringify!($integer), number: number.to_string() })
                })
            }

            fn write_node(&self, to: &mut Vec<u8>, _: Form) {
                put_integer(i128::try_from(*self).unwrap_or(i128::MAX), to);
            }

            fn schema_in(_: &mut Definitions) -> Value {
                json!({"type": "integer"})
            }

            fn as_default(&self) -> Option<Value> {
                Some((*self).into())
            }
        }
    )*};
}

integers!(i16 u16 i32 u32 i64 u64 isize usize);

impl Field for f64 {
    fn read_node(node: Node, _: Depth) -> Result<Self, DocError> {
        match node {
            Node::Float(number) => Ok(number),
            Node::Integer(number) => Ok(number.into()),
            Node::Text(text) => {
                let number = text.trim().parse();
                number.map_err(|_| DocError::new(Reason::Content { expected: "float", found: "text" }))
            }
            other => Err(DocError::expected("float", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        Node::Float(*self).write(None, to);
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"type": "number"})
    }

    fn as_default(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Field for f32 {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        f64::read_node(node, depth).map(|number| number as Self)
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        Node::Float((*self).into()).write(None, to);
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"type": "number"})
    }

    fn as_default(&self) -> Option<Value> {
        Some((*self).into())
    }
}
