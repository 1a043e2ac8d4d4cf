//! Gateways and executors in one process, on real sockets.

#![expect(clippy::unwrap_used, reason = "what cannot go on fails the test")]

mod conformance;
mod control;
mod direct;
mod failures;
mod golden;
mod golden_http;
mod golden_other_flows;
mod golden_websocket;
mod graphql;
mod heads;
mod http;
mod life;
mod limits;
mod opaque;
mod process;
mod readiness;
mod requests;
mod shards;
mod single_port;
mod streams;
mod transport;
mod wire;

use call::{Header, Message};
use tests::documents;

/// A request for `endpoint` with one document.
fn request(endpoint: &'static str) -> Message {
    Message {
        header: Header { request_id: "r".into(), endpoint: Some(endpoint.into()), ..Header::default() },
        documents: Some(documents::texts(&[("a", "one")])),
        ..Message::default()
    }
}

/// The names of a message's routes, each with whether it has an end.
fn routes(message: &Message) -> Vec<(String, bool)> {
    let routes = proto::message::routes(&message.routes).expect("routes");
    routes.into_iter().map(|route| (route.executor.to_string(), route.end.is_some())).collect()
}

/// The ids and texts of a message's documents.
fn texts(message: &Message) -> Vec<(String, String)> {
    documents::read_texts(message.documents.clone().expect("documents"))
}
