//! The fields of a passage.

use tantivy::schema::{
    Field, IndexRecordOption, STORED, STRING, Schema, TantivyDocument, TextFieldIndexing, TextOptions, Value,
};
use tantivy::{Term, doc};

use super::search::Hit;
use super::words::Language;
use super::{Document, Error, Passage};

/// Where each of them is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) document: Field,
    pub(super) uri: Field,
    pub(super) title: Field,
    pub(super) heading: Field,
    pub(super) text: Field,
    pub(super) start: Field,
    pub(super) end: Field,
}

/// The schema for texts in a language. The language is part of it: the words in an index and those of a
/// query must be cut and stemmed alike.
pub(super) fn schema(language: Language) -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(language.tokenizer())
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let words = TextOptions::default().set_indexing_options(indexing).set_stored();
    let fields = Fields {
        id: schema.add_text_field("id", STORED),
        document: schema.add_text_field("document", STRING | STORED),
        uri: schema.add_text_field("uri", STRING | STORED),
        title: schema.add_text_field("title", words.clone()),
        heading: schema.add_text_field("heading", words.clone()),
        text: schema.add_text_field("text", words),
        start: schema.add_u64_field("start", STORED),
        end: schema.add_u64_field("end", STORED),
    };
    (schema.build(), fields)
}

// === impl Fields ===

impl Fields {
    /// What all passages of a document have in common.
    pub(super) fn document_term(&self, id: &str) -> Term {
        Term::from_field_text(self.document, id)
    }

    pub(super) fn write(&self, document: &Document, passage: &Passage) -> TantivyDocument {
        let mut fields = doc!(
            self.id => passage.id.as_str(),
            self.document => document.id.as_str(),
            self.heading => passage.heading.as_str(),
            self.text => passage.text.as_str(),
            self.start => passage.start,
            self.end => passage.end,
        );
        if let Some(uri) = &document.uri {
            fields.add_text(self.uri, uri);
        }
        if let Some(title) = &document.title {
            fields.add_text(self.title, title);
        }
        fields
    }

    /// A passage as it was written, with nothing yet that depends on a query.
    pub(super) fn read(&self, fields: &TantivyDocument) -> Result<Hit, Error> {
        let text = |field| fields.get_first(field).and_then(|value| value.as_str()).map(str::to_owned);
        let number = |field| fields.get_first(field).and_then(|value| value.as_u64());
        Ok(Hit {
            id: text(self.id).ok_or(Error::Damaged)?,
            document: text(self.document).ok_or(Error::Damaged)?,
            uri: text(self.uri),
            title: text(self.title),
            heading: text(self.heading).ok_or(Error::Damaged)?,
            text: text(self.text).ok_or(Error::Damaged)?,
            start: number(self.start).ok_or(Error::Damaged)?,
            end: number(self.end).ok_or(Error::Damaged)?,
            score: 0.0,
            marks: Vec::new(),
            excerpt: String::new(),
        })
    }
}
