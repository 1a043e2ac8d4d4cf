//! The documents of the Flow, as they travel; those of `search` beside them.

use docarray::{Doc, Id, NdArray};

/// A query and what it means. What `/search` of the encoder answers.
#[derive(Debug, Clone, PartialEq, Doc)]
pub struct EmbeddedQuery {
    /// That of the query.
    pub id: Id,
    /// The query.
    pub text: String,
    /// A vector of 32-bit floats, of length 1.
    pub embedding: NdArray,
}

/// A document whose passages are embedded. What `/index` of the encoder answers.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct EmbeddedDocument {
    /// Its name: another one of the same name takes its place.
    pub id: Id,
    /// Where it comes from.
    pub uri: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// Its passages.
    pub chunks: Vec<EmbeddedChunk>,
}

/// A passage and what it means.
#[derive(Debug, Clone, PartialEq, Doc)]
pub struct EmbeddedChunk {
    /// Its name: that of the document and its number.
    pub id: Id,
    /// The headings above it, `outer > inner`.
    pub heading: String,
    /// The passage.
    pub text: String,
    /// Where it begins in the text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// A vector of 32-bit floats, of length 1.
    pub embedding: NdArray,
}

/// How many vectors a document has, or had. What `/index` and `/delete` of the vector index answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub struct KeptVectors {
    /// The document.
    pub id: Id,
    /// How many vectors were kept, or removed.
    pub vectors: u64,
}

/// What has become of a document in both indexes. What the ranker takes and answers at `/index` and `/delete`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub struct Kept {
    /// The document.
    pub id: Id,
    /// Where it comes from.
    pub uri: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// How many passages were kept, or removed.
    pub passages: u64,
    /// How many vectors were kept, or removed.
    pub vectors: u64,
}

/// The passages that mean about the same as a query. What `/search` of the vector index answers.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Neighbours {
    /// That of the query.
    pub id: Id,
    /// The query.
    pub text: String,
    /// The nearest first.
    pub neighbours: Vec<Neighbour>,
}

/// A passage near a query.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Neighbour {
    /// The passage.
    pub id: Id,
    /// Its document.
    pub document: String,
    /// Where the document comes from.
    pub uri: Option<String>,
    /// What the document is called.
    pub title: Option<String>,
    /// The headings above the passage.
    pub heading: String,
    /// The cosine of the angle between query and passage: 1 if they mean the same.
    pub similarity: f64,
    /// The whole passage.
    pub text: String,
    /// Where it begins in the document's text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// What both indexes found, joined by the id of the query. What the ranker takes.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Candidates {
    /// That of the query.
    pub id: Id,
    /// The query.
    pub text: String,
    /// How many passages have its words.
    pub total: u64,
    /// By words, the best first.
    pub matches: Vec<search::documents::Match>,
    /// By meaning, the nearest first.
    pub neighbours: Vec<Neighbour>,
}

/// The answer to a query.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Ranked {
    /// That of the query.
    pub id: Id,
    /// The query.
    pub text: String,
    /// How many passages have its words, or are shown.
    pub total: u64,
    /// The best first.
    pub matches: Vec<Match>,
}

/// A passage that was found.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Match {
    /// The passage.
    pub id: Id,
    /// Its document.
    pub document: String,
    /// Where the document comes from.
    pub uri: Option<String>,
    /// What the document is called.
    pub title: Option<String>,
    /// The headings above the passage.
    pub heading: String,
    /// How well it fits, by both rankings.
    pub score: f64,
    /// Its place by words, from 1; none if it was not among them.
    pub word_rank: Option<u64>,
    /// Its place by meaning, from 1; none if it was not among them.
    pub meaning_rank: Option<u64>,
    /// The cosine between query and passage, if it is near.
    pub similarity: Option<f64>,
    /// The whole passage.
    pub text: String,
    /// Where it begins in the document's text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The best part as HTML in which words of the query are marked; empty if it has none of them.
    pub highlight: String,
    /// Where words of the query are in the passage, in bytes: beginning and end of each.
    pub marks: Vec<u64>,
}
