//! Conditions on documents: which of them an executor is sent.
//!
//! The query language is DocArray's: `{field: {operator: value}}`, several fields or operators meaning all
//! of them, combined by `$and`, `$or` and `$not`. Documents are looked into field by field, never decoded.

mod parse;
mod value;

use bytestring::ByteString;
use call::Payload;
use call::wire::Malformed;
use regex::Regex;
use serde_json::Value;

use crate::node::{self, Node};

pub use parse::{Problem, QueryError};

/// A condition, checked.
#[derive(Debug, Clone)]
pub enum Filter {
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A field passes a test.
    Field {
        /// Where to find it: names of fields and keys, indexes of lists.
        path: Vec<String>,
        /// The test.
        test: Test,
    },
}

/// What is asked of a field. All tests but [`Test::Exists`] fail on a missing field.
#[derive(Debug, Clone)]
pub enum Test {
    /// `$eq` (true) and `$neq` (false)
    Equal(Operand, bool),
    /// `$lt`, `$lte`, `$gt`, `$gte`
    Order(Order, Operand),
    /// `$in` (true) and `$nin` (false)
    OneOf(Vec<Value>, bool),
    /// `$regex`: found anywhere in the text.
    Regex(Regex),
    /// `$size`: the length of a text, a list, a dictionary or a tensor's first dimension.
    Size(f64),
    /// `$exists`
    Exists(bool),
}

/// How two values are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the operators")]
pub enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value.
    Literal(Value),
    /// Another field of the same document, written `{name}`.
    Field(String),
}

impl Filter {
    /// Checks a query and finds everything that is wrong with it.
    ///
    /// # Errors
    ///
    /// All problems, each with the path of keys that leads to it.
    pub fn parse(query: &Value) -> Result<Self, Vec<QueryError>> {
        parse::parse(query)
    }

    /// Whether an encoded `DocProto` meets the condition.
    ///
    /// # Errors
    ///
    /// If the document is malformed.
    pub fn matches(&self, doc: &Payload) -> Result<bool, Malformed> {
        match self {
            Self::All(all) => {
                for filter in all {
                    if !filter.matches(doc)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(any) => {
                for filter in any {
                    if filter.matches(doc)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(filter) => Ok(!filter.matches(doc)?),
            Self::Field { path, test } => test.passes(find(doc, path)?, doc),
        }
    }

    /// The documents of an encoded `DocListProto` that meet the condition, as they are; the whole list if all
    /// do.
    ///
    /// # Errors
    ///
    /// If a document is malformed.
    pub fn retain(&self, docs: Payload) -> Result<Payload, Malformed> {
        let mut kept = Payload::new();
        let mut dropped = false;
        for doc in node::items(docs.clone()) {
            let doc = doc?;
            if self.matches(&doc)? {
                node::append_item(&mut kept, doc);
            } else {
                dropped = true;
            }
        }
        Ok(if dropped { kept } else { docs })
    }
}

impl Test {
    fn passes(&self, found: Option<Node>, doc: &Payload) -> Result<bool, Malformed> {
        let Some(node) = found else { return Ok(matches!(self, Self::Exists(false))) };
        Ok(match self {
            Self::Exists(wanted) => *wanted,
            Self::Equal(operand, wanted) => {
                let right = operand.value(doc)?;
                value::equal(&value::of(&node)?, &right) == *wanted
            }
            Self::Order(order, operand) => {
                let right = operand.value(doc)?;
                value::compare(&value::of(&node)?, &right).is_some_and(|found| order.allows(found))
            }
            Self::OneOf(values, wanted) => {
                let left = value::of(&node)?;
                values.iter().any(|right| value::equal(&left, right)) == *wanted
            }
            Self::Regex(regex) => matches!(&node, Node::Text(text) if regex.is_match(text)),
            #[expect(clippy::cast_precision_loss, reason = "no list has 2^53 items")]
            Self::Size(size) => value::len(&node)?.is_some_and(|len| (len as f64 - size).abs() < 0.5),
        })
    }
}

impl Operand {
    fn value(&self, doc: &Payload) -> Result<Value, Malformed> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Field(name) => {
                let node = find(doc, std::slice::from_ref(name))?;
                node.map_or(Ok(Value::Null), |node| value::of(&node))
            }
        }
    }
}

impl Order {
    const fn allows(self, found: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
    }
}

/// Follows a path of names and indexes into a document.
fn find(doc: &Payload, path: &[String]) -> Result<Option<Node>, Malformed> {
    let mut node = Node::Doc(doc.clone());
    for step in path {
        let inner = match node {
            Node::Doc(fields) | Node::Dict(fields) => last_field(fields, step)?,
            Node::List(items) | Node::Set(items) | Node::Tuple(items) => match step.parse() {
                Ok(index) => node::items(items).nth(index).transpose()?.map(Inner::Node),
                Err(_not_an_index) => None,
            },
            Node::DocArray(docs) => match step.parse() {
                Ok(index) => node::items(docs).nth(index).transpose()?.map(Inner::Doc),
                Err(_not_an_index) => None,
            },
            _ => None,
        };
        node = match inner {
            None => return Ok(None),
            Some(Inner::Doc(doc)) => Node::Doc(doc),
            Some(Inner::Node(wire)) => Node::read(wire)?.0,
        };
    }
    Ok(Some(node))
}

enum Inner {
    Doc(Payload),
    Node(Payload),
}

fn last_field(fields: Payload, name: &str) -> Result<Option<Inner>, Malformed> {
    let mut last = None;
    for field in node::fields(fields) {
        let (found, wire): (ByteString, _) = field?;
        if found == name {
            last = Some(Inner::Node(wire));
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
