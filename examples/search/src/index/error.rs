//! What can go wrong with an index.

use std::path::{Path, PathBuf};

use tantivy::TantivyError;
use tantivy::directory::error::LockError;
use tantivy::query::QueryParserError;

/// Why a call failed. It has changed nothing then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only one process can write.
    #[error("the index in `{}` is in use by another process", directory.display())]
    InUse {
        /// Where it is.
        directory: PathBuf,
    },
    /// It would not be found what is there.
    #[error(
        "the index in `{}` was made with other fields or another language; use its own language, or another \
         directory and index the documents again",
        directory.display()
    )]
    OtherSchema {
        /// Where it is.
        directory: PathBuf,
    },
    /// Neither of these.
    #[error("the index in `{}` cannot be opened", directory.display())]
    Open {
        /// Where it is.
        directory: PathBuf,
        /// What was in the way.
        source: TantivyError,
    },
    /// The disk is full, most likely.
    #[error("the index cannot be written")]
    Write {
        /// What was in the way.
        source: TantivyError,
    },
    /// The index was damaged by others, most likely.
    #[error("the index cannot be read")]
    Read {
        /// What was in the way.
        source: TantivyError,
    },
    /// Something was kept that is no passage.
    #[error("a passage in the index is damaged")]
    Damaged,
    /// Nothing could be deleted or replaced by it.
    #[error("a document's id must have 1 to {most} bytes, one has {bytes}")]
    Id {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// It does not follow the query language.
    #[error("the query `{query}` is not understood: {}", problems(reasons))]
    Query {
        /// As it was asked.
        query: String,
        /// Everything that is wrong with it.
        reasons: Vec<QueryParserError>,
    },
    /// It would cost too much to read.
    #[error("a query may have {most} bytes and {nesting} brackets in each other at most")]
    LongQuery {
        /// How long it may be.
        most: usize,
        /// How deep it may be.
        nesting: usize,
    },
    /// It would cost too much to answer.
    #[error("a search can ask for the first {most} passages, not for {offset} to {}", offset + limit)]
    Page {
        /// How many were to be left out.
        offset: usize,
        /// How many were asked for.
        limit: usize,
        /// How many can be reached.
        most: usize,
    },
}

impl Error {
    /// Tells the reasons that the user can do something about from the others.
    pub(super) fn opening(directory: &Path, source: TantivyError) -> Self {
        let directory = directory.to_owned();
        match source {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::InUse { directory },
            TantivyError::SchemaError(_) => Self::OtherSchema { directory },
            source => Self::Open { directory, source },
        }
    }

    /// A query that is written rightly, but cannot be answered.
    pub(super) fn unsupported(query: &str, what: String) -> Self {
        Self::Query { query: query.to_owned(), reasons: vec![QueryParserError::UnsupportedQuery(what)] }
    }
}

fn problems(reasons: &[QueryParserError]) -> String {
    let mut sentences: Vec<String> = Vec::new();
    for reason in reasons {
        let sentence = match reason {
            QueryParserError::SyntaxError(what) | QueryParserError::UnsupportedQuery(what) => what.clone(),
            QueryParserError::FieldDoesNotExist(field) => format!(
                "there is no field `{field}`, only `title`, `heading`, `text`, `document` and `uri`; to search \
                 for the text, put it in double quotes"
            ),
            QueryParserError::AllButQueryForbidden => "it only says what not to find".to_owned(),
            other => other.to_string(),
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences.join("; ")
}
