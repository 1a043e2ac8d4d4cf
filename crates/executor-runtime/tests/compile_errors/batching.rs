//! Weights that do not fit the documents that they are for.

use docarray::DocList;
use docarray::documents::{ImageDoc, TextDoc};
use executor_runtime::{executor, requests};

fn of_image(image: &ImageDoc) -> usize {
    image.id.as_str().len()
}

fn as_text(doc: &TextDoc) -> String {
    doc.text.clone().unwrap_or_default()
}

#[derive(Default)]
struct OtherDocument;

#[executor]
impl OtherDocument {
    #[requests(dynamic_batching(preferred_batch_size = 4, custom_metric = of_image))]
    fn f(&self, docs: &mut DocList<TextDoc>) {}
}

#[derive(Default)]
struct NoNumber;

#[executor]
impl NoNumber {
    #[requests(dynamic_batching(preferred_batch_size = 4, custom_metric = as_text))]
    fn f(&self, docs: &mut DocList<TextDoc>) {}
}

#[derive(Default)]
struct Nowhere;

#[executor]
impl Nowhere {
    #[requests(dynamic_batching(preferred_batch_size = 4, custom_metric = no_such_function))]
    fn f(&self, docs: &mut DocList<TextDoc>) {}
}

fn main() {}
