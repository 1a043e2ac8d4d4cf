//! Documents that cannot be read.

use std::fmt;

use call::wire::Malformed;

use crate::{InvalidNdArray, Node};

/// A document that cannot be read: where in it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocError {
    /// From the inside out.
    path: Vec<Step>,
    /// Why.
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(usize),
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is not there, and the type has no default.
    #[error("missing")]
    Missing,
    /// It is something else.
    #[error("expected {expected}, got {found}")]
    Type {
        /// What would be right.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// A number that the field's type cannot hold.
    #[error("{number} is out of range for {expected}")]
    Range {
        /// The field's type.
        expected: &'static str,
        /// The number.
        number: String,
    },
    /// A text or a list that should become something else.
    #[error("expected {expected}, got a {found} that is none")]
    Content {
        /// What would be right.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// A tensor whose parts do not fit together.
    #[error("{0}")]
    NdArray(InvalidNdArray),
    /// The bytes are not the message they should be.
    #[error("{0}")]
    Malformed(Malformed),
    /// Values inside values beyond the bound.
    #[error("nested more than {limit} levels deep")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
}

impl DocError {
    /// An error at the place that is read.
    #[must_use]
    pub const fn new(reason: Reason) -> Self {
        Self { path: Vec::new(), reason }
    }

    /// An error about a value of the wrong type.
    #[must_use]
    pub const fn expected(expected: &'static str, found: &Node) -> Self {
        Self::new(Reason::Type { expected, found: kind(found) })
    }

    /// The same error seen from the document or dictionary around it.
    #[must_use]
    pub fn in_field(mut self, name: &str) -> Self {
        self.path.push(Step::Field(name.to_owned()));
        self
    }

    /// The same error seen from the list around it.
    #[must_use]
    pub fn in_item(mut self, index: usize) -> Self {
        self.path.push(Step::Item(index));
        self
    }

    /// Where it is, such as `docs[3].embedding`; empty for the value itself.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

impl fmt::Display for DocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        self.reason.fmt(f)
    }
}

/// The reason is part of the sentence, so there is no source behind it.
impl std::error::Error for DocError {}

impl From<Malformed> for DocError {
    fn from(malformed: Malformed) -> Self {
        Self::new(Reason::Malformed(malformed))
    }
}

impl From<InvalidNdArray> for DocError {
    fn from(invalid: InvalidNdArray) -> Self {
        Self::new(Reason::NdArray(invalid))
    }
}

/// What a node is, by the name of its field in `NodeProto`.
const fn kind(node: &Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Text(_) => "text",
        Node::Integer(_) => "integer",
        Node::Float(_) => "float",
        Node::Boolean(_) => "boolean",
        Node::Blob(_) => "blob",
        Node::NdArray(_) => "ndarray",
        Node::Doc(_) => "doc",
        Node::DocArray(_) => "doc_array",
        Node::List(_) => "list",
        Node::Set(_) => "set",
        Node::Tuple(_) => "tuple",
        Node::Dict(_) => "dict",
    }
}
