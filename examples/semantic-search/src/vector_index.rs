//! The executor that keeps vectors and finds near ones.

use docarray::{DocList, NdArray};
use executor_runtime::{Setup, executor, requests};
use search::documents::Reference;

use crate::documents::{EmbeddedChunk, EmbeddedDocument, EmbeddedQuery, KeptVectors, Neighbour, Neighbours};
use crate::vectors::{Document, Error, Near, Passage, Vectors};

/// Keeps the vectors of passages in its workspace.
#[derive(Debug)]
pub struct VectorIndex {
    vectors: Vectors,
}

/// How vectors are kept (`uses_with`).
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct With {
    /// The most passages; each takes about 2 kB of memory.
    max_passages: usize,
}

/// What a search may say beside its queries (`parameters`).
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// How many passages are answered for each query at most.
    limit: usize,
    /// How many of the nearest passages are left out.
    offset: usize,
}

#[executor]
impl VectorIndex {
    fn new(with: With, setup: &Setup) -> Result<Self, Error> {
        let vectors = Vectors::open(&setup.workspace.join("vectors"), with.max_passages)?;
        tracing::info!(passages = vectors.len(), workspace = %setup.workspace.display(), "vectors opened");
        Ok(Self { vectors })
    }

    #[requests(on = "/index", write)]
    fn index(&self, docs: DocList<EmbeddedDocument>) -> Result<DocList<KeptVectors>, Error> {
        let kept =
            |doc: &EmbeddedDocument| KeptVectors { id: doc.id.clone(), vectors: doc.chunks.len() as u64 };
        let kept = docs.iter().map(kept).collect();
        let documents = docs.into_iter().map(document).collect::<Result<_, _>>()?;
        self.vectors.replace(documents)?;
        Ok(kept)
    }

    #[requests(on = "/search")]
    fn search(
        &self,
        docs: DocList<EmbeddedQuery>,
        parameters: Parameters,
    ) -> Result<DocList<Neighbours>, Error> {
        let Parameters { limit, offset } = parameters;
        let mut answers = Vec::with_capacity(docs.len());
        for EmbeddedQuery { id, text, embedding } in docs {
            let near = self.vectors.search(&floats(&embedding, &id)?, offset, limit)?;
            let neighbours = near.into_iter().map(neighbour).collect();
            answers.push(Neighbours { id, text, neighbours });
        }
        Ok(answers.into())
    }

    #[requests(on = "/delete", write)]
    fn delete(&self, docs: DocList<Reference>) -> Result<DocList<KeptVectors>, Error> {
        let ids: Vec<_> = docs.into_iter().map(|document| document.id).collect();
        let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let removed = ids.into_iter().zip(self.vectors.delete(&names)?);
        Ok(removed.map(|(id, vectors)| KeptVectors { id, vectors }).collect())
    }
}

impl Default for With {
    fn default() -> Self {
        Self { max_passages: 1_000_000 }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self { limit: 10, offset: 0 }
    }
}

fn document(document: EmbeddedDocument) -> Result<Document, Error> {
    let EmbeddedDocument { id: name, uri, title, chunks } = document;
    let mut passages = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let EmbeddedChunk { id, heading, text, start, end, embedding } = chunk;
        let vector = floats(&embedding, &id)?;
        let (uri, title, document) = (uri.clone(), title.clone(), name.to_string());
        let passage = Passage { id: id.to_string(), document, uri, title, heading, text, start, end };
        passages.push((passage, vector));
    }
    Ok(Document { id: name.to_string(), passages })
}

fn floats(embedding: &NdArray, id: &str) -> Result<Vec<f32>, Error> {
    let numbers = embedding.to_numbers().filter(|_| embedding.shape.len() == 1);
    let Some(numbers) = numbers else { return Err(Error::NoVector { what: id.to_owned() }) };
    Ok(numbers.into_iter().map(|number| number as f32).collect())
}

fn neighbour((passage, similarity): Near) -> Neighbour {
    let Passage { id, document, uri, title, heading, text, start, end } = passage;
    Neighbour { id: id.into(), document, uri, title, heading, similarity, text, start, end }
}
