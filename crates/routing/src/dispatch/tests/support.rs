//! Graphs, requests and answers as short texts, and executors that do what a test wants.
//!
//! - A graph: `start: p; p: a b; a: j; b: j; j: end`.
//! - Documents: `1 2=5`: ids, and the integer field `n` of those that have one.
//! - An answer: `1:p.b.j{a b j p} | gateway p a j b`: each document with its text and its flags, then the
//!   routes, `?` behind those without an end and `!` behind those that failed.
//!
//! Unless told otherwise, an executor appends its name to each document's text and sets a flag of that name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytestring::ByteString;
use call::{
    Answer, Error, ErrorCode, Exception, Hop, HopInput, Kind, Message, NodeIndex, Parameters, Payload,
    Request, Response, Status, Timestamp,
};
use docarray::discovery::Discovery;
use docarray::node::{self, Node};
use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use crate::{Dispatch, END, Endpoints, Graph, GraphSpec, START, Tasks};

pub(super) type AnyPool = BoxCloneSyncService<Hop, Answer, Error>;

/// What an executor does beside tagging.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Raises: the documents come back as they were.
    Fail,
    /// Says that something failed, beside a status of success.
    FailInPart,
    /// Cannot be reached.
    Down,
    /// Takes its time.
    Wait(Duration),
    /// Never answers.
    Hang,
    /// Returns an object.
    Return(Value),
    /// Adds a document.
    Add(&'static str),
    /// Answers with a header and routes of its own.
    Forget,
    /// Does not tag.
    Idle,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Post {
    pub(super) docs: &'static str,
    pub(super) endpoint: &'static str,
    pub(super) target: &'static str,
    pub(super) parameters: Option<Value>,
}

pub(super) struct Sandbox {
    spec: GraphSpec,
    acts: HashMap<String, Vec<Act>>,
    endpoints: HashMap<String, Vec<&'static str>>,
    tasks: Tasks,
    pub(super) tracker: TaskTracker,
    pub(super) log: Log,
}

/// What executors were sent: `name endpoint docs`, and their parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Call>>>);

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) node: String,
    pub(super) docs: String,
    pub(super) messages: Vec<Message>,
    pub(super) finished: bool,
}

impl Sandbox {
    pub(super) fn new(graph: &str) -> Self {
        let tracker = TaskTracker::new();
        Self {
            spec: spec(graph),
            acts: HashMap::new(),
            endpoints: HashMap::new(),
            tasks: Tasks::new(tracker.clone()),
            tracker,
            log: Log::default(),
        }
    }

    pub(super) fn when(mut self, node: &str, query: Value) -> Self {
        self.spec.conditions.insert(node.to_owned(), query);
        self
    }

    pub(super) fn no_reduce(mut self, node: &str) -> Self {
        self.spec.no_reduce.push(node.to_owned());
        self
    }

    pub(super) fn act(mut self, node: &str, act: Act) -> Self {
        self.acts.entry(node.to_owned()).or_default().push(act);
        self
    }

    pub(super) fn binds(mut self, node: &str, endpoints: &[&'static str]) -> Self {
        self.endpoints.insert(node.to_owned(), endpoints.to_vec());
        self
    }

    pub(super) fn at_most_floating(mut self, limit: usize) -> Self {
        self.tasks = self.tasks.at_most(limit);
        self
    }

    pub(super) fn dispatch(&self) -> Dispatch<AnyPool> {
        let graph = Arc::new(Graph::check(&self.spec).unwrap());
        let endpoints = Endpoints::new(&graph);
        for (name, bound) in &self.endpoints {
            let mut discovery = Discovery::default();
            for endpoint in bound {
                discovery.endpoints.insert(ByteString::from_static(endpoint), None);
            }
            endpoints.set(graph.index(name).unwrap(), Arc::new(discovery));
        }
        let pool = pool(&graph, self.acts.clone(), self.log.clone());
        Dispatch::new(graph, endpoints, pool, self.tasks.clone())
    }

    pub(super) async fn post(&self, post: Post) -> Result<Message, Error> {
        match self.dispatch().oneshot(request(&post)).await? {
            Response::One(message) => Ok(message),
            Response::Stream(_) => panic!("a stream for a request with documents"),
        }
    }

    /// Posts documents and checks what comes back.
    #[track_caller]
    pub(super) fn check(&self, case: &str, post: Post, want: &str) {
        let got = match in_time(self.post(post)) {
            Ok(message) => show(&message),
            Err(error) => format!("{:?}: {error}", error.code),
        };
        assert_eq!(got, want, "{case}");
    }
}

impl Log {
    /// The calls, in the order in which they began.
    pub(super) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn of(&self, node: &str) -> Call {
        let calls: Vec<_> = self.all().into_iter().filter(|call| call.node == node).collect();
        assert_eq!(calls.len(), 1, "{node} is called once");
        calls.into_iter().next().unwrap()
    }

    pub(super) fn names(&self) -> String {
        self.all().iter().map(|call| call.node.clone()).collect::<Vec<_>>().join(" ")
    }
}

impl Call {
    /// The parameters it was sent.
    pub(super) fn parameters(&self) -> Value {
        Value::Object(self.messages[0].parameters.to_map().unwrap())
    }
}

/// Runs a future with a paused clock.
pub(super) fn in_time<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

pub(super) fn spec(graph: &str) -> GraphSpec {
    let full = |name: &str| match name {
        "start" => START.to_owned(),
        "end" => END.to_owned(),
        other => other.to_owned(),
    };
    let mut spec = GraphSpec::default();
    for line in graph.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        let (node, successors) = line.split_once(':').unwrap();
        spec.description.insert(full(node.trim()), successors.split_whitespace().map(full).collect());
    }
    spec
}

pub(super) fn request(post: &Post) -> Request {
    let mut message = Message { documents: Some(docs(post.docs)), ..Message::default() };
    message.header.request_id = ByteString::from_static("id-1");
    message.header.endpoint = Some(ByteString::from_static(post.endpoint)).filter(|text| !text.is_empty());
    message.header.target_executor =
        Some(ByteString::from_static(post.target)).filter(|text| !text.is_empty());
    if let Some(Value::Object(map)) = &post.parameters {
        message.parameters = Parameters::from_map(map);
    }
    Request { message, kind: Kind::Documents, ..Request::default() }
}

// === Documents ===

#[derive(Debug, Clone, Default)]
struct Doc {
    id: String,
    text: String,
    n: Option<i32>,
    flags: Vec<String>,
}

pub(super) fn docs(text: &str) -> Payload {
    let doc = |word: &str| match word.split_once('=') {
        Some((id, n)) => Doc { id: id.to_owned(), n: Some(n.parse().unwrap()), ..Doc::default() },
        None => Doc { id: word.to_owned(), ..Doc::default() },
    };
    write(&text.split_whitespace().map(doc).collect::<Vec<_>>())
}

fn read(content: &Payload) -> Vec<Doc> {
    let mut docs = Vec::new();
    for doc in node::items(node::doc_list(content.clone()).unwrap()) {
        let mut read = Doc::default();
        for field in node::fields(doc.unwrap()) {
            let (name, wire) = field.unwrap();
            match (&*name, Node::read(wire).unwrap().0) {
                ("id", Node::Text(id)) => read.id = id.to_string(),
                ("text", Node::Text(text)) => read.text = text.to_string(),
                ("n", Node::Integer(n)) => read.n = Some(n),
                (flag, _) => read.flags.push(flag.to_owned()),
            }
        }
        docs.push(read);
    }
    docs
}

fn write(docs: &[Doc]) -> Payload {
    let mut list = Payload::new();
    for doc in docs {
        let mut wire = Vec::new();
        let mut put = |name: &str, value: Node| node::put_field(&mut wire, name, |to| value.write(None, to));
        put("id", Node::Text(doc.id.as_str().into()));
        put("text", Node::Text(doc.text.as_str().into()));
        if let Some(n) = doc.n {
            put("n", Node::Integer(n));
        }
        for flag in &doc.flags {
            put(flag, Node::Boolean(true));
        }
        node::append_item(&mut list, wire.into());
    }
    node::content(list)
}

pub(super) fn show_docs(message: &Message) -> String {
    let mut docs = message.documents.as_ref().map(read).unwrap_or_default();
    let show = |doc: &mut Doc| {
        doc.flags.sort();
        format!("{}:{}{{{}}}", doc.id, doc.text, doc.flags.join(" "))
    };
    docs.iter_mut().map(show).collect::<Vec<_>>().join(" ")
}

pub(super) fn show(message: &Message) -> String {
    assert!(message.routes.received.is_empty(), "routes are rebuilt");
    assert_eq!(message.header.request_id, "id-1");
    assert_eq!(message.header.target_executor.as_deref(), Some(""), "the target is present and empty");
    let mut routes = Vec::new();
    for route in &message.routes.added {
        assert!(route.start.is_some() && route.end.is_none_or(|end| Some(end) >= route.start));
        let open = if route.end.is_none() { "?" } else { "" };
        let failed = if route.status.is_some() { "!" } else { "" };
        routes.push(format!("{}{open}{failed}", route.executor));
    }
    let status = if message.is_error() { "ERROR " } else { "" };
    format!("{status}{} | {}", show_docs(message), routes.join(" "))
}

// === Executors ===

fn pool(graph: &Graph, acts: HashMap<String, Vec<Act>>, log: Log) -> AnyPool {
    let names: Arc<HashMap<NodeIndex, String>> =
        Arc::new(graph.nodes().map(|(index, name)| (index, name.to_string())).collect());
    let acts = Arc::new(acts);
    BoxCloneSyncService::new(tower::service_fn(move |hop: Hop| {
        let name = names[&hop.node].clone();
        let acts = acts.get(&name).cloned().unwrap_or_default();
        let log = log.clone();
        async move { execute(&name, &acts, hop, &log).await }
    }))
}

async fn execute(name: &str, acts: &[Act], hop: Hop, log: &Log) -> Result<Answer, Error> {
    let messages = match hop.input {
        HopInput::One(message) => vec![message],
        HopInput::Many(messages) => messages,
        HopInput::Stream(message) => {
            let second = message.clone();
            let parts = futures_util::stream::iter([Ok(message), Ok(second)]);
            return Ok(Answer::Stream(Box::pin(parts)));
        }
    };
    let shown: Vec<_> = messages.iter().map(show_docs).collect();
    let place = {
        let mut log = log.0.lock().unwrap();
        let docs = shown.join(" + ");
        log.push(Call { node: name.to_owned(), docs, messages: messages.clone(), finished: false });
        log.len() - 1
    };
    let mut answer = messages[0].clone();
    let mut docs: Vec<Doc> =
        messages.iter().filter_map(|message| message.documents.as_ref()).flat_map(read).collect();
    let (mut failed, mut tags) = (false, true);
    for act in acts {
        match act {
            Act::Fail => {
                failed = true;
                tags = false;
                let executor = name.into();
                let exception =
                    Some(Exception { name: "ValueError".into(), executor, ..Exception::default() });
                answer.header.status =
                    Some(Box::new(Status { is_error: true, description: "no".into(), exception }));
            }
            Act::FailInPart => failed = true,
            Act::Down => return Err(Error::new(ErrorCode::Unavailable, format!("{name} is down"))),
            Act::Wait(time) => tokio::time::sleep(*time).await,
            Act::Hang => std::future::pending().await,
            Act::Return(value) => {
                let mut map = answer.parameters.to_map().unwrap();
                map.insert(call::RESULTS_KEY.to_owned(), value.clone());
                map.insert("noise".to_owned(), Value::Null);
                answer.parameters = Parameters::from_map(&map);
            }
            Act::Add(id) => docs.push(Doc { id: (*id).to_owned(), ..Doc::default() }),
            Act::Forget => {
                answer.header = call::Header::default();
                answer.parameters = Parameters::from_map(&Map::new());
                answer.routes = call::Routes::default();
            }
            Act::Idle => tags = false,
        }
    }
    if tags {
        for doc in &mut docs {
            doc.text = if doc.text.is_empty() { name.to_owned() } else { format!("{}.{name}", doc.text) };
            doc.flags.push(name.to_owned());
        }
        answer.documents = Some(write(&docs));
    }
    answer.routes.added.push(call::Route {
        executor: "own".into(),
        start: Some(Timestamp::now()),
        ..call::Route::default()
    });
    log.0.lock().unwrap()[place].finished = true;
    Ok(Answer::One { message: answer, failed })
}
