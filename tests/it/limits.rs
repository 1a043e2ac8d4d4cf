//! Nothing is taken on without bound.

use std::sync::Arc;

use call::{Limits, Request, Response};
use tests::{Sandbox, Stub, documents, eventually};
use tokio::sync::Semaphore;
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
async fn too_many_requests_are_refused_with_a_pause_to_wait() {
    let gate = Arc::new(Semaphore::new(0));
    let behind = gate.clone();
    let slow = Stub::new(&["/index"], move |request: Request| {
        let gate = behind.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(Response::One(request.message))
        }
    });
    let sandbox = Sandbox::builder()
        .executor("encoder", slow)
        .settings(|settings| settings.limits = Limits { requests: 1, ..Limits::default() })
        .start()
        .await;
    let (first, second) = (sandbox.caller().await, sandbox.caller().await);
    let (asked, other) = (request("/index"), request("/index"));
    let overloaded = async {
        eventually("the second request is refused", async || {
            let exchange = second.process(&other);
            match tokio::time::timeout(std::time::Duration::from_millis(200), exchange).await {
                Ok(refused) => refused.unwrap_err().code == Code::ResourceExhausted,
                // It came first.
                Err(_) => false,
            }
        })
        .await;
        gate.add_permits(10);
    };
    let (answer, ()) = tokio::join!(first.process(&asked), overloaded);
    answer.unwrap();
    eventually("requests are taken again", async || second.process(&other).await.is_ok()).await;
}
