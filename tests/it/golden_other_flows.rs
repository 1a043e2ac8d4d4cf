//! Flows whose executors bind only the default endpoint, take documents of no declared class, or documents in documents, as
//! they were recorded with both major versions of Pydantic.
//!
//! The executors say of themselves what the recorded ones said. See [`crate::golden_http`] for how answers are compared.

use call::{Error, Payload, Request, Response};
use docarray::discovery::Discovery;
use docarray::{Doc, DocList, Id, Node, node};
use serde::Deserialize;
use tests::golden::{Recorded, load, read_discovery};
use tests::{Sandbox, Stub};

use crate::golden_http::{Exchange, compare, make, outline};
use crate::http::{both, web};

const FLOWS: &str = include_str!("../golden/http_other_flows.json");

#[derive(Debug, Deserialize)]
struct Flow {
    exchanges: Vec<Exchange>,
    openapi_paths: Vec<String>,
    discovery: Recorded,
}

/// A recorded Flow, but with ids where Jina leaves them out.
fn flow(dialect: &str, name: &str) -> Flow {
    let mut flow = Flow::deserialize(&load(FLOWS)[dialect][name]).unwrap();
    let made_up = format!(r#""id":"{}""#, "0".repeat(32));
    for exchange in &mut flow.exchanges {
        exchange.response.body = exchange.response.body.replace(r#""id":null"#, &made_up);
    }
    flow
}

/// A stub that says what was recorded, and answers documents with what `change` makes of them.
fn changing(
    recorded: &Recorded,
    change: impl Fn(Payload) -> Payload + Clone + Send + Sync + 'static,
) -> Stub {
    let discovery: Discovery = read_discovery(recorded);
    Stub::with_discovery(discovery, move |request: Request| {
        let mut message = request.message;
        let is_dry_run = message.header.endpoint.as_deref() == Some(call::DRY_RUN_ENDPOINT);
        if !is_dry_run {
            message.documents = message.documents.take().map(&change);
        }
        std::future::ready(Ok::<_, Error>(Response::One(message)))
    })
}

/// The documents with another text, every other field as it came.
fn with_texts(documents: Payload, text: impl Fn(&str) -> String) -> Payload {
    let mut docs = Vec::new();
    for doc in node::items(node::doc_list(documents).unwrap()) {
        node::put_item(&mut docs, |to| {
            let mut was = String::new();
            for field in node::fields(doc.unwrap()) {
                let (name, value) = field.unwrap();
                if &*name == "text" {
                    if let (Node::Text(text), _) = Node::read(value).unwrap() {
                        was = text.to_string();
                    }
                } else {
                    node::put_field(to, &name, |to| to.extend_from_slice(&value.into_bytes()));
                }
            }
            node::put_field(to, "text", |to| Node::Text(text(&was).into()).write(None, to));
        });
    }
    node::content(docs.into())
}

async fn check(flow: &Flow, stub: Stub, differs: &[(&str, u16)]) {
    let sandbox = Sandbox::builder().executor("executor0", stub).settings(both).start().await;
    for exchange in &flow.exchanges {
        let answer = make(&sandbox, &exchange.request).await;
        match differs.iter().find(|(name, _)| *name == exchange.name) {
            Some((name, status)) => assert_eq!(answer.status, *status, "{name}: {}", answer.text()),
            None => compare(exchange, &answer),
        }
    }
    let openapi = web(&sandbox).get("/openapi.json").await.json();
    let paths = openapi["paths"].as_object().unwrap();
    for path in &flow.openapi_paths {
        assert!(paths.contains_key(path), "{path}: {:?}", outline(&openapi).0);
    }
    assert_eq!(paths.len(), flow.openapi_paths.len());
}

#[tokio::test]
async fn a_flow_of_the_default_endpoint_answers_as_it_did() {
    for dialect in ["pydantic2", "pydantic1"] {
        let flow = flow(dialect, "default_endpoint_flow");
        let stub = changing(&flow.discovery, |docs| with_texts(docs, |text| format!("default:{text}")));
        check(&flow, stub, &[]).await;
    }
}

#[tokio::test]
async fn documents_of_no_declared_class_are_answered_as_they_were() {
    // Jina fails on lists in these documents with Pydantic 1.
    for (dialect, differs) in [("pydantic2", [].as_slice()), ("pydantic1", &[("rich", 200)])] {
        let flow = flow(dialect, "legacy_doc_flow");
        let stub = changing(&flow.discovery, |docs| with_texts(docs, |_| "legacy".to_owned()));
        check(&flow, stub, differs).await;
    }
}

/// A comment on a text.
#[derive(Debug, Clone, Default, Doc)]
#[document(name = "CommentDoc")]
struct Comment {
    id: Id,
    #[document(default = "anon")]
    author: String,
    #[document(default = 0.5)]
    stars: f64,
}

/// A text that people talk about.
#[derive(Debug, Clone, Default, Doc)]
#[document(name = "NestedDoc")]
struct Discussed {
    id: Id,
    title: String,
    #[document(default = 1.5)]
    score: f64,
    top: Option<Comment>,
    #[document(default)]
    comments: DocList<Comment>,
}

fn discuss(documents: Payload) -> Payload {
    let mut docs = DocList::<Discussed>::read(documents).unwrap();
    for doc in &mut docs {
        doc.score += 1.0;
        doc.comments.push(Comment { id: "c-new".into(), author: "exec".to_owned(), stars: 5.0 });
    }
    docs.write()
}

#[tokio::test]
async fn documents_in_documents_are_answered_as_they_were() {
    let flow = flow("pydantic1", "nested_flow");
    // Jina takes what is wrong for pairs of keys and values, or has the executor fail on it.
    check(&flow, changing(&flow.discovery, discuss), &[("bad", 422), ("missing_required", 422)]).await;
}
