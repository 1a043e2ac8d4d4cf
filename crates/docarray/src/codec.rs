//! Documents and parameters between JSON and their encoding, as executors' schemas have them.
//!
//! A [`Codec`] is a JSON schema, compiled once. It reads and writes straight between bytes and bytes; no tree of
//! values is built on the way. What it reads is written so that every executor understands it: see `parse`; what
//! it writes has every field of the schema: see `print`.
//!
//! ```
//! use docarray::codec::Codec;
//! use serde_json::json;
//!
//! let codec = Codec::of("Text", &json!({
//!     "properties": {"id": {"type": "string"}, "text": {"type": "string"}, "stars": {"type": "integer", "default": 0}},
//!     "required": ["text"],
//! }));
//! let docs = codec.read(br#"[{"id": "a", "text": "on rivers"}]"#).unwrap();
//! let mut json = Vec::new();
//! codec.write(docs, &mut json).unwrap();
//! assert_eq!(json, br#"[{"id":"a","text":"on rivers","stars":0}]"#);
//!
//! let invalid = codec.read(br#"[{"text": []}]"#).unwrap_err();
//! assert_eq!(invalid.to_string(), "[0].text: expected string, got array");
//! ```

mod blob;
mod compile;
mod invalid;
mod layout;
mod parse;
mod print;
mod shape;
mod slices;
mod source;

use call::{Parameters, Payload};
use serde_json::Value;

use crate::discovery::Model;
use crate::doc::DocError;
use crate::node;

pub use invalid::{Bound, Fault, Invalid, Problem, Step, TensorFault};
pub(crate) use print::put_text;
pub(crate) use source::{Halt, Source};

use parse::Parser;
use print::Printer;
use shape::{Class, Shape, Shapes, Slot};

/// Messages around the value of a document's field: the request, its content, the list, the document and the
/// entry of the field.
const AROUND_FIELD: usize = 6;
/// Messages around the value of a parameter.
const AROUND_PARAMETER: usize = 4;

/// A compiled schema.
#[derive(Debug)]
pub struct Codec {
    shapes: Shapes,
}

impl Codec {
    /// Compiles a model. What its schema says that is not understood is left to the executor to check.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        Self::of(&model.name, &model.schema)
    }

    /// Compiles a schema.
    #[must_use]
    pub fn of(name: &str, schema: &Value) -> Self {
        Self { shapes: compile::compile(name, schema) }
    }

    /// For documents of which nothing is known: every field is kept as it is.
    #[must_use]
    pub fn any() -> Self {
        Self::of_class(compile::open_class(""))
    }

    /// For parameters of which nothing is known.
    #[must_use]
    pub fn any_parameters() -> Self {
        Self::of_class(Class { open: Some(Slot::ANY), ..Class::default() })
    }

    /// The name of the class.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shapes.root().name
    }

    /// Whether an object without fields is not what the schema asks for.
    #[must_use]
    pub fn has_required(&self) -> bool {
        self.shapes.root().n_required > 0
    }

    /// Reads an array of documents, or a single one in its place, into a `DataContentProto`.
    ///
    /// # Errors
    ///
    /// If the text is no JSON or not what the schema asks for.
    pub fn read(&self, json: &[u8]) -> Result<Payload, Invalid> {
        let mut source = Source::new(json)?;
        let read = self.read_documents(&mut source).map(|docs| docs.content);
        source.finish(read)
    }

    /// Reads one document into a `DocProto`.
    ///
    /// # Errors
    ///
    /// If the text is no JSON or not what the schema asks for.
    pub fn read_one(&self, json: &[u8]) -> Result<Payload, Invalid> {
        let mut source = Source::new(json)?;
        let mut doc = Vec::with_capacity(json.len());
        let read = source.peek().and_then(|peek| {
            Parser::new(&mut source, &self.shapes, &layout::NODE, AROUND_FIELD, &mut doc).root(peek)
        });
        source.finish(read)?;
        Ok(doc.into())
    }

    /// Reads parameters. Those that are missing get the default of the schema, those that it does not know are
    /// left out, but for those that are meant for one executor, `executor__key`.
    ///
    /// # Errors
    ///
    /// If the text is no JSON or not what the schema asks for.
    pub fn read_parameters(&self, json: &[u8]) -> Result<Parameters, Invalid> {
        let mut source = Source::new(json)?;
        let read = self.read_struct(&mut source);
        source.finish(read)
    }

    /// Writes the documents of a `DataContentProto` as an array.
    ///
    /// # Errors
    ///
    /// If a document is malformed or nested too deeply.
    pub fn write(&self, content: Payload, to: &mut Vec<u8>) -> Result<(), DocError> {
        let docs = node::doc_list(content)?.into_bytes();
        Printer::new(&self.shapes).documents(&docs, to)
    }

    /// Writes a `DocProto`.
    ///
    /// # Errors
    ///
    /// If the document is malformed or nested too deeply.
    pub fn write_one(&self, doc: Payload, to: &mut Vec<u8>) -> Result<(), DocError> {
        Printer::new(&self.shapes).root(&doc.into_bytes(), to)
    }

    fn of_class(class: Class) -> Self {
        Self { shapes: Shapes { all: vec![Shape::Any], classes: vec![class], root: 0, is_lenient: false } }
    }

    pub(crate) fn read_documents(&self, source: &mut Source<'_>) -> Result<Documents, Halt> {
        let peek = source.peek()?;
        let mut docs = Vec::with_capacity(source.rest());
        let mut parser = Parser::new(source, &self.shapes, &layout::NODE, AROUND_FIELD, &mut docs);
        let is_single = parser.documents(peek)?;
        Ok(Documents { content: node::content(docs.into()), is_single })
    }

    pub(crate) fn read_struct(&self, source: &mut Source<'_>) -> Result<Parameters, Halt> {
        let peek = source.peek()?;
        let mut wire = Vec::new();
        Parser::new(source, &self.shapes, &layout::VALUE, AROUND_PARAMETER, &mut wire).root(peek)?;
        Ok(Parameters::from_wire(wire.into()))
    }
}

/// Documents that were read.
pub(crate) struct Documents {
    /// A `DataContentProto`.
    pub(crate) content: Payload,
    /// Whether there was one where there could have been many.
    pub(crate) is_single: bool,
}

#[cfg(test)]
mod tests;
