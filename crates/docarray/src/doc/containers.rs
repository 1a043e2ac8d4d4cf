//! Fields that hold other values.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use call::Payload;
use call::wire;
use serde_json::{Value, json};

use super::field::null;
use super::{Definitions, Depth, Doc, DocError, Field, Form};
use crate::node::{self, Node, field};
use crate::{DocList, Id};

impl<T: Field> Field for Option<T> {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        match node {
            Node::Null => Ok(None),
            some => T::read_node(some, depth).map(Some),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, form: Form) {
        if let Some(value) = self {
            value.write_node(to, form);
        }
    }

    fn schema_in(definitions: &mut Definitions) -> Value {
        json!({"anyOf": [T::schema_in(definitions), {"type": "null"}]})
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn as_default(&self) -> Option<Value> {
        match self {
            None => Some(Value::Null),
            Some(value) => value.as_default(),
        }
    }
}

/// A list. One of documents travels as a list of dictionaries, which Python understands whether its field is
/// a `List` or a `DocList`.
impl<T: Field> Field for Vec<T> {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        match node {
            Node::List(items) | Node::Set(items) | Node::Tuple(items) => {
                read_items(items, depth, |item| Ok(Node::read(item)?.0))
            }
            Node::DocArray(docs) => read_items(docs, depth, |doc| Ok(Node::Doc(doc))),
            Node::Null => null("list"),
            other => Err(DocError::expected("list", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        put_list(self, to);
    }

    fn schema_in(definitions: &mut Definitions) -> Value {
        json!({"items": T::schema_in(definitions), "type": "array"})
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn as_default(&self) -> Option<Value> {
        self.iter().map(Field::as_default).collect::<Option<Vec<_>>>().map(Value::Array)
    }
}

impl<T: Doc> Field for DocList<T> {
    fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
        Vec::read_node(node, depth).map(Self::from)
    }

    fn write_node(&self, to: &mut Vec<u8>, form: Form) {
        match form {
            Form::Document => wire::put_message(to, field::DOC_ARRAY, |to| {
                for doc in self {
                    node::put_item(to, |to| doc.write_fields(to, form));
                }
            }),
            Form::Generic => put_list(self, to),
        }
    }

    fn schema_in(definitions: &mut Definitions) -> Value {
        Vec::<T>::schema_in(definitions)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn as_default(&self) -> Option<Value> {
        self.is_empty().then(|| json!([]))
    }
}

fn put_list<T: Field>(items: &[T], to: &mut Vec<u8>) {
    wire::put_message(to, field::LIST, |to| {
        for item in items {
            node::put_item(to, |to| item.write_node(to, Form::Generic));
        }
    });
}

fn read_items<T: Field>(
    items: Payload,
    depth: Depth,
    node: impl Fn(Payload) -> Result<Node, DocError>,
) -> Result<Vec<T>, DocError> {
    let depth = depth.deeper()?;
    let mut read = Vec::new();
    for (index, item) in node::items(items).enumerate() {
        let value = item.map_err(DocError::from).and_then(&node).and_then(|node| T::read_node(node, depth));
        read.push(value.map_err(|error| error.in_item(index))?);
    }
    Ok(read)
}

/// A set. Values that come twice are kept once.
macro_rules! sets {
    ($([$($generics:tt)*] $set:ty;)*) => {$(
        impl<T: Field + $($generics)*> Field for $set {
            fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
                Ok(Vec::read_node(node, depth)?.into_iter().collect())
            }

            fn write_node(&self, to: &mut Vec<u8>, _: Form) {
                wire::put_message(to, field::SET, |to| {
                    for item in self {
                        node::put_item(to, |to| item.write_node(to, Form::Generic));
                    }
                });
            }

            fn schema_in(definitions: &mut Definitions) -> Value {
                json!({"items": T::schema_in(definitions), "type": "array", "uniqueItems": true})
            }

            fn absent() -> Option<Self> {
                Some(Self::default())
            }

            fn as_default(&self) -> Option<Value> {
                self.iter().map(Field::as_default).collect::<Option<Vec<_>>>().map(Value::Array)
            }
        }
    )*};
}

sets! {
    [Eq + Hash, S: BuildHasher + Default] HashSet<T, S>;
    [Ord] BTreeSet<T>;
}

/// A dictionary whose keys are all of one type.
macro_rules! dictionaries {
    ($([$($generics:tt)*] $map:ty;)*) => {$(
        impl<V: Field, $($generics)*> Field for $map {
            fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
                let fields = match node {
                    Node::Dict(fields) | Node::Doc(fields) => fields,
                    Node::Null => return null("dict"),
                    other => return Err(DocError::expected("dict", &other)),
                };
                let depth = depth.deeper()?;
                let mut read = Self::default();
                for field in node::fields(fields) {
                    let (name, wire) = field?;
                    let value = Node::read(wire).map_err(DocError::from).and_then(|(node, _)| V::read_node(node, depth));
                    let value = value.map_err(|error| error.in_field(&name))?;
                    read.insert(name.to_string(), value);
                }
                Ok(read)
            }

            fn write_node(&self, to: &mut Vec<u8>, _: Form) {
                wire::put_message(to, field::DICT, |to| {
                    for (name, value) in self {
                        node::put_field(to, name, |to| value.write_node(to, Form::Generic));
                    }
                });
            }

            fn schema_in(definitions: &mut Definitions) -> Value {
                json!({"additionalProperties": V::schema_in(definitions), "type": "object"})
            }

            fn absent() -> Option<Self> {
                Some(Self::default())
            }

            fn as_default(&self) -> Option<Value> {
                self.is_empty().then(|| json!({}))
            }
        }
    )*};
}

dictionaries! {
    [S: BuildHasher + Default] HashMap<String, V, S>;
    [] BTreeMap<String, V>;
}

impl Field for Id {
    fn read_node(node: Node, _: Depth) -> Result<Self, DocError> {
        match node {
            Node::Text(text) => Ok(Self::from(text)),
            Node::Integer(number) => Ok(Self::from(number.to_string())),
            Node::Null => Ok(Self::default()),
            other => Err(DocError::expected("text", &other)),
        }
    }

    fn write_node(&self, to: &mut Vec<u8>, _: Form) {
        wire::put_bytes(to, field::TEXT, self.as_bytes());
        wire::put_bytes(to, field::TYPE, b"id");
    }

    fn schema_in(_: &mut Definitions) -> Value {
        json!({
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "description": "The ID of the BaseDoc. This is useful for indexing in vector stores. If not set by \
                user, it will automatically be assigned a random value",
            "example": "00000000000000000000000000000000",
        })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
