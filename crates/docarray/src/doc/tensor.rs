//! Tensors as fields.

use serde_json::{Value, json};

use super::{Definitions, Depth, DocError, Field, Form, Reason};
use crate::NdArray;
use crate::node::{self, Node};

const EXPECTED: &str = "ndarray";

/// A tensor; also read from nested lists of numbers, or from a text that holds them as JSON.
impl Field for NdArray {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        match node {
            Node::NdArray(wire) => Ok(Self::read(wire)?),
            Node::List(_) | Node::Tuple(_) => {
                let list = Value::read_node(node, depth)?;
                Self::from_json(&list).ok_or_else(|| none("list"))
            }
            Node::Text(text) => {
                let list = serde_json::from_str(&text);
                list.ok().and_then(|list| Self::from_json(&list)).ok_or_else(|| {
                    // A text that is no list at all is more likely a mix-up than a damaged list.
                    if text.trim_start().starts_with('[') {
                        none("text")
                    } else {
                        DocError::expected(EXPECTED, &Node::Text(text.clone()))
                    }
                })
            }
            other => Err(DocError::expected(EXPECTED, &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        node::put_ndarray(to, self, EXPECTED);
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({"items": {"type": "number"}, "tensor/array shape": "not specified", "type": "array"})
    }
}

const fn none(found: &'static str) -> DocError {
    DocError::new(Reason::Content { expected: EXPECTED, found })
}
