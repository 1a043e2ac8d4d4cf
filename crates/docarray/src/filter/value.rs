//! Values of documents compared with values of queries.

use std::cmp::Ordering;

use call::wire::Malformed;
use serde_json::{Number, Value};

use crate::NdArray;
use crate::node::{self, Node};

/// As deep as a document is looked into for a comparison.
const MAX_DEPTH: usize = 64;

/// The node as JSON. Tensors compare equal to nothing.
pub(super) fn of(node: &Node) -> Result<Value, Malformed> {
    nested(node, MAX_DEPTH)
}

fn nested(node: &Node, depth: usize) -> Result<Value, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed::Depth(MAX_DEPTH))?;
    Ok(match node {
        Node::Null | Node::NdArray(_) => Value::Null,
        Node::Text(text) => Value::String(text.to_string()),
        Node::Integer(number) => Value::from(*number),
        Node::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Node::Boolean(boolean) => Value::Bool(*boolean),
        Node::Blob(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        Node::Doc(fields) | Node::Dict(fields) => {
            let mut object = serde_json::Map::new();
            for field in node::fields(fields.clone()) {
                let (name, wire) = field?;
                object.insert(name.to_string(), nested(&Node::read(wire)?.0, depth)?);
            }
            Value::Object(object)
        }
        Node::List(items) | Node::Set(items) | Node::Tuple(items) => {
            let item = |wire: Result<_, _>| nested(&Node::read(wire?)?.0, depth);
            Value::Array(node::items(items.clone()).map(item).collect::<Result<_, _>>()?)
        }
        Node::DocArray(docs) => {
            let doc = |doc: Result<_, _>| nested(&Node::Doc(doc?), depth);
            Value::Array(node::items(docs.clone()).map(doc).collect::<Result<_, _>>()?)
        }
    })
}

/// Numbers are equal by value, whatever their type; booleans count as numbers, as they do in Python.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        (Value::String(_), _) | (_, Value::String(_)) | (Value::Null, _) | (_, Value::Null) => left == right,
        _ => matches!((number(left), number(right)), (Some(left), Some(right)) if left == right),
    }
}

/// The order of two numbers or two texts; there is none between other values.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

/// How many characters, items or keys the node has.
pub(super) fn len(node: &Node) -> Result<Option<usize>, Malformed> {
    Ok(match node {
        Node::Text(text) => Some(text.chars().count()),
        Node::Blob(bytes) => Some(bytes.len()),
        Node::List(items) | Node::Set(items) | Node::Tuple(items) | Node::DocArray(items) => {
            let mut n = 0;
            for item in node::items(items.clone()) {
                item?;
                n += 1;
            }
            Some(n)
        }
        Node::Dict(fields) => {
            let mut names = std::collections::HashSet::new();
            for field in node::fields(fields.clone()) {
                names.insert(field?.0);
            }
            Some(names.len())
        }
        Node::NdArray(wire) => {
            NdArray::read(wire.clone()).ok().and_then(|array| array.shape.first().copied())
        }
        Node::Null | Node::Integer(_) | Node::Float(_) | Node::Boolean(_) | Node::Doc(_) => None,
    })
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
