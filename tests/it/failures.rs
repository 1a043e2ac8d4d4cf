//! What goes wrong at executors and on the way to them.

use std::sync::mpsc;
use std::time::Duration;

use bytestring::ByteString;
use call::{Exception, Request, Response, Status};
use tests::{Sandbox, Stub, eventually, soon};
use tonic::Code;

use crate::{request, routes, texts};

/// Fails as executors do: with an answer.
fn raising() -> Stub {
    Stub::new(&["/index"], async |request: Request| {
        let mut message = request.message;
        message.header.status = Some(Box::new(Status {
            is_error: true,
            description: "ValueError('boom')".into(),
            exception: Some(Exception { name: "ValueError".into(), ..Exception::default() }),
        }));
        Ok(Response::One(message))
    })
}

/// Never answers; says when it is called and when it is dropped.
fn stuck() -> (Stub, mpsc::Receiver<&'static str>) {
    struct Dropped(mpsc::Sender<&'static str>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            // The test may be over.
            let _unheard = self.0.send("dropped");
        }
    }
    let (send, receive) = mpsc::channel();
    let stub = Stub::new(&["/index"], move |_| {
        send.send("called").unwrap();
        let dropped = Dropped(send.clone());
        async move {
            let _dropped = dropped;
            std::future::pending().await
        }
    });
    (stub, receive)
}

#[tokio::test]
async fn an_exception_ends_the_chain_and_is_an_answer() {
    let sandbox = Sandbox::builder()
        .executor("encoder", raising())
        .executor("ranker", Stub::echo(&["/index"]))
        .start()
        .await;
    let caller = sandbox.caller().await;
    let answer = caller.process(&request("/index")).await.unwrap();
    let status = answer.header.status.clone().unwrap();
    assert!(status.is_error);
    assert_eq!(status.description, "ValueError('boom')");
    assert_eq!(texts(&answer), [("a".to_owned(), "one".to_owned())]);
    let names: Vec<_> = routes(&answer).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["gateway", "encoder"]);
    let of_encoder = proto::message::routes(&answer.routes).unwrap().remove(1);
    assert_eq!(of_encoder.status, Some(status), "the route tells it too");
}

#[tokio::test]
async fn an_executor_that_is_gone_is_used_again_when_it_is_back() {
    let mut sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .executor("ranker", Stub::echo(&["/index"]))
        .start()
        .await;
    let caller = sandbox.caller().await;
    caller.process(&request("/index")).await.unwrap();

    let address = sandbox.kill("ranker");
    let status = caller.process(&request("/index")).await.unwrap_err();
    assert_eq!(status.code, Code::Unavailable);
    assert!(status.message.contains("ranker"), "{status}");

    sandbox.revive("ranker", Stub::echo(&["/index"]), address);
    eventually("the executor is used again", async || caller.process(&request("/index")).await.is_ok()).await;
}

#[tokio::test]
async fn deadlines_end_calls_and_executors_notice() {
    let (stub, seen) = stuck();
    let sandbox = Sandbox::builder().executor("encoder", stub).start().await;
    let short = Duration::from_millis(100);

    let of_client = sandbox.caller().await.within(short);
    assert_eq!(of_client.process(&request("/index")).await.unwrap_err().code, Code::DeadlineExceeded);

    let mut of_header = request("/index");
    of_header.header.timeout = Some(100);
    let status = sandbox.caller().await.process(&of_header).await.unwrap_err();
    assert_eq!(status.code, Code::DeadlineExceeded);

    for _ in 0..2 {
        eventually("the executor's work is dropped", async || seen.try_iter().any(|word| word == "dropped"))
            .await;
    }
}

#[tokio::test]
async fn each_try_is_bounded_by_timeout_send() {
    let (stub, _seen) = stuck();
    let sandbox = Sandbox::builder()
        .executor("encoder", stub)
        .settings(|settings| {
            settings.client.timeout_send = Some(Duration::from_millis(100));
            settings.client.retries = 0;
        })
        .start()
        .await;
    let status = sandbox.caller().await.process(&request("/index")).await.unwrap_err();
    assert_eq!(status.code, Code::DeadlineExceeded);
    assert!(status.message.contains("encoder"), "{status}");
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_the_work() {
    let (stub, seen) = stuck();
    let sandbox = Sandbox::builder().executor("encoder", stub).start().await;
    let caller = sandbox.caller().await;
    let request = request("/index");
    let mut call = Box::pin(caller.process(&request));
    eventually("the executor is called", async || {
        let _pending = tokio::time::timeout(Duration::from_millis(1), &mut call).await;
        seen.try_recv() == Ok("called")
    })
    .await;
    drop(call);
    eventually("the executor's work is dropped", async || seen.try_recv() == Ok("dropped")).await;
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_gateway_goes_on() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let caller = sandbox.caller().await;
    for path in [grpc::path::PROCESS_SINGLE_DATA, grpc::path::CALL] {
        let garbage = call::Payload::from(vec![0xff; 3]);
        assert_eq!(caller.call(path, [garbage]).await.code(), Code::InvalidArgument, "{path}");
    }
    caller.process(&request("/index")).await.unwrap();
}

#[tokio::test]
async fn an_executor_that_panics_fails_one_request() {
    let shy = Stub::new(&["/index"], async |request: Request| {
        assert_ne!(request.message.header.request_id, ByteString::from_static("bad"), "as asked");
        Ok(Response::One(request.message))
    });
    let sandbox = Sandbox::builder()
        .executor("encoder", shy)
        .settings(|settings| settings.client.retries = 0)
        .start()
        .await;
    let caller = sandbox.caller().await;
    let mut bad = request("/index");
    bad.header.request_id = "bad".into();
    soon("an answer", caller.process(&bad)).await.unwrap_err();
    eventually("the next request is answered", async || caller.process(&request("/index")).await.is_ok())
        .await;
}
