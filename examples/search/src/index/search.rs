//! Searching.

use std::ops::Range;

use tantivy::collector::{Count, TopDocs};
use tantivy::snippet::SnippetGenerator;
use tantivy::{TantivyDocument, TantivyError};

use super::{Error, Index, Operator, Syntax, excerpt};

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The words, see [`Syntax`].
    pub query: String,
    /// How it is written.
    pub syntax: Syntax,
    /// How its words go together.
    pub operator: Operator,
    /// How many of the best passages are left out.
    pub offset: usize,
    /// How many passages are answered at most.
    pub limit: usize,
    /// How many bytes of a passage its excerpt shows, about.
    pub excerpt_bytes: usize,
}

/// The answer to a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// How many passages there are, with those not shown.
    pub total: u64,
    /// The best first.
    pub hits: Vec<Hit>,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// The id of its document.
    pub document: String,
    /// Where the document comes from.
    pub uri: Option<String>,
    /// What the document is called.
    pub title: Option<String>,
    /// The headings above the passage.
    pub heading: String,
    /// The passage.
    pub text: String,
    /// Where it begins in the document's text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// How well it fits (BM25).
    pub score: f32,
    /// Where the words of the query are, in bytes of `text`.
    pub marks: Vec<Range<usize>>,
    /// The best part of the text as HTML, with the words of the query in `<mark>`.
    pub excerpt: String,
}

/// How far into the results a search can reach: all of them up to there are held in memory.
const MAX_REACH: usize = 10_000;

impl Default for Search {
    fn default() -> Self {
        Self {
            query: String::new(),
            syntax: Syntax::default(),
            operator: Operator::default(),
            offset: 0,
            limit: 10,
            excerpt_bytes: 240,
        }
    }
}

impl Index {
    /// Finds the passages that fit a query best.
    ///
    /// # Errors
    ///
    /// If the query is not understood, or asks for too much.
    pub fn search(&self, search: &Search) -> Result<Found, Error> {
        let Search { offset, limit, .. } = *search;
        if offset.saturating_add(limit) > MAX_REACH {
            return Err(Error::Page { offset, limit, most: MAX_REACH });
        }
        let query = self.parse(&search.query, search.operator, search.syntax)?;
        let reading = |source| Error::Read { source };
        let searcher = self.reader.searcher();
        // Nobody can ask for no passage at all, but for their number.
        let best = TopDocs::with_limit(limit.max(1)).and_offset(offset).order_by_score();
        let (total, best) = searcher.search(&query, &(Count, best)).map_err(|source| match source {
            // The parser lets `field:*` through, which only some kinds of fields can answer.
            TantivyError::SchemaError(what) => Error::unsupported(&search.query, what),
            source => reading(source),
        })?;
        let mut marker = SnippetGenerator::create(&searcher, &*query, self.fields.text).map_err(reading)?;
        // One piece, the whole passage: which part of it is shown is decided by all the marks in it.
        marker.set_max_num_chars(usize::MAX);
        let mut hits = Vec::with_capacity(best.len().min(limit));
        for (score, address) in best.into_iter().take(limit) {
            let fields: TantivyDocument = searcher.doc(address).map_err(reading)?;
            let mut hit = self.fields.read(&fields)?;
            hit.score = score;
            hit.marks = excerpt::marks(&marker, &hit.text);
            hit.excerpt = excerpt::excerpt(&hit.text, &hit.marks, search.excerpt_bytes);
            hits.push(hit);
        }
        Ok(Found { total: total as u64, hits })
    }
}
