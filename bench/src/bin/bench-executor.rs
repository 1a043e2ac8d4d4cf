//! Executors for `cargo xtask bench`: code that does nothing, and code that costs the same for each call.

use std::process::ExitCode;
use std::time::Duration;

use docarray::{Doc, DocList, Id};
use executor_runtime::{Registry, executor, requests};

/// What one call of a model takes, however many documents are in it.
const COST: Duration = Duration::from_millis(5);

/// What the load sends.
#[derive(Debug, Clone, Default, Doc)]
struct Text {
    id: Id,
    text: String,
}

/// Answers what it is sent.
#[derive(Debug, Default)]
struct Noop;

#[executor]
impl Noop {
    #[requests]
    fn noop(&self, _docs: &mut DocList<Text>) {}
}

/// The same without a thread of its own for each call.
#[derive(Debug, Default)]
struct AsyncNoop;

#[executor]
impl AsyncNoop {
    #[requests]
    #[expect(clippy::unused_async, reason = "what is measured is what a coroutine costs")]
    async fn noop(&self, _docs: &mut DocList<Text>) {}
}

/// Takes as long for one document as for many, one call after the other.
#[derive(Debug, Default)]
struct Model;

#[executor]
impl Model {
    #[requests]
    fn infer(&self, _docs: &mut DocList<Text>) {
        std::thread::sleep(COST);
    }
}

fn main() -> ExitCode {
    executor::main(&Registry::new().with::<Noop>().with::<AsyncNoop>().with::<Model>())
}
