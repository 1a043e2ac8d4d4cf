//! GraphQL: queries over HTTP, subscriptions over WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tests::{Web, soon};
use tokio_tungstenite::tungstenite::Message;

use super::driver::{Outcome, Sent};
use super::websocket::{Socket, connect};

/// The field of an endpoint.
fn field(sent: &Sent) -> String {
    sent.endpoint.trim_start_matches('/').replace('-', "_")
}

fn request(sent: &Sent) -> Value {
    let field = field(sent);
    let (query, data) = if sent.streams {
        let query = format!("subscription($data: TextInput!) {{ {field}(document: $data) {{ text }} }}");
        (query, sent.data().swap_remove(0))
    } else {
        let head = "query($data: [TextInput!]!, $parameters: JSON)";
        let arguments = "data: $data, parameters: $parameters";
        (format!("{head} {{ {field}({arguments}) {{ data {{ text }} parameters }} }}"), sent.data().into())
    };
    json!({"query": query, "variables": {"data": data, "parameters": sent.parameters}})
}

/// What the errors of an answer say; nothing if there are none.
fn failure(errors: &Value) -> Option<Outcome> {
    let error = errors.get(0)?;
    let code = error["extensions"]["code"].as_str().unwrap_or_default().to_owned();
    Some(Outcome::Failure { code, says: error["message"].to_string() })
}

fn text(document: &Value) -> String {
    document["text"].as_str().unwrap_or_default().to_owned()
}

pub(super) async fn ask(address: SocketAddr, sent: &Sent) -> Outcome {
    if sent.streams {
        return soon("a stream over WebSocket", async { listen(&mut subscribe(address, sent).await).await })
            .await;
    }
    let answer = Web::new(address).post("/graphql", &request(sent)).await;
    if answer.status != 200 {
        return Outcome::Failure { code: answer.status.as_str().to_owned(), says: answer.text() };
    }
    let answer = answer.json();
    let answered = || Outcome::of_json(&answer["data"][field(sent)]);
    failure(&answer["errors"]).unwrap_or_else(answered)
}

async fn subscribe(address: SocketAddr, sent: &Sent) -> Socket {
    let mut socket = connect(address, "/graphql", Some("graphql-transport-ws")).await;
    for message in [
        json!({"type": "connection_init"}),
        json!({"type": "subscribe", "id": "1", "payload": request(sent)}),
    ] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    socket
}

/// What comes until the end.
async fn listen(socket: &mut Socket) -> Outcome {
    let mut parts = Vec::new();
    loop {
        let message = match socket.next().await.unwrap().unwrap() {
            Message::Text(message) => message,
            Message::Close(frame) => {
                let frame = frame.unwrap();
                let code = u16::from(frame.code).to_string();
                return Outcome::Failure { code, says: frame.reason.to_string() };
            }
            _ => continue,
        };
        let message: Value = serde_json::from_str(&message).unwrap();
        let payload = &message["payload"];
        match message["type"].as_str().unwrap() {
            "next" => parts.push(failure(&payload["errors"]).unwrap_or_else(|| {
                let documents = payload["data"].as_object().unwrap().values();
                Outcome::Answer { texts: documents.map(text).collect(), results: String::new() }
            })),
            "error" => return failure(payload).unwrap(),
            "complete" => return Outcome::all(parts),
            _ => {}
        }
    }
}

pub(super) async fn leave(address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
    if sent.streams {
        let _socket = subscribe(address, sent).await;
        return begun.await;
    }
    tokio::select! {
        outcome = ask(address, sent) => panic!("it is answered: {outcome:?}"),
        () = begun => {}
    }
}
