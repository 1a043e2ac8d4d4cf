//! Streams of documents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use call::{Error, ErrorCode, Kind, Request, Response};
use futures_util::{StreamExt as _, stream};
use grpc::path;

use super::fake::{Fake, Plan};
use super::*;

fn documents(parts: Vec<Result<Message, Error>>) -> Response {
    Response::Stream(Box::pin(stream::iter(parts)))
}

fn lost() -> Error {
    Error::new(ErrorCode::Unavailable, "lost")
}

async fn stream(way: &Way) -> Result<call::Parts, Error> {
    match way.call(hop(HopInput::Stream(message("a")))).await? {
        Answer::Stream(parts) => Ok(parts),
        Answer::One { .. } => unreachable!("one message is not what was asked for"),
    }
}

#[tokio::test]
async fn documents_arrive_one_by_one() {
    let fake = Fake::start(Plan::new(|request: Request| async move {
        assert_eq!(request.kind, Kind::Stream);
        Ok(documents(["1", "2", "3"].map(|id| Ok(message(id))).into()))
    }))
    .await;
    let way = Way::to(&[fake.address], Settings::default());
    let parts: Vec<_> = stream(&way).await.unwrap().collect().await;
    let ids: Vec<_> = parts.into_iter().map(|part| part.unwrap().header.request_id).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(fake.seen(path::STREAM_DOC)[0].get("endpoint").unwrap(), "/search");
}

#[tokio::test]
async fn a_stream_without_documents_ends_at_once() {
    let fake = Fake::start(Plan::new(|_request| async { Ok(documents(Vec::new())) })).await;
    let way = Way::to(&[fake.address], Settings::default());
    assert_eq!(stream(&way).await.unwrap().count().await, 0);
}

#[tokio::test]
async fn a_stream_is_tried_again_only_before_its_first_document() {
    let n_calls = Arc::new(AtomicUsize::new(0));
    let counted = n_calls.clone();
    let fake = Fake::start(Plan::new(move |_request| {
        let n = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            match n {
                0 => Err(lost()),
                1 => Ok(documents(vec![Err(lost())])),
                _ => Ok(documents(vec![Ok(message("1")), Err(lost())])),
            }
        }
    }))
    .await;
    let way = Way::to(&[fake.address], Settings::default());
    let mut parts = stream(&way).await.unwrap();
    assert_eq!(&*parts.next().await.unwrap().unwrap().header.request_id, "1");
    let error = parts.next().await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.to_string().starts_with("lost|Gateway: deployment `ranker`"), "{error}");
    assert!(parts.next().await.is_none());
    assert_eq!(n_calls.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_deadline_bounds_a_stream_to_its_last_document() {
    let fake = Fake::start(Plan::new(|_request| async {
        let parts = stream::iter([Ok(message("1"))]).chain(stream::pending());
        Ok(Response::Stream(Box::pin(parts)))
    }))
    .await;
    let way = Way::to(&[fake.address], Settings::default());
    let call = within(hop(HopInput::Stream(message("a"))), Duration::from_millis(300));
    let Answer::Stream(mut parts) = way.call(call).await.unwrap() else { panic!("one message") };
    parts.next().await.unwrap().unwrap();
    assert_eq!(parts.next().await.unwrap().unwrap_err().code, ErrorCode::DeadlineExceeded);
}
