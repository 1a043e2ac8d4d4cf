//! WebSocket, in either of its two modes.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tests::soon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::driver::{Outcome, Sent};

pub(super) type Socket = WebSocketStream<TcpStream>;

pub(super) struct Bytes;
pub(super) struct Json;

trait Mode {
    const SUBPROTOCOL: Option<&'static str>;

    fn write(sent: &Sent) -> Message;
    fn read(message: Message) -> Outcome;
}

impl Mode for Bytes {
    const SUBPROTOCOL: Option<&'static str> = Some("bytes");

    fn write(sent: &Sent) -> Message {
        Message::binary(proto::message::write(&sent.message()).into_bytes())
    }

    fn read(message: Message) -> Outcome {
        Outcome::of_message(proto::message::read(message.into_data().into()).unwrap())
    }
}

impl Mode for Json {
    const SUBPROTOCOL: Option<&'static str> = None;

    fn write(sent: &Sent) -> Message {
        let request = json!({
            "data": sent.data(),
            "parameters": sent.parameters,
            "exec_endpoint": sent.endpoint,
            "header": {"request_id": "r"},
        });
        Message::text(request.to_string())
    }

    fn read(message: Message) -> Outcome {
        Outcome::of_json(&serde_json::from_slice(&message.into_data()).unwrap())
    }
}

impl Bytes {
    pub(super) async fn ask(self, address: SocketAddr, sent: &Sent) -> Outcome {
        ask::<Self>(address, sent).await
    }

    pub(super) async fn leave(self, address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
        leave::<Self>(address, sent, begun).await;
    }
}

impl Json {
    pub(super) async fn ask(self, address: SocketAddr, sent: &Sent) -> Outcome {
        ask::<Self>(address, sent).await
    }

    pub(super) async fn leave(self, address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
        leave::<Self>(address, sent, begun).await;
    }
}

async fn open<M: Mode>(address: SocketAddr, sent: &Sent) -> Socket {
    let mut socket = connect(address, "/", M::SUBPROTOCOL).await;
    socket.send(M::write(sent)).await.unwrap();
    socket
}

/// Clients' libraries insist on a subprotocol that they ask for; the gateway may confirm none. So it is done by hand.
pub(super) async fn connect(address: SocketAddr, path: &str, subprotocol: Option<&str>) -> Socket {
    let subprotocol = subprotocol.map(|name| format!("sec-websocket-protocol: {name}\r\n"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
        subprotocol.unwrap_or_default()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

async fn ask<M: Mode>(address: SocketAddr, sent: &Sent) -> Outcome {
    soon("an answer over WebSocket", async {
        let mut socket = open::<M>(address, sent).await;
        let mut parts = Vec::new();
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Close(frame) => {
                    let frame = frame.unwrap();
                    let code = u16::from(frame.code).to_string();
                    return Outcome::Failure { code, says: frame.reason.to_string() };
                }
                message if message.is_text() || message.is_binary() => parts.push(M::read(message)),
                _ => continue,
            }
            let is_over = match parts.last() {
                // A stream ends with a message without documents.
                Some(Outcome::Answer { texts, .. }) => !sent.streams || texts.is_empty(),
                Some(Outcome::Failure { .. }) | None => true,
            };
            if is_over {
                return if sent.streams { Outcome::all(parts) } else { parts.remove(0) };
            }
        }
    })
    .await
}

async fn leave<M: Mode>(address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
    let _socket = open::<M>(address, sent).await;
    begun.await;
}
