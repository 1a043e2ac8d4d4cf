//! A Flow that is not ready says why: every executor that does not answer, where it was tried, and what failed.

use std::time::Duration;

use call::{Payload, Request, Response};
use gateway::{Port, Protocol};
use prost::Message as _;
use proto::jina::StatusProto;
use proto::jina::status_proto::StatusCode;
use tests::{Sandbox, Stub, Web};

/// A port of each protocol that tells.
fn everywhere(settings: &mut gateway::Settings) {
    settings.ports.extend([Port::of(&[Protocol::Http]), Port::of(&[Protocol::WebSocket])]);
}

/// What a dry run says on every protocol: whether the Flow is ready, and why not.
async fn told(sandbox: &Sandbox) -> Vec<(bool, String)> {
    let exchange = sandbox.caller().await.call(grpc::path::DRY_RUN, [Payload::new()]).await;
    let status = StatusProto::decode(exchange.responses[0].clone()).unwrap();
    let mut told = vec![(status.code() == StatusCode::Success, status.description)];
    for address in &sandbox.gateway().addresses()[1..] {
        let status = Web::new(*address).get("/dry_run").await.json();
        told.push((status["code"] == 0, status["description"].as_str().unwrap_or_default().to_owned()));
    }
    told
}

#[tokio::test]
async fn everybody_who_does_not_answer_is_named_with_address_and_cause() {
    let mut sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .executor("indexer", Stub::echo(&["/index"]))
        .executor("ranker", Stub::echo(&["/index"]))
        .settings(everywhere)
        .start()
        .await;
    assert_eq!(told(&sandbox).await, vec![(true, String::new()); 3]);
    let gone = [("encoder", sandbox.kill("encoder")), ("ranker", sandbox.kill("ranker"))];
    for (ready, why) in told(&sandbox).await {
        assert!(!ready);
        assert!(why.starts_with("2 of 3 executors fail the dry run"), "{why}");
        for (name, address) in gone {
            assert!(why.contains(&format!("executor `{name}`")), "{name}: {why}");
            assert!(why.contains(&address.to_string()), "{address}: {why}");
        }
        assert!(why.contains("refused"), "the cause: {why}");
        assert!(!why.contains("indexer"), "it answers: {why}");
    }
}

#[tokio::test]
async fn an_executor_that_never_answers_is_named_before_the_client_gives_up() {
    let silent = Stub::new(&["/index"], |_: Request| std::future::pending::<Result<Response, call::Error>>());
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .executor("ranker", silent)
        .start()
        .await;
    let caller = sandbox.caller().await.within(Duration::from_secs(2));
    let exchange = caller.call(grpc::path::DRY_RUN, [Payload::new()]).await;
    let status = StatusProto::decode(exchange.responses[0].clone()).unwrap();
    assert_eq!(status.code(), StatusCode::Error);
    assert!(status.description.starts_with("1 of 2 executors"), "{}", status.description);
    assert!(status.description.contains("executor `ranker`"), "{}", status.description);
}
