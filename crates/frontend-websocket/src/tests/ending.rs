//! How connections end.

use std::time::Duration;

use futures_util::StreamExt as _;
use server::{HttpOptions, Outcome};
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::tungstenite;

use super::stage::{eventually, request, soon};
use super::*;

#[tokio::test]
async fn a_request_without_an_answer_closes_after_the_answers_of_others() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("held", "/hold", 1)).await;
    client.send(request("gone", "/gone", 1)).await;
    eventually(|| stage.script.begun() == 2).await;
    stage.script.gate.add_permits(1);
    assert_eq!(client.answer().await, "held");
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1011);
    assert!(reason.starts_with("no address of `encoder` answers"), "{reason}");
    assert!(reason.len() <= 123, "{}", reason.len());
}

#[tokio::test]
async fn a_request_without_an_answer_counts_after_the_end_marker_too() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("held", "/hold", 1)).await;
    client.send(request("gone", "/gone", 1)).await;
    client.end().await;
    stage.script.gate.add_permits(1);
    let first = client.next().await;
    assert!(first.is_binary(), "{first:?}");
    assert_eq!(client.closed().await.0, 1011);
}

#[tokio::test]
async fn a_client_that_is_told_of_a_failure_may_close_first() {
    let stage = Stage::new();
    for closes in [true, false] {
        let mut client = stage.client().await;
        client.send(request("r", "/fail", 1)).await;
        client.end().await;
        assert!(client.message().await.is_error());
        let early = tokio::time::timeout(Duration::from_millis(50), client.0.next()).await;
        assert!(early.is_err(), "{early:?}");
        if closes {
            soon(client.0.close(None)).await.unwrap();
            assert!(matches!(client.next().await, tungstenite::Message::Close(None)));
        } else {
            assert_eq!(client.closed().await, (1000, String::new()));
        }
    }
}

#[tokio::test]
async fn no_request_is_begun_after_a_failure() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("held", "/hold", 1)).await;
    client.send(request("gone", "/gone", 1)).await;
    eventually(|| stage.script.begun() == 2).await;
    client.send(request("late", "/echo", 1)).await;
    stage.script.gate.add_permits(1);
    assert_eq!(client.answer().await, "held");
    assert_eq!(client.closed().await.0, 1011);
    assert_eq!(stage.script.begun(), 2);
}

#[tokio::test]
async fn a_busy_flow_asks_to_come_again() {
    let mut client = Stage::new().client().await;
    client.send(request("r", "/busy", 1)).await;
    assert_eq!(client.closed().await, (1013, "too much at once".to_owned()));
}

#[tokio::test]
async fn a_process_that_has_taken_on_enough_asks_to_come_again() {
    let stage = Stage::with(|options| options.limits.requests = 1);
    let mut first = stage.client().await;
    first.send(request("r", "/hold", 1)).await;
    eventually(|| stage.script.begun() == 1).await;
    let mut second = stage.client().await;
    second.send(request("r", "/echo", 1)).await;
    let (code, reason) = second.closed().await;
    assert_eq!((code, reason.as_str()), (1013, "too many requests in flight: the limit is 1"));
    stage.script.gate.add_permits(1);
    assert_eq!(first.answer().await, "r");
}

#[tokio::test]
async fn a_client_that_closes_cancels_what_is_in_flight() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("a", "/hold", 1)).await;
    client.send(request("b", "/hold", 1)).await;
    eventually(|| stage.script.begun() == 2).await;
    let code = tungstenite::protocol::frame::coding::CloseCode::Normal;
    let frame = tungstenite::protocol::CloseFrame { code, reason: "enough".into() };
    soon(client.0.close(Some(frame))).await.unwrap();
    assert_eq!(client.closed().await, (1000, "enough".to_owned()), "its close frame comes back");
    eventually(|| stage.script.dropped() == 2).await;
    eventually(|| stage.admission.requests() == 0).await;
}

#[tokio::test]
async fn a_client_that_is_gone_cancels_what_is_in_flight() {
    let stage = Stage::with(|options| options.settings.prefetch = 1);
    let mut client = stage.client().await;
    client.send(request("a", "/hold", 1)).await;
    eventually(|| stage.script.begun() == 1).await;
    drop(client);
    eventually(|| stage.script.dropped() == 1).await;
    assert_eq!(stage.stop().await, Outcome::Clean);
}

#[tokio::test]
async fn a_client_may_close_after_the_end_marker_too() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("a", "/hold", 1)).await;
    client.end().await;
    eventually(|| stage.script.begun() == 1).await;
    soon(client.0.close(None)).await.unwrap();
    eventually(|| stage.script.dropped() == 1).await;
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_closes() {
    let stage = Stage::new();
    let mut idle = stage.client().await;
    let mut busy = stage.client().await;
    busy.send(request("r", "/hold", 1)).await;
    eventually(|| stage.script.begun() == 1).await;
    let script = stage.script.clone();
    let clients = async {
        let away = (1001, "the server is shutting down".to_owned());
        assert_eq!(idle.closed().await, away);
        busy.send(request("late", "/echo", 1)).await;
        script.gate.add_permits(1);
        assert_eq!(busy.answer().await, "r");
        assert_eq!(busy.closed().await, away);
    };
    let (outcome, ()) = tokio::join!(stage.stop(), clients);
    assert_eq!(outcome, Outcome::Clean);
    assert_eq!(script.begun(), 1);
}

#[tokio::test]
async fn a_connection_keeps_its_place_on_the_server() {
    let stage = Stage::with(|options| {
        options.http = HttpOptions { max_connections: 1, ..HttpOptions::default() };
    });
    let mut first = stage.client().await;
    first.send(request("a", "/echo", 1)).await;
    assert_eq!(first.answer().await, "a");
    let mut second = std::pin::pin!(stage.client());
    let early = tokio::time::timeout(Duration::from_millis(50), second.as_mut()).await;
    assert!(early.is_err(), "there is one place only");
    first.end().await;
    assert_eq!(first.closed().await.0, 1000);
    soon(second).await;
}

#[tokio::test]
async fn half_a_frame_and_then_nothing_is_forgotten() {
    let stage = Stage::new();
    for sent in [&[][..], &[0x82], &[0x82, 0xfe], &[0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5]] {
        use tokio::io::AsyncWriteExt as _;
        let mut stream = stage.raw("/", Some("bytes")).await;
        stream.write_all(sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        soon(stream.read_to_end(&mut rest)).await.unwrap();
        assert!(rest.is_empty(), "{sent:?}: {rest:?}");
    }
    eventually(|| stage.admission.requests() == 0).await;
    assert_eq!(stage.stop().await, Outcome::Clean);
}
