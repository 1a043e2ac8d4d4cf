//! Types that do not fit.

use docarray::documents::TextDoc;
use docarray::{Doc, DocList, Id};
use executor_runtime::{Registry, executor, requests};

struct Plain;

#[derive(Debug, Clone, Doc)]
struct Wrong {
    id: Id,
    at: std::time::Instant,
}

#[derive(Default)]
struct NoDocuments;

#[executor]
impl NoDocuments {
    #[requests]
    fn index(&self, docs: Vec<TextDoc>) {}
}

#[derive(Default)]
struct NoAnswer;

#[executor]
impl NoAnswer {
    #[requests]
    fn index(&self, docs: DocList<TextDoc>) -> u32 {
        7
    }
}

#[derive(Default)]
struct NoParameters;

#[executor]
impl NoParameters {
    #[requests]
    fn index(&self, docs: &mut DocList<TextDoc>, parameters: Plain) {}
}

struct NoDefault;

#[executor]
impl NoDefault {
    #[requests]
    fn index(&self, docs: &mut DocList<TextDoc>) {}
}

struct NoExecutor;

fn main() {
    let _ = Registry::new().with::<NoExecutor>();
}
