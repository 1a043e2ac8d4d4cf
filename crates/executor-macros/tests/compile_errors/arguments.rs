//! Functions of executors that cannot be endpoints.

use executor_macros::{executor, requests};

#[derive(Default)]
struct Unknown;

#[executor]
impl Unknown {
    #[requests(on = "/index")]
    async fn index(&self, docs: Vec<String>, params: usize) {}
}

#[derive(Default)]
struct Mutable;

#[executor]
impl Mutable {
    #[requests]
    fn index(&mut self, docs: Vec<String>) {}
}

#[derive(Default)]
struct NoDocuments;

#[executor]
impl NoDocuments {
    #[requests]
    fn index(&self) {}
}

#[derive(Default)]
struct Outside;

impl Outside {
    #[requests]
    fn index(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct Options;

#[executor]
impl Options {
    #[requests(at = "/index")]
    fn index(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct Both;

#[executor]
impl Both {
    #[requests]
    fn index(&self, doc: String, docs: Vec<String>) {}
}

struct Making;

#[executor]
impl Making {
    fn new(name: String) -> Self {
        Self
    }
}

fn main() {}
