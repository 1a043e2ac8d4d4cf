//! Nothing is taken on without bound.

use std::sync::Arc;

use call::{Limits, Request, Response};
use tests::{Sandbox, Stub, documents};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tonic::Code;

use crate::request;

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .settings(|settings| settings.calls.max_message = 1000)
        .start()
        .await;
    let caller = sandbox.caller().await;
    let mut large = request("/index");
    large.documents = Some(documents::texts(&[("a", &"x".repeat(1000))]));
    assert_eq!(caller.process(&large).await.unwrap_err().code, Code::ResourceExhausted);
    caller.process(&request("/index")).await.unwrap();
}

#[tokio::test]
async fn large_messages_pass_where_there_is_no_limit() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let text = "x".repeat(20 << 20);
    let mut large = request("/index");
    large.documents = Some(documents::texts(&[("a", &text)]));
    let answer = sandbox.caller().await.process(&large).await.unwrap();
    assert_eq!(answer.documents, large.documents);
}

#[tokio::test]
async fn too_many_requests_are_refused() {
    let (called, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (called.clone(), gate.clone());
    let slow = Stub::new(&["/index"], move |request: Request| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            tell.notify_one();
            wait.notified().await;
            Ok(Response::One(request.message))
        }
    });
    let sandbox = Sandbox::builder()
        .executor("encoder", slow)
        .settings(|settings| settings.limits = Limits { requests: 1, ..Limits::default() })
        .start()
        .await;
    let (first, second) = (sandbox.caller().await, sandbox.caller().await);
    let asked = request("/index");
    let refused = async {
        called.notified().await;
        let refused = second.process(&asked).await.unwrap_err();
        gate.notify_one();
        refused
    };
    let (answer, refused) = tokio::join!(first.process(&asked), refused);
    answer.unwrap();
    assert_eq!(refused.code, Code::ResourceExhausted);
    gate.notify_one();
    second.process(&asked).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_asks_for_everything_leaves_room_for_others() {
    const LIMIT: usize = 10;
    let (gate, held) = (Arc::new(Semaphore::new(0)), watch::Sender::new(0));
    let (wait, mut count) = (gate.clone(), held.subscribe());
    let holding = Stub::new(&["/hold", "/index"], move |request: Request| {
        let (wait, held) = (wait.clone(), held.clone());
        async move {
            if request.message.header.endpoint.as_deref() == Some("/hold") {
                held.send_modify(|n| *n += 1);
                wait.acquire().await.expect("nobody closes it").forget();
            }
            Ok(Response::One(request.message))
        }
    });
    let sandbox = Sandbox::builder()
        .executor("encoder", holding)
        .settings(|settings| settings.limits = Limits { requests: LIMIT, ..Limits::default() })
        .start()
        .await;
    let (greedy, modest) = (Arc::new(sandbox.caller().await), sandbox.caller().await);
    let mut calls = JoinSet::new();
    for _ in 0..3 * LIMIT {
        let greedy = greedy.clone();
        calls.spawn(async move { greedy.process(&request("/hold")).await.map_err(|status| status.code) });
    }
    count.wait_for(|held| *held == 8).await.unwrap();
    let mut refused = 0;
    while refused < 3 * LIMIT - 8 {
        assert_eq!(calls.join_next().await.unwrap().unwrap().unwrap_err(), Code::ResourceExhausted);
        refused += 1;
    }
    for _ in 0..5 {
        modest.process(&request("/index")).await.expect("there is room for one that asks for little");
    }
    gate.add_permits(8);
    let answered = calls.join_all().await;
    assert_eq!((answered.len(), answered.iter().filter(|answer| answer.is_ok()).count()), (8, 8));
}
