//! HTTP/1.1.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tests::Web;

use super::driver::{Outcome, Sent};

async fn exchange(address: SocketAddr, sent: &Sent) -> tests::Answer {
    let web = Web::new(address);
    if sent.streams {
        let headers = [("content-type", "application/json")];
        return web.ask("GET", sent.endpoint, &headers, &sent.data()[0].to_string()).await;
    }
    web.post(sent.endpoint, &json!({"data": sent.data(), "parameters": sent.parameters})).await
}

pub(super) async fn ask(address: SocketAddr, sent: &Sent) -> Outcome {
    let answer = exchange(address, sent).await;
    if answer.status != 200 {
        return Outcome::Failure { code: answer.status.as_str().to_owned(), says: answer.text() };
    }
    if sent.streams { events(&answer.text()) } else { Outcome::of_json(&answer.json()) }
}

/// What server-sent events say.
fn events(body: &str) -> Outcome {
    let mut texts = Vec::new();
    for event in body.split_terminator("\r\n\r\n") {
        let (kind, data) = event.split_once("\r\n").unwrap_or((event, ""));
        let data = data.strip_prefix("data: ").unwrap_or_default();
        match kind.strip_prefix("event: ") {
            Some("update") => {
                let document: Value = serde_json::from_str(data).unwrap();
                texts.push(document["text"].as_str().unwrap_or_default().to_owned());
            }
            Some("end") => return Outcome::Answer { texts, results: String::new() },
            Some(other) => return Outcome::Failure { code: other.to_owned(), says: data.to_owned() },
            None => {}
        }
    }
    Outcome::Failure { code: "cut".to_owned(), says: body.to_owned() }
}

pub(super) async fn leave(address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
    tokio::select! {
        answer = exchange(address, sent) => panic!("it is answered: {answer:?}"),
        () = begun => {}
    }
}
