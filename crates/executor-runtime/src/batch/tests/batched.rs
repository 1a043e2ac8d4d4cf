//! An executor whose calls are gathered, and which remembers them.

#![expect(clippy::unused_async, clippy::needless_pass_by_value, reason = "functions as users write them")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use call::{Deadline, Error, Header, Message, Metadata, Parameters, Request, Response};
use docarray::{Doc, DocList, Id};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::{Batching, Context, Entry, ExecutorSettings, Failure, Hosted, executor, host, requests};

#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub(super) struct Word {
    pub(super) id: Id,
    pub(super) text: String,
}

/// What a test and its executor share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) calls: Mutex<Vec<Vec<String>>>,
    pub(super) go: Option<Arc<Semaphore>>,
}

static SHARED: Mutex<BTreeMap<String, Arc<Shared>>> = Mutex::new(BTreeMap::new());

pub(super) struct Batched {
    shared: Arc<Shared>,
}

#[derive(serde::Deserialize)]
struct With {
    test: String,
}

#[executor]
impl Batched {
    fn new(with: With) -> Self {
        Self { shared: SHARED.lock().unwrap()[&with.test].clone() }
    }

    #[requests(on = "/mark", dynamic_batching(preferred_batch_size = 4, timeout = 1000))]
    async fn mark(&self, docs: &mut DocList<Word>) -> Result<(), Failure> {
        self.called(docs).await;
        if docs.iter().any(|doc| doc.text == "bad") {
            return Err(Failure::new("Bad", "a bad word"));
        }
        docs.iter_mut().for_each(|doc| doc.text.push('!'));
        docs.retain(|doc| doc.text != "lost!");
        Ok(())
    }

    #[requests(on = "/patient", dynamic_batching(preferred_batch_size = 4, timeout = 1000, isolate_errors))]
    fn patient(&self, docs: DocList<Word>) -> Result<DocList<Word>, Failure> {
        self.shared.calls.lock().unwrap().push(docs.iter().map(|doc| doc.text.clone()).collect());
        assert!(docs.iter().all(|doc| doc.text != "panic"), "in panic");
        if docs.iter().any(|doc| doc.text == "bad") {
            return Err(Failure::new("Bad", "a bad word"));
        }
        Ok(docs)
    }

    #[requests(on = "/weighed", dynamic_batching(preferred_batch_size = 10, timeout = 1000, custom_metric = Self::length))]
    async fn weighed(&self, docs: &DocList<Word>) {
        self.called(docs).await;
    }

    #[requests(on = "/object", dynamic_batching(timeout = 0))]
    async fn object(&self, _docs: DocList<Word>) -> Value {
        json!({})
    }

    #[requests(on = "/seen", dynamic_batching(preferred_batch_size = 2, timeout = 1000))]
    async fn seen(
        &self,
        docs: DocList<Word>,
        docs_matrix: Vec<DocList<Word>>,
        docs_map: BTreeMap<String, DocList<Word>>,
        parameters: &Map<String, Value>,
        context: &Context,
    ) -> DocList<Word> {
        let text = format!(
            "{} {} {} {}|{}",
            docs_matrix.len(),
            docs_map.len(),
            Value::Object(parameters.clone()),
            context.request_id(),
            context.endpoint()
        );
        docs.into_iter().map(|doc| Word { text: text.clone(), ..doc }).collect()
    }

    /// Its cost is per call: 100 ms, however many documents.
    #[requests(on = "/costly", dynamic_batching(preferred_batch_size = 32, timeout = 20))]
    async fn costly(&self, docs: &mut DocList<Word>) {
        self.called(docs).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    #[requests(on = "/plain")]
    async fn plain(&self, docs: &DocList<Word>) {
        self.called(docs).await;
    }
}

impl Batched {
    fn length(doc: &Word) -> usize {
        doc.text.len()
    }

    async fn called(&self, docs: &DocList<Word>) {
        self.shared.calls.lock().unwrap().push(docs.iter().map(|doc| doc.text.clone()).collect());
        if let Some(go) = &self.shared.go {
            go.acquire().await.unwrap().forget();
        }
    }
}

/// The executor of one test.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) hosted: Hosted,
    pub(super) shared: Arc<Shared>,
}

impl Stage {
    pub(super) fn new(test: &str) -> Self {
        Self::with(test, Shared::default(), |_| {})
    }

    pub(super) fn with(test: &str, shared: Shared, change: impl FnOnce(&mut ExecutorSettings)) -> Self {
        let shared = Arc::new(shared);
        SHARED.lock().unwrap().insert(test.to_owned(), shared.clone());
        let uses_with = json!({"test": test}).as_object().unwrap().clone();
        let mut settings = ExecutorSettings { uses_with, ..ExecutorSettings::default() };
        change(&mut settings);
        Self { hosted: host(&Entry::of::<Batched>(), settings).unwrap(), shared }
    }

    /// What the code was called with, and the sizes of these calls.
    pub(super) fn calls(&self) -> Vec<String> {
        self.shared.calls.lock().unwrap().iter().map(|call| call.join(" ")).collect()
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.shared.calls.lock().unwrap().iter().map(Vec::len).collect()
    }

    /// The texts of the answer, or how the executor's code failed, or our error's code.
    pub(super) async fn send(&self, request: Request) -> Result<String, Error> {
        let Response::One(answer) = self.hosted.handler().oneshot(request).await? else { panic!("a stream") };
        if let Some(status) = answer.header.status.filter(|status| status.is_error) {
            return Ok(status.description.to_string());
        }
        let docs = DocList::<Word>::read(answer.documents.unwrap()).unwrap();
        Ok(docs.into_iter().map(|doc| doc.text).collect::<Vec<_>>().join(" "))
    }

    pub(super) async fn post(&self, endpoint: &str, texts: &str) -> String {
        self.send(request(endpoint, texts)).await.unwrap()
    }
}

/// A request with a document for each word.
pub(super) fn request(endpoint: &str, texts: &str) -> Request {
    let docs = texts.split_whitespace().map(|text| Word { id: text.into(), text: text.to_owned() });
    let header = Header { request_id: "rid".into(), endpoint: Some(endpoint.into()), ..Header::default() };
    let documents = Some(docs.collect::<DocList<_>>().write());
    Request { message: Message { header, documents, ..Message::default() }, ..Request::default() }
}

pub(super) fn with_parameters(mut request: Request, parameters: &Value) -> Request {
    request.message.parameters = Parameters::from_map(parameters.as_object().unwrap());
    request
}

pub(super) fn with_priority(mut request: Request, priority: &str) -> Request {
    request.context.metadata = Metadata(vec![("x-priority".into(), priority.into())]);
    request
}

pub(super) fn within(mut request: Request, milliseconds: u64) -> Request {
    request.context.deadline = Deadline::after(Duration::from_millis(milliseconds));
    request
}

pub(super) fn batching(settings: &mut ExecutorSettings, key: &str, change: impl FnOnce(&mut Batching)) {
    change(settings.batching.entry(key.to_owned()).or_default());
}
