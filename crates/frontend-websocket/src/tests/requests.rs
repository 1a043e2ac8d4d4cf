//! Requests and answers in bytes mode.

use ::http::HeaderName;
use call::{Handler, Request, Response};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tower::service_fn;

use super::stage::{OPEN, eventually, request, soon};
use super::*;

#[tokio::test]
async fn answers_come_as_they_are_completed_and_the_end_marker_closes() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    client.send(request("slow", "/hold", 1)).await;
    client.send(request("fast", "/echo", 1)).await;
    assert_eq!(client.answer().await, "fast");
    client.end().await;
    stage.script.gate.add_permits(1);
    assert_eq!(client.answer().await, "slow");
    assert_eq!(client.closed().await, (1000, String::new()));
    assert_eq!((stage.admission.requests(), stage.admission.bytes()), (0, 0));
}

#[tokio::test]
async fn the_end_marker_alone_closes_at_once() {
    let mut client = Stage::new().client().await;
    client.end().await;
    assert_eq!(client.closed().await, (1000, String::new()));
}

#[tokio::test]
async fn many_requests_are_in_flight_at_once() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    for n in 0..500 {
        client.send(request(&n.to_string(), "/hold", 10)).await;
    }
    eventually(|| stage.script.begun() == 500).await;
    assert_eq!(stage.admission.requests(), 500);
    client.end().await;
    stage.script.gate.add_permits(500);
    let mut ids = Vec::new();
    for _ in 0..500 {
        ids.push(client.answer().await.parse::<u32>().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..500).collect::<Vec<_>>());
    assert_eq!(client.closed().await.0, 1000);
}

#[tokio::test]
async fn documents_come_back_as_they_were_however_large() {
    let stage = Stage::new();
    let mut client = stage.client().await;
    for len in [0, 1, 125, 126, 65_535, 65_536, 256 << 10, (256 << 10) + 1, 5 << 20] {
        let sent = request("r", "/echo", len);
        client.send(sent.clone()).await;
        let got = client.message().await;
        assert_eq!(proto::message::write(&got).into_bytes(), sent, "{len}");
    }
    assert_eq!(stage.admission.bytes(), 0);
}

#[tokio::test]
async fn messages_arrive_in_any_pieces() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let mut client = Stage::new().client().await;
    let sent = request("r", "/echo", 100);
    for n in [1, 7, 50, sent.len()] {
        let mut data = Data::Binary;
        let last = sent.len().div_ceil(n) - 1;
        for (at, part) in sent.chunks(n).enumerate() {
            let frame = Frame::message(part.to_vec(), OpCode::Data(data), at == last);
            soon(client.0.send(Message::Frame(frame))).await.unwrap();
            soon(client.0.send(Message::Ping(Default::default()))).await.unwrap();
            data = Data::Continue;
        }
        assert_eq!(client.answer().await, "r", "parts of {n}");
    }
}

#[tokio::test]
async fn many_connections_work_side_by_side() {
    let stage = Stage::new();
    let one = async |n: usize| {
        let mut client = stage.client().await;
        for request_n in 0..10 {
            let id = format!("{n}-{request_n}");
            client.send(request(&id, "/echo", 1000)).await;
            assert_eq!(client.answer().await, id);
        }
        client.end().await;
        assert_eq!(client.closed().await.0, 1000);
    };
    futures_util::future::join_all((0..50).map(one)).await;
}

#[tokio::test]
async fn headers_that_open_a_connection_travel_on_with_each_request() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let handler = Handler::new(service_fn(move |request: Request| {
        tell.send(request.context.metadata).expect("somebody listens");
        async move { Ok(Response::One(request.message)) }
    }));
    let stage = Stage::with(|options| {
        options.handler = Some(handler);
        options.settings.forward = vec![HeaderName::from_static("x-tenant")];
    });
    let headers =
        format!("{OPEN}sec-websocket-protocol: bytes\r\nX-Tenant: blue\r\ntraceparent: 00-1-2-01\r\n");
    let (stream, _) = stage.ask("GET", "/", &format!("{headers}authorization: x\r\n")).await;
    let mut client = Client(WebSocketStream::from_raw_socket(stream, Role::Client, None).await);
    let want = [("traceparent".into(), "00-1-2-01".into()), ("x-tenant".into(), "blue".into())];
    for endpoint in ["/echo", "/stream"] {
        client.send(request("r", endpoint, 1)).await;
        client.answer().await;
        assert_eq!(soon(told.recv()).await.unwrap().0, want, "{endpoint}");
    }
}
