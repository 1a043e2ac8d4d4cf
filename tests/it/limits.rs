//! Nothing is taken on without bound.

use std::sync::Arc;

use call::{Limits, Request, Response};
use tests::{Sandbox, Stub, documents};
use tokio::sync::Notify;
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
