//! An executor with an endpoint for everything that a function may take and return.

#![expect(clippy::unused_async, clippy::needless_pass_by_value, reason = "functions as users write them")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use docarray::{Doc, DocList, Id, NdArray};
use futures_util::{Stream, stream};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::{Context, Setup, executor, requests};

#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub(super) struct Text {
    pub(super) id: Id,
    pub(super) text: String,
    pub(super) vector: Option<NdArray>,
}

pub(super) fn text(text: &str) -> Text {
    Text { id: text.into(), text: text.to_owned(), vector: None }
}

#[derive(Debug, thiserror::Error)]
#[error("boom {code}")]
struct Boom {
    code: i32,
}

/// One endpoint for everything that a function may take and return.
pub(super) struct Zoo {
    greeting: String,
    running: AtomicUsize,
    most: AtomicUsize,
    /// Functions that wait for a permit do so until a test adds one.
    go: Arc<Semaphore>,
}

/// By test, so that tests can run at the same time.
pub(super) static GO: std::sync::LazyLock<std::sync::Mutex<BTreeMap<String, Arc<Semaphore>>>> =
    std::sync::LazyLock::new(Default::default);

#[derive(serde::Deserialize)]
struct With {
    #[serde(default)]
    greeting: String,
    /// The test that the executor belongs to.
    #[serde(default)]
    test: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TopK {
    top_k: usize,
    #[serde(default)]
    weight: f64,
}

#[executor]
impl Zoo {
    fn new(with: With, setup: &Setup) -> Result<Self, Boom> {
        if with.greeting == "bad" {
            return Err(Boom { code: i32::try_from(setup.shard_id).unwrap_or_default() });
        }
        let go = GO.lock().unwrap().entry(with.test).or_insert_with(|| Arc::new(Semaphore::new(0))).clone();
        Ok(Self { greeting: with.greeting, running: 0.into(), most: 0.into(), go })
    }

    #[requests]
    async fn all_others(&self, docs: &mut DocList<Text>) {
        docs.iter_mut().for_each(|doc| doc.text = format!("{} {}", self.greeting, doc.text));
    }

    #[requests(on = "/replace")]
    async fn replace(&self, docs: DocList<Text>) -> DocList<Text> {
        docs.into_iter().rev().chain([text("more")]).collect()
    }

    #[requests(on = "/look")]
    async fn look(&self, docs: &DocList<Text>) {
        assert!(!docs.is_empty());
    }

    #[requests(on = "/sync")]
    fn sync(&self, docs: &mut DocList<Text>) {
        docs.iter_mut().for_each(|doc| doc.text.push('!'));
    }

    #[requests(on = ["/results", "/counts"], write)]
    fn results(&self, docs: DocList<Text>) -> Map<String, Value> {
        Map::from_iter([("n".to_owned(), docs.len().into())])
    }

    #[requests(on = "/value")]
    async fn value(&self, docs: &mut DocList<Text>) -> Value {
        docs.clear();
        json!({"cleared": true})
    }

    #[requests(on = "/list_value")]
    async fn list_value(&self, _docs: DocList<Text>) -> Value {
        json!([1])
    }

    #[requests(on = "/fail")]
    async fn fail(&self, docs: &mut DocList<Text>) -> Result<(), Boom> {
        docs.clear();
        Err(Boom { code: 42 })
    }

    #[requests(on = "/panic")]
    async fn panic(&self, _docs: DocList<Text>) {
        panic!("out of {}", self.greeting);
    }

    #[requests(on = "/panic_sync")]
    fn panic_sync(&self, _docs: DocList<Text>) {
        panic!("sync");
    }

    #[requests(on = "/parameters")]
    async fn parameters(&self, _docs: DocList<Text>, parameters: TopK) -> DocList<Text> {
        DocList::from([text(&format!("{} {}", parameters.top_k, parameters.weight))])
    }

    #[requests(on = "/parameters_map")]
    async fn parameters_map(&self, parameters: &Map<String, Value>, _docs: DocList<Text>) -> Value {
        json!({"seen": parameters})
    }

    #[requests(on = "/context")]
    async fn context(&self, context: &Context, _docs: DocList<Text>) -> DocList<Text> {
        DocList::from([text(context.request_id()), text(context.endpoint())])
    }

    #[requests(on = "/join")]
    async fn join(
        &self,
        docs: DocList<Text>,
        docs_matrix: Vec<DocList<Text>>,
        docs_map: BTreeMap<String, DocList<Text>>,
    ) -> Value {
        let map: BTreeMap<_, _> = docs_map.iter().map(|(name, docs)| (name, docs.len())).collect();
        json!({"n": docs.len(), "matrix": docs_matrix.iter().map(|docs| docs.len()).collect::<Vec<_>>(), "map": map})
    }

    #[requests(on = "/single")]
    async fn single(&self, doc: Text, parameters: Map<String, Value>) -> Result<Option<Text>, Boom> {
        match doc.text.as_str() {
            "keep" => Ok(None),
            "bad" => Err(Boom { code: 1 }),
            other => Ok(Some(text(&format!("{other}{}", parameters.len())))),
        }
    }

    #[requests(on = "/single_in_place")]
    fn single_in_place(&self, doc: &mut Text) {
        doc.text.push('?');
    }

    #[requests(on = "/stream")]
    async fn stream(&self, doc: Text, parameters: Map<String, Value>) -> impl Stream<Item = Text> + Send {
        let texts = (0..3).map(move |n| text(&format!("{}{n}{}", doc.text, parameters.len())));
        stream::iter(texts.map(|text| Text {
            vector: None,
            text: format!("{}{}", self.greeting, text.text),
            ..text
        }))
    }

    #[requests(on = "/stream_fails")]
    fn stream_fails(&self, doc: Text) -> impl Stream<Item = Result<Text, Boom>> + Send {
        stream::iter([Ok(doc), Err(Boom { code: 7 }), Ok(text("never"))])
    }

    #[requests(on = "/stream_for_ever")]
    fn stream_for_ever(&self, _doc: Text) -> impl Stream<Item = Text> + Send {
        stream::pending()
    }

    #[requests(on = "/wait")]
    async fn wait(&self, docs: DocList<Text>) {
        self.run(&docs, self.go.acquire()).await;
    }

    #[requests(on = "/wait_sync")]
    fn wait_sync(&self, docs: DocList<Text>, context: &Context) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        while self.go.try_acquire().map(|permit| permit.forget()).is_err() && !context.is_cancelled() {
            std::thread::yield_now();
        }
        drop(docs);
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    #[requests(on = "/most")]
    async fn most(&self, _docs: DocList<Text>) -> Value {
        json!({"most": self.most.load(Ordering::SeqCst), "running": self.running.load(Ordering::SeqCst)})
    }

    async fn close(&self) -> Result<(), Boom> {
        Err(Boom { code: 99 })
    }
}

impl Zoo {
    async fn run(&self, _docs: &DocList<Text>, go: impl Future<Output = impl Sized>) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        struct Leave<'a>(&'a AtomicUsize);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let _leave = Leave(&self.running);
        go.await;
    }
}
