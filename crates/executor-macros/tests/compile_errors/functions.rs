//! Functions that have a meaning by their names or their arguments, and do not look like it.

use executor_macros::{executor, requests};

#[derive(Default)]
struct Streaming;

#[executor]
impl Streaming {
    #[requests(on = "/tokens")]
    fn tokens(&self, docs: Vec<String>) -> impl Stream<Item = String> {}
}

#[derive(Default)]
struct Closing;

#[executor]
impl Closing {
    fn close(&self, now: bool) {}
}

#[derive(Default)]
struct Keeping;

#[executor]
impl Keeping {
    fn snapshot(&self) {}
}

#[derive(Default)]
struct Restoring;

#[executor]
impl Restoring {
    fn restore(file: String) {}
}

struct Waiting;

#[executor]
impl Waiting {
    async fn new() -> Self {
        Self
    }
}

struct Nothing;

#[executor]
impl Nothing {
    fn new() {}
}

#[derive(Default)]
struct Named;

#[executor(title = "Other")]
impl Named {}

#[derive(Default)]
struct Numbered;

#[executor]
impl Numbered {
    #[requests(on = 7)]
    fn index(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct Empty;

#[executor]
impl Empty {
    #[requests(on = ["/a", ""])]
    fn index(&self, docs: Vec<String>) {}
}

#[derive(Default)]
struct Parts;

#[executor]
impl Parts {
    #[requests]
    fn index(&self, doc: String, docs_matrix: Vec<Vec<String>>) {}
}

#[derive(Default)]
struct Pattern;

#[executor]
impl Pattern {
    #[requests]
    fn index(&self, (a, b): (String, String)) {}
}

#[derive(Default)]
struct Unreceived;

#[executor]
impl Unreceived {
    #[requests]
    fn index(docs: Vec<String>) {}
}

#[derive(Default)]
struct Generic<T>(T);

#[executor]
impl<T> Generic<T> {}

#[executor]
impl Clone for Empty {}

fn main() {}
