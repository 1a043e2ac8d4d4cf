//! The executor that keeps passages and finds them.

use bytesize::ByteSize;
use docarray::DocList;
use executor_runtime::{Setup, executor, requests};

use crate::documents::{Document, Found, Kept, Match, Query, Reference};
use crate::index::{self, Error, Index, Language, Operator, Search, Settings, Syntax};

/// Keeps the passages of documents in a full-text index in its workspace.
#[derive(Debug)]
pub struct Indexer {
    index: Index,
    syntax: Syntax,
}

/// How the index is kept (`uses_with`).
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct With {
    /// The most memory for passages on the way to disk, such as `64MiB`.
    writer_heap: ByteSize,
    /// Whose word endings are ignored.
    language: Language,
    /// How queries are written whose requests do not say it.
    syntax: Syntax,
}

/// What a search may say beside its queries (`parameters`).
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// How many passages are answered for each query at most.
    limit: usize,
    /// How many of the best passages are left out.
    offset: usize,
    /// Whether all words must be there (`and`) or one is enough (`or`).
    operator: Operator,
    /// Whether queries are written in the query language (`query`) or are just words (`words`).
    syntax: Option<Syntax>,
    /// How many bytes of a passage its highlight shows, about.
    highlight_bytes: usize,
}

#[executor]
impl Indexer {
    fn new(with: With, setup: &Setup) -> Result<Self, Error> {
        let With { writer_heap, language, syntax } = with;
        let index = Index::open(&setup.workspace.join("index"), Settings { writer_heap, language })?;
        tracing::info!(passages = index.passages(), workspace = %setup.workspace.display(), "index opened");
        Ok(Self { index, syntax })
    }

    #[requests(on = "/index", write)]
    fn index(&self, docs: DocList<Document>) -> Result<DocList<Kept>, Error> {
        let mut documents = Vec::with_capacity(docs.len());
        let mut kept = Vec::with_capacity(docs.len());
        for document in docs {
            let id = document.id.clone();
            let document = index::Document::from(document);
            let (uri, title) = (document.uri.clone(), document.title.clone());
            kept.push(Kept { id, uri, title, passages: document.passages.len() as u64 });
            documents.push(document);
        }
        self.index.replace(&documents)?;
        Ok(kept.into())
    }

    #[requests(on = "/search")]
    fn search(&self, docs: DocList<Query>, parameters: Parameters) -> Result<DocList<Found>, Error> {
        let Parameters { limit, offset, operator, syntax, highlight_bytes: excerpt_bytes } = parameters;
        let syntax = syntax.unwrap_or(self.syntax);
        let mut answers = Vec::with_capacity(docs.len());
        for Query { id, text } in docs {
            let search = Search { query: text, syntax, operator, offset, limit, excerpt_bytes };
            let found = self.index.search(&search)?;
            let matches = found.hits.into_iter().map(Match::from).collect();
            answers.push(Found { id, text: search.query, total: found.total, matches });
        }
        Ok(answers.into())
    }

    #[requests(on = "/delete", write)]
    fn delete(&self, docs: DocList<Reference>) -> Result<DocList<Kept>, Error> {
        let ids: Vec<_> = docs.into_iter().map(|document| document.id).collect();
        let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let removed = self.index.delete(&names)?;
        let removed = ids.into_iter().zip(removed);
        Ok(removed.map(|(id, passages)| Kept { id, passages, ..Kept::default() }).collect())
    }
}

impl Default for With {
    fn default() -> Self {
        let Settings { writer_heap, language } = Settings::default();
        Self { writer_heap, language, syntax: Syntax::default() }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        let Search { limit, offset, operator, excerpt_bytes, .. } = Search::default();
        Self { limit, offset, operator, syntax: None, highlight_bytes: excerpt_bytes }
    }
}
