//! What goes well.

use std::sync::mpsc;

use call::{Message, Parameters, Request, Response};
use serde_json::{Value, json};
use tests::{Sandbox, Stub, documents};

use crate::{request, routes, texts};

/// Appends `suffix` to every text.
fn suffix(endpoints: &[&'static str], suffix: &'static str) -> Stub {
    Stub::new(endpoints, move |request: Request| {
        let mut message = request.message;
        let all = message.documents.take().map(documents::read_texts).unwrap_or_default();
        let all: Vec<_> = all.into_iter().map(|(id, text)| (id, text + suffix)).collect();
        let all: Vec<_> = all.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
        message.documents = Some(documents::texts(&all));
        std::future::ready(Ok(Response::One(message)))
    })
}

fn parameters(value: &Value) -> Parameters {
    Parameters::from_map(value.as_object().expect("an object"))
}

fn to_json(parameters: &Parameters) -> Value {
    Value::Object(parameters.to_map().expect("parameters"))
}

#[tokio::test]
async fn documents_pass_through_all_executors() {
    let sandbox = Sandbox::builder()
        .executor("encoder", suffix(&["/index"], "+encoder"))
        .executor("ranker", suffix(&["/index"], "+ranker"))
        .start()
        .await;
    let answer = sandbox.caller().await.process(&request("/index")).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one+encoder+ranker".to_owned())]);
    let all = ["gateway", "encoder", "ranker"].map(|name| (name.to_owned(), true));
    assert_eq!(routes(&answer), all);
    assert_eq!(answer.header.request_id, "r");
    assert_eq!(answer.header.target_executor.as_deref(), Some(""));
    assert!(answer.header.status.is_none());
}

#[tokio::test]
async fn branches_come_together() {
    let sandbox = Sandbox::builder()
        .executor("left", suffix(&["/index"], "+left"))
        .executor("right", suffix(&["/index"], "+right"))
        .executor("join", suffix(&["/index"], "+join"))
        .graph("start-gateway: left, right; left: join; right: join; join: end-gateway")
        .start()
        .await;
    let answer = sandbox.caller().await.process(&request("/index")).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one+right+join".to_owned())]);
}

#[tokio::test]
async fn an_empty_list_is_answered() {
    let sandbox = Sandbox::builder().executor("encoder", suffix(&["/index"], "+")).start().await;
    let caller = sandbox.caller().await;
    let mut empty = request("/index");
    empty.documents = Some(documents::texts(&[]));
    assert_eq!(texts(&caller.process(&empty).await.unwrap()), []);
    empty.documents = None;
    let answer = caller.process(&empty).await.unwrap();
    assert_eq!(answer.documents.map(documents::read_texts), Some(Vec::new()));
}

#[tokio::test]
async fn an_unknown_endpoint_is_passed_by() {
    let sandbox = Sandbox::builder()
        .executor("encoder", suffix(&["/index"], "+encoder"))
        .executor("ranker", suffix(&["/index", "/rank"], "+ranker"))
        .start()
        .await;
    let caller = sandbox.caller().await;
    let answer = caller.process(&request("/rank")).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one+ranker".to_owned())]);
    let passed = [("gateway", true), ("encoder", false), ("ranker", true)];
    assert_eq!(routes(&answer), passed.map(|(name, ended)| (name.to_owned(), ended)));
    let answer = caller.process(&request("/nobody")).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one".to_owned())]);
    assert!(answer.header.status.is_none());
}

#[tokio::test]
async fn target_executor_chooses() {
    let sandbox = Sandbox::builder()
        .executor("encoder", suffix(&["/index"], "+encoder"))
        .executor("ranker", suffix(&["/index"], "+ranker"))
        .start()
        .await;
    let mut chosen = request("/index");
    chosen.header.target_executor = Some("rank".into());
    let answer = sandbox.caller().await.process(&chosen).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one+ranker".to_owned())]);
    assert_eq!(answer.header.target_executor.as_deref(), Some(""));
}

#[tokio::test]
async fn parameters_are_scoped_and_results_collected() {
    let (send, receive) = mpsc::channel();
    let tell = |name: &'static str| {
        let send = send.clone();
        Stub::new(&["/index"], move |request: Request| {
            let mut message: Message = request.message;
            let mut seen = to_json(&message.parameters);
            send.send((name, seen.clone())).unwrap();
            seen["__results__"] = json!({name: {"count": 1}});
            message.parameters = parameters(&seen);
            std::future::ready(Ok(Response::One(message)))
        })
    };
    let sandbox = Sandbox::builder()
        .executor("encoder", tell("encoder"))
        .executor("ranker", tell("ranker"))
        .start()
        .await;
    let mut asked = request("/index");
    let sent = json!({"x": 1.0, "encoder__y": 2.0, "ranker__y": 3.0, "encoder": {"z": 4.0}});
    asked.parameters = parameters(&sent);
    let answer = sandbox.caller().await.process(&asked).await.unwrap();
    let seen: Vec<_> = receive.try_iter().collect();
    let encoder = json!({"x": 1.0, "encoder": {"z": 4.0}, "y": 2.0, "z": 4.0});
    let ranker = json!({"x": 1.0, "encoder": {"z": 4.0}, "y": 3.0});
    assert_eq!(seen, [("encoder", encoder), ("ranker", ranker)]);
    let mut want = sent;
    want["__results__"] = json!({"encoder": {"count": 1.0}, "ranker": {"count": 1.0}});
    assert_eq!(to_json(&answer.parameters), want);
}

#[tokio::test]
async fn executors_are_sent_their_metadata_and_the_endpoint() {
    let (send, receive) = mpsc::channel();
    let encoder = Stub::new(&["/index"], move |request: Request| {
        send.send(request.context.metadata.clone()).unwrap();
        std::future::ready(Ok(Response::One(request.message)))
    });
    let sandbox = Sandbox::builder().executor("encoder", encoder).start().await;
    let caller = sandbox
        .caller()
        .await
        .with_header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    caller.process(&request("/index")).await.unwrap();
    let seen = receive.try_recv().unwrap();
    assert_eq!(seen.0[0].0, "traceparent", "{seen:?}");
}
