//! The executor that cuts texts.

use docarray::DocList;
use executor_runtime::{executor, requests};

use crate::documents::{Document, Query};
use crate::segment::{Format, MaxBytes};

/// Cuts the texts of documents into passages.
#[derive(Debug)]
pub struct Segmenter {
    with: With,
}

/// How texts are cut (`uses_with`).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct With {
    /// The most bytes of a passage.
    passage_bytes: MaxBytes,
    /// How all texts are written; by default each as its URI tells.
    format: Option<Format>,
}

#[executor]
impl Segmenter {
    fn new(with: With) -> Self {
        Self { with }
    }

    #[requests(on = "/index")]
    fn index(&self, docs: &mut DocList<Document>) {
        for document in docs {
            document.segment(self.with.format, self.with.passage_bytes);
        }
    }

    /// Queries that have no id get one here, so that all branches of a Flow know them by the same.
    #[requests(on = "/search")]
    #[expect(clippy::unused_async, reason = "queries do not wait for texts that are being cut")]
    async fn search(&self, docs: DocList<Query>) -> DocList<Query> {
        docs
    }
}
