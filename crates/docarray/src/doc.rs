//! Documents as Rust types.
//!
//! A struct under `#[derive(Doc)]` is read from and written to its encoding without an intermediate tree,
//! and tells its JSON schema in the dialect that Jina's gateways and clients understand.
//!
//! ```
//! use docarray::{Doc, DocList, Id, NdArray};
//!
//! #[derive(Debug, Clone, Default, Doc)]
//! struct Chunk {
//!     id: Id,
//!     text: String,
//! }
//!
//! /// An article.
//! #[derive(Debug, Clone, Default, Doc)]
//! struct Article {
//!     id: Id,
//!     title: String,
//!     embedding: Option<NdArray>,
//!     chunks: DocList<Chunk>,
//!     #[document(default = 1.0)]
//!     weight: f64,
//! }
//!
//! let article = Article { title: "On rivers".to_owned(), ..Article::default() };
//! let mut wire = Vec::new();
//! article.write(&mut wire);
//! assert_eq!(Article::read(wire.into()).unwrap().title, "On rivers");
//! assert_eq!(Article::schema()["required"], serde_json::json!(["title"]));
//! ```

mod containers;
mod error;
mod field;
mod json;
mod schema;
mod tensor;

pub use call::Payload;
use serde_json::Value;
pub use serde_json::Value as Json;

pub use error::{DocError, Reason};
pub use field::Field;
pub use schema::{Definition, Definitions, title};

/// A type of document. Made by `#[derive(Doc)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no document",
    note = "`#[derive(Doc)]` makes a struct one"
)]
pub trait Doc: Sized + Send + 'static {
    /// The name of the class, as schemas tell it.
    fn name() -> &'static str;

    /// The schema of this class; the classes it refers to go to `definitions`.
    fn definition(definitions: &mut Definitions) -> Value;

    /// Reads the fields of a `DocProto`, or of a `DictOfAnyProto` in its place.
    ///
    /// # Errors
    ///
    /// If a field is missing or of another type; the error names it.
    fn read_fields(fields: Payload, depth: Depth) -> Result<Self, DocError>;

    /// Writes the content of a `DocProto` or a `DictOfAnyProto`.
    fn write_fields(&self, to: &mut Vec<u8>, form: Form);

    /// Reads a `DocProto`.
    ///
    /// # Errors
    ///
    /// If a field is missing or of another type; the error names it.
    fn read(doc: Payload) -> Result<Self, DocError> {
        Self::read_fields(doc, Depth::START)
    }

    /// Writes the content of a `DocProto`.
    fn write(&self, to: &mut Vec<u8>) {
        self.write_fields(to, Form::Document);
    }

    /// The JSON schema, complete.
    fn schema() -> Value {
        let mut definitions = Definitions::default();
        let root = Self::definition(&mut definitions);
        definitions.complete(Self::name(), root)
    }
}

/// How documents inside a value are written.
///
/// Python reads a document inside a list or a dictionary by its class only if it comes as a dictionary, and
/// then everything below it must be one, too. Directly in a field it takes either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As `doc` and `doc_array`.
    Document,
    /// As `dict` and `list` of `dict`.
    Generic,
}

/// How many values are around the one that is read. Types may refer to themselves, and what is received
/// must not decide how much stack is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth(u8);

impl Depth {
    /// Around a document that stands for itself.
    pub const START: Self = Self(0);

    const MAX: u8 = 100;

    /// One more.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub const fn deeper(self) -> Result<Self, DocError> {
        if self.0 == Self::MAX {
            return Err(DocError::new(Reason::TooDeep { limit: Self::MAX as usize }));
        }
        Ok(Self(self.0 + 1))
    }
}

/// What `#[derive(Doc)]` writes calls to.
#[doc(hidden)]
pub mod derived {
    use call::Payload;

    use super::{Depth, DocError, Field, Form, Reason};
    use crate::node::{self, Node};

    /// Reads one field's encoded value.
    pub fn read<T: Field>(name: &'static str, wire: Payload, depth: Depth) -> Result<T, DocError> {
        let read = || T::read_node(Node::read(wire)?.0, depth.deeper()?);
        read().map_err(|error: DocError| error.in_field(name))
    }

    /// The value of a field that may not have come.
    pub fn required<T: Field>(name: &'static str, value: Option<T>) -> Result<T, DocError> {
        let value = value.or_else(T::absent);
        value.ok_or_else(|| DocError::new(Reason::Missing).in_field(name))
    }

    /// Writes one field.
    pub fn put<T: Field>(to: &mut Vec<u8>, name: &'static str, value: &T, form: Form) {
        node::put_field(to, name, |to| value.write_node(to, form));
    }
}

#[cfg(test)]
mod tests;
