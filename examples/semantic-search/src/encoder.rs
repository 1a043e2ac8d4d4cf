//! The executor that embeds texts.

use std::path::PathBuf;

use docarray::{DocList, NdArray};
use executor_runtime::{executor, requests};
use search::documents::{Chunk, Document, Query};

use crate::documents::{EmbeddedChunk, EmbeddedDocument, EmbeddedQuery};
use crate::model::{Error, Model};

/// Embeds queries and the passages of documents.
#[derive(Debug)]
pub struct Encoder {
    model: Model,
}

/// Which model it is (`uses_with`).
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct With {
    /// The directory with the model's files.
    model_dir: PathBuf,
    /// The most tokens that are computed at once.
    #[serde(default = "batch_tokens")]
    batch_tokens: usize,
}

const fn batch_tokens() -> usize {
    8192
}

#[executor]
impl Encoder {
    fn new(with: With) -> Result<Self, Error> {
        let With { model_dir, batch_tokens } = with;
        let model = Model::load(&model_dir, batch_tokens)?;
        tracing::info!(dimension = model.dimension(), model = %model_dir.display(), "model loaded");
        Ok(Self { model })
    }

    #[requests(
        on = "/index",
        dynamic_batching(preferred_batch_size = 65536, timeout = 5, custom_metric = Self::passage_bytes)
    )]
    fn index(&self, docs: DocList<Document>) -> Result<DocList<EmbeddedDocument>, Error> {
        let passages: Vec<_> = docs.iter().flat_map(|doc| &doc.chunks).map(in_context).collect();
        let mut vectors = self.embed(&passages)?.into_iter();
        let embedded = docs.into_iter().map(|doc| EmbeddedDocument {
            id: doc.id,
            uri: doc.uri,
            title: doc.title,
            chunks: doc.chunks.into_iter().zip(&mut vectors).map(with_vector).collect(),
        });
        Ok(embedded.collect())
    }

    #[requests(on = "/search", dynamic_batching(preferred_batch_size = 32, timeout = 2))]
    fn search(&self, docs: DocList<Query>) -> Result<DocList<EmbeddedQuery>, Error> {
        let texts: Vec<_> = docs.iter().map(|query| query.text.clone()).collect();
        let vectors = self.embed(&texts)?;
        let both = docs.into_iter().zip(vectors);
        Ok(both.map(|(Query { id, text }, embedding)| EmbeddedQuery { id, text, embedding }).collect())
    }

    /// What a document costs: about four bytes are a token.
    fn passage_bytes(document: &Document) -> usize {
        document.chunks.iter().map(|chunk| chunk.text.len()).sum()
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<NdArray>, Error> {
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        Ok(self.model.embed(&texts)?.into_iter().map(NdArray::from).collect())
    }
}

/// A passage under its headings, which often say what it is about.
fn in_context(chunk: &Chunk) -> String {
    if chunk.heading.is_empty() { chunk.text.clone() } else { format!("{}\n{}", chunk.heading, chunk.text) }
}

fn with_vector((chunk, embedding): (Chunk, NdArray)) -> EmbeddedChunk {
    let Chunk { id, heading, text, start, end } = chunk;
    EmbeddedChunk { id, heading, text, start, end, embedding }
}
