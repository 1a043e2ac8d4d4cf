//! The gateway over HTTP.

use std::sync::Arc;
use std::time::Duration;

use call::{Error, ErrorCode, Request, Response};
use gateway::{Port, Protocol};
use serde_json::json;
use tests::{Caller, Sandbox, Stub, Web, eventually, soon};

use crate::{request, texts};

/// A port of gRPC and one of HTTP.
pub(crate) fn both(settings: &mut gateway::Settings) {
    settings.ports.push(Port::of(&[Protocol::Http]));
}

pub(crate) fn web(sandbox: &Sandbox) -> Web {
    Web::new(sandbox.gateway().addresses()[1])
}

#[tokio::test]
async fn both_protocols_are_served_at_once() {
    let sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(both).start().await;
    let body = json!({"data": [{"id": "a", "text": "one"}], "header": {"request_id": "r"}});
    let answer = web(&sandbox).post("/index", &body).await;
    let want = json!({
        "data": [{"id": "a", "text": "one"}],
        "parameters": {},
        "header": {"request_id": "r", "target_executor": ""},
    });
    assert_eq!(answer.json(), want);
    let caller: Caller = sandbox.caller().await;
    let answer = caller.process(&request("/index")).await.unwrap();
    assert_eq!(texts(&answer), [("a".to_owned(), "one".to_owned())]);
}

#[tokio::test]
async fn an_executor_that_is_gone_is_503_and_told_in_the_header() {
    let mut sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(both).start().await;
    sandbox.kill("encoder");
    let answer = web(&sandbox).post("/index", &json!({"data": [{"id": "a", "text": "one"}]})).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let status = &answer.json()["header"]["status"];
    assert_eq!((&status["code"], &status["exception"]["name"]), (&json!(1), &json!("InternalNetworkError")));
    assert!(status["description"].as_str().unwrap().contains("encoder"), "{status}");
    assert_eq!(web(&sandbox).get("/dry_run").await.json()["code"], 1);
}

#[tokio::test]
async fn a_client_that_waits_no_longer_gets_504_and_the_work_ends() {
    let work = Arc::new(());
    let never = {
        let work = work.clone();
        Stub::new(&["/index"], move |_: Request| {
            let working = work.clone();
            async move {
                std::future::pending::<()>().await;
                drop(working);
                Err::<Response, _>(Error::new(ErrorCode::Internal, "this never comes"))
            }
        })
    };
    let sandbox = Sandbox::builder().executor("encoder", never).settings(both).start().await;
    let headers = [("content-type", "application/json"), ("x-request-timeout", "0.2")];
    let answer = web(&sandbox).ask("POST", "/index", &headers, r#"{"data": [{"text": "x"}]}"#).await;
    assert_eq!(answer.status, 504);
    // The test has one, the stub and the handlers made of it the others; a request in work would be one more.
    let idle = Arc::strong_count(&work);
    eventually("the work ends", async || Arc::strong_count(&work) <= idle).await;
}

#[tokio::test]
async fn routes_come_with_the_executors_that_have_them() {
    let mut sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(both).start().await;
    let body = json!({"data": [{"id": "a", "text": "x"}]});
    assert_eq!(web(&sandbox).post("/search", &body).await.status, 404);
    let address = sandbox.kill("encoder");
    sandbox.revive("encoder", Stub::echo(&["/search"]), address);
    let found = async || web(&sandbox).post("/search", &body).await.status == 200;
    eventually("the new endpoint has a route", found).await;
    assert_eq!(web(&sandbox).post("/index", &body).await.status, 404);
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::channel(1);
    let release = Arc::new(tokio::sync::Notify::new());
    let stub = {
        let release = release.clone();
        Stub::new(&["/index"], move |request: Request| {
            let (arrived, release) = (arrived.clone(), release.clone());
            async move {
                // The test may have gone on already.
                let _gone = arrived.send(()).await;
                release.notified().await;
                Ok(Response::One(request.message))
            }
        })
    };
    let sandbox = Sandbox::builder()
        .executor("encoder", stub)
        .settings(both)
        .settings(|settings| settings.drain.linger = Duration::ZERO)
        .start()
        .await;
    let web = web(&sandbox);
    let (gateway, _executors) = sandbox.into_parts();
    let body = json!({"data": [{"id": "a", "text": "x"}]});
    let asked = web.post("/index", &body);
    let drained = async {
        soon("the request is there", arrivals.recv()).await;
        let stopped = gateway.stop();
        let released = async { release.notify_one() };
        tokio::join!(stopped, released).0
    };
    let (answer, outcome) = tokio::join!(asked, drained);
    assert_eq!(answer.status, 200);
    assert_eq!(outcome.unwrap(), server::Outcome::Clean);
}
