//! Streams of events.

use std::time::Duration;

use call::{ErrorCode, Kind, Message};
use futures_util::{StreamExt as _, stream};

use super::*;

fn part(text: &str) -> Result<Message, Error> {
    Ok(Message { documents: Some(document(text)), ..Message::default() })
}

/// Answers with these parts.
fn streaming(parts: impl Fn() -> Vec<Result<Message, Error>> + Clone + Send + Sync + 'static) -> Stage {
    Stage::new(move |request: Request| {
        assert_eq!(request.kind, Kind::Stream);
        std::future::ready(Ok(Response::Stream(Box::pin(stream::iter(parts())))))
    })
}

fn with_body(body: &'static str) -> http::Request<Body> {
    http::Request::get("/stream").header("content-type", "application/json").body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn each_document_is_one_frame_and_the_last_one_says_end() {
    let stage = streaming(|| vec![part("a\nb"), part("ü")]);
    let answer = stage.ask(with_body(r#"{"id": "a", "text": "T"}"#)).await;
    assert_eq!(answer.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-cache");
    let frames: Vec<_> = answer.frames.iter().map(|frame| std::str::from_utf8(frame).unwrap()).collect();
    assert_eq!(frames.len(), 3, "{frames:?}");
    let data =
        frames[0].strip_prefix("event: update\r\ndata: ").and_then(|rest| rest.strip_suffix("\r\n\r\n"));
    let data: Value = serde_json::from_str(data.unwrap()).unwrap();
    assert_eq!((&data["text"], &data["n"]), (&json!("a\nb"), &json!(0)));
    assert_eq!(frames[2], "event: end\r\n\r\n");
    assert!(answer.complete);
    assert_eq!(stage.admission.requests(), 0);
}

#[tokio::test]
async fn the_document_is_the_body_or_the_query() {
    let stage = Stage::new(async |request: Request| {
        let only = Ok(Message { documents: request.message.documents, ..Message::default() });
        Ok(Response::Stream(Box::pin(stream::iter([only]))))
    });
    let first = |answer: &Answer| String::from_utf8(answer.frames[0].to_vec()).unwrap();
    let answer = stage.get("/stream?id=a&text=hello+you&n=3").await;
    assert!(first(&answer).contains(r#"{"id":"a","text":"hello you","n":3}"#), "{answer:?}");
    let answer = stage.ask(with_body(r#"{"id": "b"}"#)).await;
    assert!(first(&answer).contains(r#""id":"b""#), "{answer:?}");
    let wrong = stage.get("/stream?n=many").await;
    assert_eq!(wrong.json()["detail"][0]["loc"], json!(["query", "n"]));
    assert_eq!(stage.get("/stream").await.json()["detail"][0]["loc"], json!(["body"]));
}

#[tokio::test]
async fn a_failure_before_the_first_document_is_the_answer() {
    let stage = streaming(|| vec![Err(Error::new(ErrorCode::Unavailable, "gone"))]);
    let answer = stage.get("/stream?id=a").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["header"]["status"]["description"], "gone");
}

#[tokio::test]
async fn a_failure_after_it_is_an_event_and_cuts_the_connection() {
    let stage = streaming(|| vec![part("a"), Err(Error::new(ErrorCode::Unavailable, "gone")), part("b")]);
    let answer = stage.get("/stream?id=a").await;
    assert_eq!((answer.status, answer.frames.len(), answer.complete), (StatusCode::OK, 2, false));
    assert_eq!(answer.frames[1], "event: error\r\ndata: {\"detail\":\"gone\"}\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_is_alive() {
    let stage = Stage::new(async |_| {
        let slow = stream::once(async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            part("late")
        });
        Ok(Response::Stream(slow.boxed()))
    });
    let answer = stage.get("/stream?id=a").await;
    let begins: Vec<_> =
        answer.frames.iter().map(|frame| String::from_utf8_lossy(&frame[..8]).into_owned()).collect();
    assert_eq!(begins, [": ping -", ": ping -", "event: u", "event: e"]);
}
