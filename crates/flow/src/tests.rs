//! Flows in this process, from the builder and from files, over real sockets.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use docarray::{Doc, DocList, Id, NdArray};
use executor_runtime::{Registry, Setup, executor, requests};
use futures_util::TryStreamExt as _;
use serde_json::json;
use tokio::sync::Semaphore;

use super::*;

mod alone;
mod live;
mod shards;

#[derive(Debug, Clone, Default, PartialEq, Doc)]
struct Text {
    id: Id,
    text: Option<String>,
    left: Option<String>,
    right: Option<String>,
}

fn text(text: &str) -> Text {
    Text { text: Some(text.to_owned()), ..Text::default() }
}

fn texts(docs: &DocList<Text>) -> Vec<&str> {
    docs.iter().map(|doc| doc.text.as_deref().unwrap_or_default()).collect()
}

#[derive(Default)]
struct Foo;

#[executor]
impl Foo {
    #[requests]
    fn foo(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = Some("foo was called".to_owned());
        }
    }
}

/// Adds a text of its own to every document's, or writes it to a field.
struct Add {
    add: String,
    to: String,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct AddWith {
    add: String,
    to: String,
}

#[executor]
impl Add {
    fn new(with: AddWith, _setup: &Setup) -> Self {
        Self { add: with.add, to: with.to }
    }

    #[requests]
    fn add(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            match &*self.to {
                "left" => doc.left = Some(self.add.clone()),
                "right" => doc.right = Some(self.add.clone()),
                _ => doc.text.get_or_insert_default().push_str(&self.add),
            }
        }
    }
}

/// Answers the name of its replica.
struct Name(String);

#[executor]
impl Name {
    fn new(_with: serde_json::Map<String, serde_json::Value>, setup: &Setup) -> Self {
        Self(setup.name.clone())
    }

    #[requests]
    fn name(&self, docs: &mut DocList<Text>) {
        for doc in docs {
            doc.text = Some(self.0.clone());
        }
    }
}

fn add(name: &str, text: &str) -> Deployment {
    Deployment::new::<Add>().name(name).uses_with(json!({"add": text}))
}

/// A Flow on a free port of the loopback interface.
fn flow() -> Flow {
    Flow::new().config_gateway(|gateway| gateway.host("127.0.0.1").port(0))
}

async fn ask(running: &Running, docs: Vec<Text>) -> DocList<Text> {
    running.client().unwrap().post("/").inputs(docs).in_order(true).collect().await.unwrap()
}

#[tokio::test]
async fn foo_is_called() {
    let running = flow().add(Deployment::new::<Foo>()).start().await.unwrap();
    assert_eq!(texts(&ask(&running, vec![Text::default()]).await), ["foo was called"]);
    let many: Vec<_> = (0..1000).map(|n| text(&n.to_string())).collect();
    let ids: Vec<_> = many.iter().map(|doc| doc.id.clone()).collect();
    let client = running.client().unwrap();
    let answer =
        client.post("/").inputs(many).request_size(10).in_order(true).collect::<Text>().await.unwrap();
    assert_eq!(answer.iter().map(|doc| doc.id.clone()).collect::<Vec<_>>(), ids);
    client.dry_run().await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn executors_stand_in_a_chain_unless_they_say_otherwise() {
    let chain =
        flow().add(add("a", "a")).add(add("b", "b")).add(Deployment::pass_through()).add(add("c", "c"));
    let running = chain.start().await.unwrap();
    assert_eq!(texts(&ask(&running, vec![text("-")]).await), ["-abc"]);
}

#[tokio::test]
async fn branches_are_merged_where_they_meet() {
    let branch = |side: &str| Deployment::new::<Add>().name(side).uses_with(json!({"add": side, "to": side}));
    let branches = || {
        let branches = flow().add(add("first", "!")).add(branch("left").needs(["first"]));
        branches.add(branch("right").needs(["first"]))
    };
    for joined in [branches().needs(["left", "right"], "join"), branches().needs_all("join")] {
        let running = joined.add(add("last", "?")).start().await.unwrap();
        let answer = ask(&running, vec![text("a"), text("b")]).await;
        assert_eq!(texts(&answer), ["a!?", "b!?"]);
        for doc in &answer {
            assert_eq!((doc.left.as_deref(), doc.right.as_deref()), (Some("left"), Some("right")));
        }
    }
}

#[tokio::test]
async fn a_condition_chooses_documents() {
    let condition = json!({"text": {"$eq": "a"}});
    let running = flow()
        .add(add("first", ""))
        .add(add("chosen", "!").needs(["first"]).when(condition))
        .start()
        .await
        .unwrap();
    assert_eq!(texts(&ask(&running, vec![text("a"), text("b")]).await), ["a!"]);
}

#[tokio::test]
async fn replicas_share_the_work_and_externals_are_called() {
    let first = flow().add(Deployment::new::<Name>().name("name").replicas(2)).start().await.unwrap();
    let client = first.client().unwrap();
    let post = client.post("/").inputs((0..50).map(|_| Text::default())).request_size(1);
    let answer = post.collect::<Text>().await.unwrap();
    let mut names = texts(&answer);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["name/rep-0", "name/rep-1"]);

    let executor = first.executor_addresses("name").next().unwrap();
    let second = flow().add(Deployment::external([executor.to_string()]).name("far")).start().await.unwrap();
    assert_eq!(texts(&ask(&second, vec![Text::default()]).await), ["name/rep-0"]);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let wrong = Flow::new()
        .add(add("a", "").needs(["b"]))
        .add(Deployment::uses("jinahub://Some").name("b"))
        .add(Deployment::new::<Foo>().name("c").shards(2).option("uses_before", "jinahub://Before"));
    let Err(Error::Problems(problems)) = wrong.check() else { panic!("nothing is wrong") };
    let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    for part in ["`b`", "an executor from the Hub is not supported by this version", "Hub"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A file in a folder of its own.
fn file(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    (folder, file)
}

#[tokio::test]
async fn a_flow_file_means_the_same() {
    let (_folder, file) = file(
        "flow.yml",
        "jtype: Flow
gateway:
  host: 127.0.0.1
  port: 0
executors:
  - name: first
    uses: Add
    uses_with: {add: x, to: left}
  - uses: Foo
    needs: gateway
    name: other
  - name: join
    method: needs
    needs: [first, other]
",
    );
    let registry = Registry::new().with::<Add>().with::<Foo>();
    let plan = Flow::read(&file, registry).unwrap();
    assert_eq!(plan.graph().to_string(), "first+other > join");
    let running = plan.start().await.unwrap();
    let answer = ask(&running, vec![text("-")]).await;
    assert_eq!((texts(&answer), answer[0].left.as_deref()), (vec!["foo was called"], Some("x")));
}

#[test]
fn who_runs_what_can_be_read() {
    let plan = flow()
        .add(Deployment::new::<Foo>().name("rust").replicas(2))
        .add(Deployment::uses("PythonExecutor").name("python").when(json!({"text": {"$exists": true}})))
        .add(Deployment::external(["grpcs://far:443"]).name("far"))
        .add(Deployment::pass_through().name("last").shards(3))
        .check()
        .unwrap();
    let want = "rust > python > far > last

gateway: GRPC on any free port of 127.0.0.1, calls without a time limit, safe ones tried again on each replica, 1000 requests of a stream at once
rust: Foo, in this process, ready within 600s, 2 replicas
python: PythonExecutor, in Python, ready within 600s, when {\"text\":{\"$exists\":true}}
far: external, grpcs://far:443
last: hands documents through, in this process, ready within 600s, 3 shards";
    assert_eq!(plan.to_string(), want);
}

#[derive(Debug, Clone, Doc)]
struct Embedded {
    id: Id,
    text: Option<String>,
    left: Option<String>,
    right: Option<String>,
    embedding: NdArray,
}

#[derive(Default)]
struct Index;

#[executor]
impl Index {
    #[requests]
    fn index(&self, _docs: &mut DocList<Embedded>) {}
}

#[test]
fn executors_that_do_not_fit_are_found_before_anything_runs() {
    let chain =
        |first: Deployment| flow().add(first.name("encode")).add(Deployment::new::<Index>().name("index"));
    let wrong = chain(Deployment::new::<Foo>()).check().unwrap_err();
    assert_eq!(wrong.to_string(), "encode -> index: field `embedding` missing at `/default`");
    chain(Deployment::new::<Index>()).check().unwrap();
    chain(Deployment::uses("PythonExecutor")).check().unwrap();
}

/// Waits until it is let go.
#[derive(Default)]
struct Slow;

static BEGUN: Semaphore = Semaphore::const_new(0);
static LET_GO: Semaphore = Semaphore::const_new(0);

#[executor]
impl Slow {
    #[requests]
    async fn wait(&self, docs: &mut DocList<Text>) {
        BEGUN.add_permits(1);
        if let Ok(permit) = LET_GO.acquire().await {
            permit.forget();
        }
        for doc in docs {
            doc.text = Some("done".to_owned());
        }
    }
}

#[tokio::test]
async fn what_is_in_flight_is_finished_when_the_flow_stops() {
    let running = flow().add(Deployment::new::<Slow>()).start().await.unwrap();
    let client = running.client().unwrap();
    let call = client.post("/").inputs([Text::default()]).collect::<Text>();
    let told = Arc::new(Semaphore::new(0));
    let signal = {
        let told = told.clone();
        async move { told.acquire().await.unwrap().forget() }
    };
    let stopping = async {
        BEGUN.acquire().await.unwrap().forget();
        told.add_permits(1);
        // The gateway refuses new connections once it drains.
        let settings = client::Settings { patience: Duration::ZERO, ..client::Settings::default() };
        let address = client.address().to_string();
        while client::Client::connect_with(&address, settings.clone()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        LET_GO.add_permits(1);
    };
    let all = async { tokio::join!(call, running.run(signal), stopping) };
    let (answer, outcome, ()) = tokio::time::timeout(Duration::from_secs(20), all).await.unwrap();
    assert_eq!(texts(&answer.unwrap()), ["done"]);
    assert_eq!(outcome.unwrap(), server::Outcome::Clean);
}

/// Never answers.
#[derive(Default)]
struct Never;

#[executor]
impl Never {
    #[requests]
    async fn wait(&self, _docs: &mut DocList<Text>) {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_floating_executor_is_called_and_not_waited_for() {
    let running =
        flow().add(add("first", "!")).add(Deployment::new::<Never>().name("never").floating()).start();
    let running = running.await.unwrap();
    let mut answers = running.client().unwrap().post("/").inputs([text("a")]).send::<Text>();
    let answer = answers.try_next().await.unwrap().unwrap();
    assert_eq!(texts(&answer.documents), ["a!"]);
}
