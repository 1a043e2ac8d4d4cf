//! A full-text index of passages on disk, kept by document.
//!
//! What a call changed is on disk and can be found when the call returns; a call that fails has changed
//! nothing. Any number of searches run beside what is written.

mod error;
mod excerpt;
mod query;
mod schema;
mod search;
mod words;
mod writer;

use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use tantivy::collector::Count;
use tantivy::directory::MmapDirectory;
use tantivy::indexer::UserOperation;
use tantivy::query::TermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{IndexReader, ReloadPolicy};

use schema::Fields;
use writer::Writer;

pub use error::Error;
pub use excerpt::plain_excerpt;
pub use query::{Operator, Syntax};
pub use search::{Found, Hit, Search};
pub use words::Language;

/// An index in a directory of its own.
pub struct Index {
    directory: PathBuf,
    fields: Fields,
    index: tantivy::Index,
    reader: IndexReader,
    writer: Writer,
}

/// How an index is kept.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The most memory for passages on the way to disk; at least 15 MB.
    pub writer_heap: ByteSize,
    /// Whose word endings are ignored. An index keeps the language it was made with.
    pub language: Language,
}

/// A document as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its name in the index.
    pub id: String,
    /// Where it comes from.
    pub uri: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// Its text. A document without passages can not be found, but replaces what was there.
    pub passages: Vec<Passage>,
}

/// A part of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// Its name, which a search answers.
    pub id: String,
    /// The headings above it, in one line.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// Where it begins in the document's text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// Ids are terms of the index, which have a bound; far fewer bytes are enough.
const MAX_ID_BYTES: usize = 1024;

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self { writer_heap: ByteSize::mib(64), language: Language::English }
    }
}

// === impl Index ===

impl Index {
    /// Opens the index in `directory`, or makes one.
    ///
    /// # Errors
    ///
    /// If another process has it open, if it was made with other fields or another language, or if the disk
    /// refuses.
    pub fn open(directory: &Path, settings: Settings) -> Result<Self, Error> {
        let directory = directory.to_owned();
        let opening = |source| Error::opening(&directory, source);
        std::fs::create_dir_all(&directory).map_err(|source| opening(source.into()))?;
        let mmap = MmapDirectory::open(&directory).map_err(|source| opening(source.into()))?;
        let (schema, fields) = schema::schema(settings.language);
        let builder =
            tantivy::Index::builder().schema(schema).tokenizers(words::tokenizers(settings.language));
        let index = builder.open_or_create(mmap).map_err(opening)?;
        let writer = Writer::open(index.clone(), settings).map_err(opening)?;
        // Readers are told after each commit, so that a document can be found as soon as its call returns.
        let reader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(opening)?;
        Ok(Self { directory, fields, index, reader, writer })
    }

    /// Keeps documents, in place of those of the same ids. All of them, or none if it fails.
    ///
    /// # Errors
    ///
    /// If an id is empty or too long, or if the disk refuses.
    pub fn replace(&self, documents: &[Document]) -> Result<(), Error> {
        let mut operations = Vec::new();
        for document in documents {
            check_id(&document.id)?;
            operations.push(UserOperation::Delete(self.fields.document_term(&document.id)));
            for passage in &document.passages {
                operations.push(UserOperation::Add(self.fields.write(document, passage)));
            }
        }
        self.write(operations)
    }

    /// Removes documents, and tells how many passages of each there were.
    ///
    /// # Errors
    ///
    /// If an id is empty or too long, or if the disk refuses.
    pub fn delete(&self, ids: &[String]) -> Result<Vec<u64>, Error> {
        let mut removed = Vec::with_capacity(ids.len());
        for id in ids {
            check_id(id)?;
            removed.push(self.passages_of(id)?);
        }
        let found = ids.iter().zip(&removed).filter(|(_, passages)| **passages > 0);
        let operations: Vec<_> =
            found.map(|(id, _)| UserOperation::Delete(self.fields.document_term(id))).collect();
        self.write(operations)?;
        Ok(removed)
    }

    /// How many passages there are.
    #[must_use]
    pub fn passages(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    fn passages_of(&self, document: &str) -> Result<u64, Error> {
        let query = TermQuery::new(self.fields.document_term(document), IndexRecordOption::Basic);
        let count = self.reader.searcher().search(&query, &Count);
        count.map(|count| count as u64).map_err(|source| Error::Read { source })
    }

    fn write(&self, operations: Vec<UserOperation>) -> Result<(), Error> {
        if operations.is_empty() {
            return Ok(());
        }
        self.writer.write(operations).map_err(|source| Error::Write { source })?;
        self.reader.reload().map_err(|source| Error::Read { source })
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("directory", &self.directory).finish_non_exhaustive()
    }
}

fn check_id(id: &str) -> Result<(), Error> {
    if (1..=MAX_ID_BYTES).contains(&id.len()) {
        Ok(())
    } else {
        Err(Error::Id { bytes: id.len(), most: MAX_ID_BYTES })
    }
}

#[cfg(test)]
mod tests;
