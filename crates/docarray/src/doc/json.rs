//! Fields of no fixed type: JSON.

use call::wire;
use serde_json::{Map, Number, Value, json};

use super::field::null;
use super::{Definitions, Depth, DocError, Field, Form, Reason};
use crate::NdArray;
use crate::node::{self, Node, field};

/// Anything. Tensors become arrays of numbers, blobs the text they hold.
impl Field for Value {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        Ok(match node {
            Node::Null => Self::Null,
            Node::Text(text) => Self::String(text.to_string()),
            Node::Integer(number) => number.into(),
            // JSON has no NaN and no infinities.
            Node::Float(number) => Number::from_f64(number).map_or(Self::Null, Self::Number),
            Node::Boolean(boolean) => boolean.into(),
            Node::Blob(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => text.into(),
                Err(_) => return Err(DocError::new(Reason::Content { expected: "text", found: "blob" })),
            },
            Node::NdArray(wire) => NdArray::read(wire)?.to_json(),
            Node::Doc(_) | Node::Dict(_) => Self::Object(Map::read_node(node, depth)?),
            Node::DocArray(_) | Node::List(_) | Node::Set(_) | Node::Tuple(_) => {
                Self::Array(Vec::read_node(node, depth)?)
            }
        })
    }

    fn write_node(&self, to: &mut Vec<u8>, form: Form) {
        match self {
            Self::Null => {}
            Self::Bool(boolean) => boolean.write_node(to, form),
            Self::Number(number) => match number.as_i64() {
                Some(integer) => integer.write_node(to, form),
                None => number.as_f64().unwrap_or(f64::NAN).write_node(to, form),
            },
            Self::String(text) => text.write_node(to, form),
            Self::Array(items) => items.write_node(to, form),
            Self::Object(map) => map.write_node(to, form),
        }
    }

    fn schema_in(_: &mut Definitions) -> Self {
        json!({})
    }

    fn absent() -> Option<Self> {
        Some(Self::Null)
    }

    fn as_default(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Field for Map<String, Value> {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        let fields = match node {
            Node::Dict(fields) | Node::Doc(fields) => fields,
            Node::Null => return null("dict"),
            other => return Err(DocError::expected("dict", &other)),
        };
        let depth = depth.deeper()?;
        let mut map = Self::new();
        for field in node::fields(fields) {
            let (name, wire) = field?;
            let value =
                Node::read(wire).map_err(DocError::from).and_then(|(node, _)| Value::read_node(node, depth));
            map.insert(name.to_string(), value.map_err(|error| error.in_field(&name))?);
        }
        Ok(map)
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        wire::put_message(to, field::DICT, |to| {
            for (name, value) in self {
                node::put_field(to, name, |to| value.write_node(to, Form::Generic));
            }
        });
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"type": "object"})
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn as_default(&self) -> Option<Value> {
        Some(Value::Object(self.clone()))
    }
}
