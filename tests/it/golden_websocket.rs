//! Recorded WebSocket exchanges, made again.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use call::{Request, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use gateway::{Port, Protocol};
use serde::Deserialize;
use serde_json::Value;
use tests::executors::{self, Encoder, Ranker};
use tests::golden::{load, masked};
use tests::{Builder, Sandbox, Stub, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::golden::only_names;

const RAW: &str = include_str!("../golden/websocket_raw.json");
const PYTHON_CLIENT: &str = include_str!("../golden/websocket_python_client.json");
const NETWORK_ERRORS: &str = include_str!("../golden/websocket_network_errors.json");

/// One recorded connection.
#[derive(Debug, Deserialize)]
struct Connection {
    client: Side,
    server: Side,
}

#[derive(Debug, Deserialize)]
struct Side {
    handshake: Handshake,
    frames: Vec<Recorded>,
}

#[derive(Debug, Deserialize)]
struct Handshake {
    start: String,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    opcode: String,
    #[serde(default)]
    message: Value,
    text: Option<String>,
    payload_base64: Option<String>,
    close_code: Option<u16>,
}

impl Recorded {
    /// The message, unless it is a close frame.
    fn data(&self) -> Option<Message> {
        if self.opcode == "text" {
            return self.text.as_deref().map(Message::text);
        }
        let base64 = self.payload_base64.as_deref().or_else(|| self.message["base64"].as_str())?;
        Some(Message::binary(BASE64_STANDARD.decode(base64).unwrap()))
    }
}

/// What a server did: its messages, and the code that it closed with.
type Heard = (Vec<Message>, Option<u16>);

fn recorded(side: &Side) -> Heard {
    let code = side.frames.iter().find_map(|frame| frame.close_code);
    (side.frames.iter().filter_map(Recorded::data).collect(), code)
}

/// Asks to open a connection as it was asked then; returns the status too.
async fn open(sandbox: &Sandbox, asked: &Handshake) -> (TcpStream, String) {
    let mut request =
        format!("{}\r\nhost: x\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", asked.start);
    for (name, value) in &asked.headers {
        request += &format!("{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    (stream, head.lines().next().unwrap_or_default().to_owned())
}

/// Does what the client did.
async fn play(sandbox: &Sandbox, connection: &Connection) -> (String, Heard) {
    let Connection { client, server } = connection;
    let (stream, status) = open(sandbox, &client.handshake).await;
    if !status.contains(" 101 ") {
        return (status, (Vec::new(), None));
    }
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let sent: Vec<Message> = client.frames.iter().filter_map(Recorded::data).collect();
    for message in &sent {
        socket.send(message.clone()).await.unwrap();
    }
    // Without an end marker the client closed when it had its answers.
    let marks_end = sent.iter().any(|message| matches!(message, Message::Binary(bytes) if bytes[..] == [0]));
    let mut n_awaited = if marks_end { usize::MAX } else { recorded(server).0.len() };
    let (mut messages, mut code) = (Vec::new(), None);
    loop {
        if messages.len() >= n_awaited.max(1) {
            n_awaited = usize::MAX;
            let _may_be_closed_already = socket.close(Some(normal())).await;
        }
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => code = frame.map(|frame| frame.code.into()),
            Some(Ok(message)) => messages.push(message),
            Some(Err(_)) | None => return (status, (messages, code)),
        }
    }
}

fn normal() -> tokio_tungstenite::tungstenite::protocol::CloseFrame {
    let code = tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode::Normal;
    tokio_tungstenite::tungstenite::protocol::CloseFrame { code, reason: "".into() }
}

#[track_caller]
fn compare(case: &str, got: Vec<Message>, want: Vec<Message>) {
    let read = |messages: Vec<Message>| {
        let (mut data, mut others) = (Vec::new(), Vec::new());
        for message in messages {
            match message {
                Message::Binary(bytes) => {
                    let mut message = masked(bytes);
                    only_names(&mut message);
                    data.push(message);
                }
                other => others.push(other),
            }
        }
        data.sort_by_key(|message| message.header.as_ref().map(|header| header.request_id.clone()));
        (data, others)
    };
    assert_eq!(read(got), read(want), "{case}");
}

fn speaking_websocket(builder: Builder) -> Builder {
    builder.settings(|settings| {
        settings.ports = vec![Port::of(&[Protocol::WebSocket])];
    })
}

async fn chain() -> Sandbox {
    let builder = Sandbox::builder()
        .served("encoder", executors::serve::<Encoder>("encoder"))
        .served("ranker", executors::serve::<Ranker>("ranker"));
    speaking_websocket(builder).start().await
}

fn connections(case: &Value) -> Vec<Connection> {
    Vec::deserialize(&case["connections"]).unwrap()
}

/// The code that a connection ends with which used to be dropped.
fn code_for_dropped(case: &str) -> Option<u16> {
    match case {
        "no_subprotocol_binary" | "two_subprotocols" | "bytes_text_frame" => Some(1003),
        "json_bad" | "bytes_garbage" | "bytes_empty" => Some(1007),
        _ => None,
    }
}

#[tokio::test]
async fn connections_end_as_they_did_or_say_why_not() {
    let sandbox = chain().await;
    let mut n_cases = 0;
    for case in load(RAW)["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if name == "json_request" {
            // It is answered now, see the tests of the front end.
            continue;
        }
        for connection in connections(case) {
            let (status, (got, code)) = soon(name, play(&sandbox, &connection)).await;
            let (want, wanted_code) = recorded(&connection.server);
            assert_eq!(status, connection.server.handshake.start, "{name}");
            assert_eq!(code, wanted_code.or(code_for_dropped(name)), "{name}");
            compare(name, got, want);
            n_cases += 1;
        }
    }
    assert!(n_cases > 10, "{n_cases}");
}

#[tokio::test]
async fn the_python_client_is_answered_as_it_was() {
    let sandbox = chain().await;
    for trace in load(PYTHON_CLIENT)["traces"].as_array().unwrap() {
        let name = trace["name"].as_str().unwrap();
        for connection in connections(trace) {
            let (status, (got, code)) = soon(name, play(&sandbox, &connection)).await;
            let (want, wanted_code) = recorded(&connection.server);
            assert_eq!(status, connection.server.handshake.start, "{name}");
            assert_eq!(code, wanted_code.or(Some(1000)), "{name}");
            compare(name, got, want);
        }
    }
}

#[tokio::test]
async fn failures_of_the_network_close_as_they_did() {
    let encoder = Stub::new(&["/index", "/slow"], async |request: Request| {
        if request.message.header.endpoint.as_deref() == Some("/slow") {
            std::future::pending::<()>().await;
        }
        Ok(Response::One(request.message))
    });
    let builder = Sandbox::builder().executor("encoder", encoder).settings(|settings| {
        settings.client.timeout_send = Some(std::time::Duration::from_millis(300));
        settings.client.retries = 0;
    });
    let mut sandbox = speaking_websocket(builder).start().await;
    for case in load(NETWORK_ERRORS)["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if name == "unreachable" {
            sandbox.kill("encoder");
        }
        for connection in connections(case) {
            let (_, (got, code)) = soon(name, play(&sandbox, &connection)).await;
            let (want, wanted_code) = recorded(&connection.server);
            assert_eq!(code, wanted_code, "{name}");
            let ids = |messages: Vec<Message>| {
                let messages = messages.into_iter().map(|message| masked(message.into_data()));
                messages.map(|message| message.header.unwrap().request_id).collect::<Vec<_>>()
            };
            assert_eq!(ids(got), ids(want), "{name}");
        }
    }
}

#[tokio::test]
async fn a_drain_closes_connections_when_their_requests_are_answered() {
    let (answer, answered) =
        (std::sync::Arc::new(tokio::sync::Semaphore::new(0)), tokio::sync::Notify::new());
    let (wait, begun) = (answer.clone(), std::sync::Arc::new(answered));
    let tell = begun.clone();
    let stub = Stub::new(&["/index"], move |request: Request| {
        let (wait, tell) = (wait.clone(), tell.clone());
        async move {
            tell.notify_one();
            wait.acquire().await.unwrap().forget();
            Ok(Response::One(request.message))
        }
    });
    let sandbox = speaking_websocket(Sandbox::builder().executor("encoder", stub)).start().await;
    let handshake = &connections(&load(RAW)["cases"][0])[0].client.handshake;
    let (stream, _) = open(&sandbox, handshake).await;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let request = proto::message::write(&crate::request("/index")).into_bytes();
    socket.send(Message::binary(request)).await.unwrap();
    soon("the request is begun", begun.notified()).await;
    let (gateway, _executors) = sandbox.into_parts();
    let client = async {
        answer.add_permits(1);
        let first = socket.next().await.unwrap().unwrap();
        assert!(first.is_binary(), "{first:?}");
        let Message::Close(Some(end)) = socket.next().await.unwrap().unwrap() else {
            panic!("no close frame")
        };
        assert_eq!(u16::from(end.code), 1001);
        assert!(socket.next().await.is_none());
    };
    let (outcome, ()) = soon("the drain", async { tokio::join!(gateway.stop(), client) }).await;
    assert_eq!(outcome.unwrap(), server::Outcome::Clean);
}
