//! Streams of requests and of documents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytestring::ByteString;
use call::{Error, ErrorCode, Kind, Message, Payload, Request, Response};
use futures_util::stream;
use tests::{Sandbox, Stub, documents};
use tokio::sync::Notify;
use tonic::Code;

use crate::request;

fn numbered(n: usize) -> Payload {
    let mut message = request("/index");
    message.header.request_id = ByteString::from(n.to_string());
    proto::message::write(&message)
}

fn ids(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &*message.header.request_id).collect()
}

/// Answers the request `first` only after all `others` have been answered.
fn reversing(others: usize) -> Stub {
    let (answered, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    Stub::new(&["/index"], move |request: Request| {
        let (answered, all) = (answered.clone(), all.clone());
        async move {
            if request.message.header.request_id == "0" {
                all.notified().await;
            } else if answered.fetch_add(1, Ordering::SeqCst) + 1 == others {
                all.notify_one();
            }
            Ok(Response::One(request.message))
        }
    })
}

#[tokio::test]
async fn answers_come_as_they_are_ready_or_in_order() {
    let sandbox = Sandbox::builder().executor("encoder", reversing(9)).start().await;
    let exchange = sandbox.caller().await.call(grpc::path::CALL, (0..10).map(numbered)).await;
    assert_eq!(exchange.code(), Code::Ok);
    assert_eq!(ids(&exchange.messages()).last(), Some(&"0"));

    let sandbox = Sandbox::builder().executor("encoder", reversing(9)).start().await;
    let in_order = sandbox.caller().await.with_header("__results_in_order__", "true");
    let exchange = in_order.call(grpc::path::CALL, (0..10).map(numbered)).await;
    assert_eq!(exchange.code(), Code::Ok);
    assert_eq!(ids(&exchange.messages()), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

#[tokio::test]
async fn prefetch_bounds_what_is_in_flight() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let counting = Stub::new(&["/index"], move |request: Request| {
        let (now, most) = (now.clone(), most.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(Response::One(request.message))
        }
    });
    let sandbox = Sandbox::builder().executor("encoder", counting).start().await;
    let caller = sandbox.caller().await.with_header("__prefetch__", "2");
    let exchange = caller.call(grpc::path::CALL, (0..50).map(numbered)).await;
    assert_eq!((exchange.code(), exchange.responses.len()), (Code::Ok, 50));
    assert!(seen.load(Ordering::SeqCst) <= 2, "{seen:?}");
}

#[tokio::test]
async fn an_empty_stream_ends_well() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let exchange = sandbox.caller().await.call(grpc::path::CALL, []).await;
    assert_eq!((exchange.code(), exchange.responses.len()), (Code::Ok, 0));
}

#[tokio::test]
async fn an_executor_that_is_gone_ends_the_stream_with_its_name() {
    let mut sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let caller = sandbox.caller().await;
    let _address = sandbox.kill("encoder");
    let exchange = caller.call(grpc::path::CALL, (0..3).map(numbered)).await;
    assert_eq!(exchange.code(), Code::Unavailable);
    assert!(exchange.status.unwrap_err().message.contains("encoder"));
}

/// Streams `n` documents and then ends, well or not.
fn streaming(n: usize, end: Option<ErrorCode>) -> Stub {
    Stub::new(&["/stream"], move |request: Request| {
        assert_eq!(request.kind, Kind::Stream);
        let (id, text) = documents::read_text(request.message.documents.expect("a document"));
        let one = |n: usize| Message {
            documents: Some(documents::text(&format!("{id}{n}"), &text)),
            ..Message::default()
        };
        let end = end.map(|code| Err(Error::new(code, "broken")));
        let parts: Vec<_> = (0..n).map(|n| Ok(one(n))).chain(end).collect();
        std::future::ready(Ok(Response::Stream(Box::pin(stream::iter(parts)))))
    })
}

async fn stream_doc(stub: Stub) -> (Vec<String>, Code) {
    let sandbox = Sandbox::builder().executor("teller", stub).start().await;
    let mut one = request("/stream");
    one.documents = Some(documents::text("a", "one"));
    let exchange = sandbox.caller().await.call(grpc::path::STREAM_DOC, [proto::message::write(&one)]).await;
    let ids = exchange.messages().into_iter().map(|part| documents::read_text(part.documents.unwrap()).0);
    (ids.collect(), exchange.code())
}

#[tokio::test]
async fn one_document_becomes_a_stream() {
    assert_eq!(stream_doc(streaming(3, None)).await, (vec!["a0".into(), "a1".into(), "a2".into()], Code::Ok));
    assert_eq!(stream_doc(streaming(0, None)).await, (vec![], Code::Ok));
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_and_repeats_nothing() {
    let (ids, code) = stream_doc(streaming(2, Some(ErrorCode::Internal))).await;
    assert_eq!((ids, code), (vec!["a0".into(), "a1".into()], Code::Internal));
}
