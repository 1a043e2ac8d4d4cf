//! An executor with an endpoint for each thing that can be right or wrong.

use std::sync::Mutex;

use docarray::{Doc, DocList, Id};
use executor_runtime::{Failure, executor, requests};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Map, Value};

/// A text.
#[derive(Debug, Clone, Default, Doc)]
pub(super) struct Text {
    id: Id,
    text: String,
}

/// The executor.
#[derive(Debug, Default)]
pub(super) struct Probe;

/// The texts of requests that are being worked on and never end.
static WORK: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Whether a request with this text is being worked on.
pub(super) fn works_on(text: &str) -> bool {
    WORK.lock().unwrap().iter().any(|work| work == text)
}

/// Work on a request, until it is dropped.
struct Work(String);

impl Work {
    fn on(text: &str) -> Self {
        WORK.lock().unwrap().push(text.to_owned());
        Self(text.to_owned())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        WORK.lock().unwrap().retain(|work| *work != self.0);
    }
}

#[executor]
impl Probe {
    #[requests(on = "/upper")]
    fn upper(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = doc.text.to_uppercase();
        }
    }

    #[requests(on = "/fail")]
    fn fail(&self, _docs: &DocList<Text>) -> Result<(), Failure> {
        Err(Failure::new("ValueError", "boom"))
    }

    #[requests(on = "/stuck")]
    async fn stuck(&self, docs: DocList<Text>) -> DocList<Text> {
        let _work: Vec<_> = docs.iter().map(|doc| Work::on(&doc.text)).collect();
        std::future::pending().await
    }

    #[requests(on = "/results")]
    fn results(&self, _docs: &DocList<Text>, parameters: Map<String, Value>) -> Map<String, Value> {
        parameters
    }

    #[requests(on = "/tokens")]
    fn tokens(&self, doc: Text) -> impl Stream<Item = Text> + Send + use<> {
        stream::iter(0..3).map(move |n| Text { text: format!("{} {n}", doc.text), ..Text::default() })
    }

    #[requests(on = "/broken-tokens")]
    fn broken_tokens(&self, doc: Text) -> impl Stream<Item = Result<Text, Failure>> + Send + use<> {
        stream::iter([Ok(doc), Err(Failure::new("ValueError", "boom"))])
    }

    #[requests(on = "/endless")]
    fn endless(&self, doc: Text) -> impl Stream<Item = Text> + Send + use<> {
        let work = Work::on(&doc.text);
        stream::iter([doc]).chain(stream::once(async move {
            let _work = work;
            std::future::pending().await
        }))
    }
}
