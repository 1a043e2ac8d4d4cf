//! Executors in shards, each of which does what a test wants.

use std::collections::HashMap;
use std::sync::Mutex;

use bytestring::ByteString;
use call::{ErrorCode, HopInput, Message, Parameters, Status};
use docarray::discovery::{EndpointSchema, Model};
use docarray::{Doc, DocList, Id};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use super::*;

#[derive(Debug, Clone, Default, Doc)]
struct Text {
    id: Id,
    text: Option<String>,
    words: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    /// Appends its name.
    Tag,
    /// Adds a document.
    Add,
    /// Returns an object.
    Return,
    /// Raises.
    Fail,
    /// Says that something failed, beside a status of success.
    FailInPart,
    /// Cannot be reached.
    Down,
}

/// A node in shards, named `x`, and what its executors are asked.
struct Sandbox {
    spec: ShardsSpec,
    acts: HashMap<usize, Act>,
    bound: HashMap<usize, &'static str>,
    log: Arc<Mutex<Vec<String>>>,
}

type AnyPool = BoxCloneSyncService<Hop, Answer, Error>;

impl Sandbox {
    fn new(n: usize) -> Self {
        let spec = ShardsSpec { n, ..ShardsSpec::default() };
        Self { spec, acts: HashMap::new(), bound: HashMap::new(), log: Arc::default() }
    }

    fn with(mut self, change: impl FnOnce(&mut ShardsSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    /// Executors are numbered as they are called.
    fn act(mut self, executor: usize, act: Act) -> Self {
        self.acts.insert(executor, act);
        self
    }

    fn binds(mut self, executor: usize, endpoint: &'static str) -> Self {
        self.bound.insert(executor, endpoint);
        self
    }

    fn service(&self) -> Sharding<AnyPool> {
        let name = ExecutorName::try_from("x").unwrap();
        let layout = Layout::new([(name, Some(self.spec.clone()))]);
        let found: Vec<_> = (0..layout.members().len())
            .map(|executor| self.bound.get(&executor).map(|endpoint| Arc::new(discovery(endpoint))))
            .collect();
        let _of_nodes = layout.update(&found);
        let (acts, log) = (self.acts.clone(), self.log.clone());
        let pool = tower::service_fn(move |hop: Hop| {
            let act = acts.get(&hop.node.0).copied().unwrap_or(Act::Tag);
            std::future::ready(execute(hop, act, &log))
        });
        Sharding::new(layout, BoxCloneSyncService::new(pool))
    }

    async fn post(&self, endpoint: &'static str) -> Result<(Message, bool), Error> {
        match self.service().oneshot(hop(HopInput::One(request(endpoint)))).await? {
            Answer::One { message, failed } => Ok((message, failed)),
            Answer::Stream(_) => panic!("a stream"),
        }
    }

    fn calls(&self) -> String {
        self.log.lock().unwrap().drain(..).collect::<Vec<_>>().join(" ")
    }
}

fn hop(input: HopInput) -> Hop {
    Hop { node: NodeIndex(0), input, context: call::Context::default() }
}

fn request(endpoint: &'static str) -> Message {
    let doc = Text { id: "a".to_owned().into(), ..Text::default() };
    let mut message = Message { documents: Some(DocList::from(vec![doc]).write()), ..Message::default() };
    message.header.request_id = "r".into();
    message.header.endpoint = Some(endpoint.into());
    message
}

fn discovery(endpoint: &'static str) -> Discovery {
    let model = |name: &str| Model { name: name.into(), schema: json!({"title": name}) };
    let schema = EndpointSchema {
        input: model(&format!("In{endpoint}")),
        output: model(&format!("Out{endpoint}")),
        parameters: None,
        is_generator: false,
        is_singleton_doc: false,
    };
    let endpoints = [(ByteString::from_static(endpoint), Some(schema))].into_iter().collect();
    Discovery { endpoints, ..Discovery::default() }
}

/// What executor number `n` answers. It forgets the endpoint, as executors may.
fn execute(hop: Hop, act: Act, log: &Mutex<Vec<String>>) -> Result<Answer, Error> {
    let n = hop.node.0;
    let messages = match hop.input {
        HopInput::One(message) => vec![message],
        HopInput::Many(messages) => messages,
        HopInput::Stream(message) => {
            log.lock().unwrap().push(n.to_string());
            return Ok(Answer::Stream(Box::pin(stream::iter([Ok(message.clone()), Ok(message)]))));
        }
    };
    for message in &messages {
        assert_eq!((&*message.header.request_id, message.is_error()), ("r", false));
        assert!(message.header.endpoint.is_some(), "the endpoint is told again");
    }
    log.lock().unwrap().push(format!("{n}:{}", messages.len()));
    let read = |message: &Message| DocList::<Text>::read(message.documents.clone().unwrap()).unwrap();
    let mut docs: Vec<Text> = messages.iter().flat_map(read).collect();
    let mut answer = messages.into_iter().next().unwrap();
    let mut failed = false;
    match act {
        Act::Down => return Err(Error::new(ErrorCode::Unavailable, format!("{n} is down"))),
        Act::Fail => {
            let description = format!("{n} failed").into();
            answer.header.status = Some(Box::new(Status { is_error: true, description, exception: None }));
            failed = true;
        }
        Act::FailInPart => failed = true,
        Act::Add => docs.push(Text { id: format!("new-{n}").into(), ..Text::default() }),
        Act::Return => {
            let results = json!({"__results__": {format!("x-{n}"): {"n": n}}});
            answer.parameters = Parameters::from_map(results.as_object().unwrap());
        }
        Act::Tag => {}
    }
    if !failed {
        for doc in &mut docs {
            doc.text = Some(format!("{}{n}", doc.text.take().unwrap_or_default()));
            doc.words.push(n.to_string());
        }
        answer.header.endpoint = None;
    }
    answer.documents = Some(DocList::from(docs).write());
    answer.trailers.0.push(("is-error".into(), failed.to_string().into()));
    answer.trailers.0.push((format!("from-{n}").into(), "yes".into()));
    Ok(Answer::One { message: answer, failed })
}

/// `id:text:words`, document by document.
fn show(message: &Message) -> String {
    let docs = DocList::<Text>::read(message.documents.clone().unwrap()).unwrap();
    let show =
        |doc: Text| format!("{}:{}:{}", doc.id.as_str(), doc.text.unwrap_or_default(), doc.words.concat());
    docs.into_iter().map(show).collect::<Vec<_>>().join(" ")
}

fn trailers(message: &Message) -> String {
    message.trailers.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_endpoint_tells_which_shards_are_asked() {
    let mut polling = Polling::default();
    polling.endpoints.insert("/all".to_owned(), Polls::All);
    let sandbox = Sandbox::new(3).with(|spec| spec.polling = polling);
    let service = sandbox.service();
    for (endpoint, want) in [
        ("/any", "0:1"),
        ("/any", "1:1"),
        ("/all", "0:1 1:1 2:1"),
        ("/index", "2:1"),
        ("/any", "0:1"),
        ("/search", "0:1 1:1 2:1"),
    ] {
        service.clone().oneshot(hop(HopInput::One(request(endpoint)))).await.unwrap();
        assert_eq!(sandbox.calls(), want, "{endpoint}");
    }
    let mut service = service;
    service.call_for("/search", hop(HopInput::One(request("/any")))).await.unwrap();
    assert_eq!(sandbox.calls(), "0:1 1:1 2:1", "the caller may know better than the message");
}

#[tokio::test]
async fn answers_of_shards_are_merged_and_the_last_has_its_way() {
    let sandbox = Sandbox::new(3).act(0, Act::Add).act(2, Act::Add);
    let (message, failed) = sandbox.post("/search").await.unwrap();
    assert_eq!(show(&message), "a:2:012 new-0:0:0 new-2:2:2");
    assert!(!failed && !message.is_error());
    assert_eq!(trailers(&message), "from-0=yes from-1=yes from-2=yes total_shards=3 failed_shards=0");
    assert_eq!(message.parameters.get("__results__").unwrap(), Some(json!({})));

    let (message, _) = sandbox.with(|spec| spec.no_reduce = true).post("/search").await.unwrap();
    assert_eq!(show(&message), "a:0:0 new-0:0:0 a:1:1 a:2:2 new-2:2:2");
}

#[tokio::test]
async fn what_one_shard_answers_is_passed_on() {
    let (message, _) = Sandbox::new(2).post("/index").await.unwrap();
    assert_eq!((show(&message).as_str(), message.parameters.is_empty()), ("a:0:0", true));
    assert_eq!(trailers(&message), "from-0=yes total_shards=1 failed_shards=0");
}

#[tokio::test]
async fn results_of_all_executors_are_collected() {
    let around = |spec: &mut ShardsSpec| (spec.uses_before, spec.uses_after) = (true, true);
    let sandbox = (0..4).fold(Sandbox::new(2).with(around), |all, n| all.act(n, Act::Return));
    let (message, _) = sandbox.post("/search").await.unwrap();
    let want: Value = (0..4).map(|n| (format!("x-{n}"), json!({"n": f64::from(n)}))).collect();
    assert_eq!(message.parameters.get("__results__").unwrap(), Some(want));
}

#[tokio::test]
async fn a_shard_that_fails_makes_the_answer_an_error() {
    let sandbox = Sandbox::new(2).act(1, Act::Fail).with(|spec| spec.uses_after = true);
    let (message, failed) = sandbox.post("/search").await.unwrap();
    assert_eq!((show(&message).as_str(), failed), ("a:0:0", true));
    assert_eq!(message.header.status.as_ref().unwrap().description, "1 failed");
    assert_eq!(sandbox.calls(), "0:1 1:1", "nobody goes on with it");
    assert_eq!(trailers(&message), "from-0=yes from-1=yes total_shards=2 failed_shards=0");

    let (message, failed) = Sandbox::new(1).act(0, Act::FailInPart).post("/").await.unwrap();
    assert!(failed && message.is_error(), "{message:?}");
}

#[tokio::test]
async fn shards_that_cannot_be_reached_are_left_out() {
    let sandbox = Sandbox::new(3).act(1, Act::Down);
    let (message, failed) = sandbox.post("/search").await.unwrap();
    assert_eq!((show(&message).as_str(), failed), ("a:2:02", false));
    assert_eq!(trailers(&message), "from-0=yes from-2=yes total_shards=3 failed_shards=1");

    let sandbox = Sandbox::new(2).act(0, Act::Down).act(1, Act::Down).with(|spec| spec.uses_after = true);
    let error = sandbox.post("/search").await.unwrap_err();
    assert_eq!((error.code, error.to_string().as_str()), (ErrorCode::Unavailable, "0 is down"));
}

#[tokio::test]
async fn executors_before_and_after_the_shards_are_called_once() {
    let around = |spec: &mut ShardsSpec| (spec.uses_before, spec.uses_after) = (true, true);
    let sandbox = Sandbox::new(2).with(around);
    let (message, _) = sandbox.post("/search").await.unwrap();
    assert_eq!(sandbox.calls(), "0:1 1:1 2:1 3:2");
    assert_eq!(show(&message), "a:013:013 a:023:023");
    assert_eq!(
        trailers(&message),
        "from-0=yes from-1=yes from-2=yes from-3=yes total_shards=2 failed_shards=0"
    );

    let elsewhere = sandbox.binds(0, "/other").binds(3, "/other");
    elsewhere.post("/search").await.unwrap();
    assert_eq!(elsewhere.calls(), "1:1 2:1", "they do not bind this endpoint");

    let failing = Sandbox::new(2).with(around).act(0, Act::Fail);
    let (message, failed) = failing.post("/search").await.unwrap();
    assert!(failed && message.is_error());
    assert_eq!(failing.calls(), "0:1");
}

#[tokio::test]
async fn a_stream_comes_from_one_shard() {
    let sandbox = Sandbox::new(2);
    let service = sandbox.service();
    let answer = service.clone().oneshot(hop(HopInput::Stream(request("/any")))).await.unwrap();
    let Answer::Stream(parts) = answer else { panic!("one message") };
    assert_eq!((parts.count().await, sandbox.calls().as_str()), (2, "0"));
    let error = service.oneshot(hop(HopInput::Stream(request("/search")))).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unimplemented);
}

#[test]
fn a_node_in_shards_binds_what_any_of_its_executors_binds() {
    let name = |name| ExecutorName::try_from(name).unwrap();
    let spec = ShardsSpec { n: 2, uses_before: true, uses_after: true, ..ShardsSpec::default() };
    let layout = Layout::new([(name("w"), None), (name("x"), Some(spec))]);
    let parts: Vec<_> = layout.members().iter().map(|member| (member.node.0, member.part)).collect();
    assert_eq!(
        parts,
        [(0, Part::Whole), (1, Part::Before), (1, Part::Shard(0)), (1, Part::Shard(1)), (1, Part::After)]
    );
    let found = |endpoint| Some(Arc::new(discovery(endpoint)));
    let known = layout.update(&[found("/w"), found("/a"), None, None, found("/b")]);
    assert_eq!((known[0].clone(), known[1].clone()), (found("/w"), None), "no shard has answered");
    let known = layout.update(&[None, None, None, found("/b"), None]);
    let sharded = known[1].as_ref().unwrap();
    assert_eq!(sharded.endpoints.keys().map(|name| &**name).collect::<Vec<_>>(), ["/a", "/b"]);
    assert_eq!(&*sharded.schema("/a").unwrap().input.name, "In/a");
    assert_eq!(&*sharded.schema("/b").unwrap().output.name, "Out/b");
}
