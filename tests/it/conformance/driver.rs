//! What all protocols can be asked, and what their clients learn.

use std::net::SocketAddr;

use call::{Header, Message, Parameters, Payload};
use docarray::{Node, node};
use serde_json::{Map, Value, json};
use tests::documents;

use super::{graphql, grpc, http, websocket};

/// What a client speaks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protocol {
    Grpc,
    Http,
    /// WebSocket with encoded messages.
    Bytes,
    /// WebSocket with JSON.
    Json,
    GraphQl,
}

/// The documents of a row.
#[derive(Clone, Copy)]
pub(super) enum Documents {
    Texts(&'static [&'static str]),
    /// One whose text is a number.
    Wrong,
    /// One whose text is that long.
    Large(usize),
    /// One whose text names the case.
    Name,
}

/// A request.
pub(super) struct Sent {
    pub(super) endpoint: &'static str,
    pub(super) documents: Vec<Text>,
    pub(super) parameters: Map<String, Value>,
    pub(super) streams: bool,
}

/// The text of a document.
pub(super) enum Text {
    Right(String),
    Wrong,
}

/// What a client learns.
#[derive(Debug)]
pub(super) enum Outcome {
    Answer {
        texts: Vec<String>,
        /// Those of the executor, as JSON.
        results: String,
    },
    Failure {
        code: String,
        says: String,
    },
}

impl Protocol {
    /// What ports speak.
    pub(super) const PORTS: [gateway::Protocol; 3] =
        [gateway::Protocol::Grpc, gateway::Protocol::Http, gateway::Protocol::WebSocket];

    /// Which of [`Self::PORTS`] it is spoken on.
    pub(super) fn port(self) -> usize {
        match self {
            Self::Grpc => 0,
            Self::Http | Self::GraphQl => 1,
            Self::Bytes | Self::Json => 2,
        }
    }

    /// Whether executors answer it without a gateway.
    pub(super) fn is_spoken_by_executors(self) -> bool {
        !matches!(self, Self::GraphQl)
    }

    /// Asks and waits for the whole answer.
    pub(super) async fn ask(self, address: SocketAddr, sent: &Sent) -> Outcome {
        match self {
            Self::Grpc => grpc::ask(address, sent).await,
            Self::Http => http::ask(address, sent).await,
            Self::Bytes => websocket::Bytes.ask(address, sent).await,
            Self::Json => websocket::Json.ask(address, sent).await,
            Self::GraphQl => graphql::ask(address, sent).await,
        }
    }

    /// Asks and leaves when the work has begun.
    pub(super) async fn leave(self, address: SocketAddr, sent: &Sent, begun: impl Future<Output = ()>) {
        match self {
            Self::Grpc => grpc::leave(address, sent, begun).await,
            Self::Http => http::leave(address, sent, begun).await,
            Self::Bytes => websocket::Bytes.leave(address, sent, begun).await,
            Self::Json => websocket::Json.leave(address, sent, begun).await,
            Self::GraphQl => graphql::leave(address, sent, begun).await,
        }
    }
}

impl Documents {
    pub(super) fn of(self, case: &str) -> Vec<Text> {
        let right = |text: &str| Text::Right(text.to_owned());
        match self {
            Self::Texts(texts) => texts.iter().map(|text| right(text)).collect(),
            Self::Wrong => vec![Text::Wrong],
            Self::Large(len) => vec![right(&"x".repeat(len))],
            Self::Name => vec![right(case)],
        }
    }
}

impl Sent {
    /// With a list of documents.
    pub(super) fn message(&self) -> Message {
        let mut docs = Vec::new();
        for text in &self.documents {
            node::put_item(&mut docs, |to| text.write(to));
        }
        self.carrying(node::content(docs.into()))
    }

    /// With the one document.
    pub(super) fn single(&self) -> Message {
        let mut doc = Vec::new();
        self.documents[0].write(&mut doc);
        self.carrying(doc.into())
    }

    fn carrying(&self, documents: Payload) -> Message {
        let header =
            Header { request_id: "r".into(), endpoint: Some(self.endpoint.into()), ..Header::default() };
        let parameters = Parameters::from_map(&self.parameters);
        Message { header, parameters, documents: Some(documents), ..Message::default() }
    }

    /// The documents in JSON.
    pub(super) fn data(&self) -> Vec<Value> {
        let text = |text: &Text| match text {
            Text::Right(text) => json!({"id": "a", "text": text}),
            Text::Wrong => json!({"id": "a", "text": 7}),
        };
        self.documents.iter().map(text).collect()
    }
}

impl Text {
    fn write(&self, doc: &mut Vec<u8>) {
        node::put_field(doc, "id", |to| Node::Text("a".into()).write(Some("id"), to));
        node::put_field(doc, "text", |to| match self {
            Self::Right(text) => Node::Text(text.as_str().into()).write(None, to),
            Self::Wrong => Node::Integer(7).write(None, to),
        });
    }
}

impl Outcome {
    /// Of an encoded answer with a list of documents.
    pub(super) fn of_message(message: Message) -> Self {
        Self::of_documents(message, |content| {
            documents::read_texts(content).into_iter().map(|(_, text)| text).collect()
        })
    }

    /// Of an encoded answer with one document.
    pub(super) fn of_part(message: Message) -> Self {
        Self::of_documents(message, |doc| vec![documents::read_text(doc).1])
    }

    fn of_documents(message: Message, read: impl FnOnce(Payload) -> Vec<String>) -> Self {
        if let Some(status) = message.header.status.filter(|status| status.is_error) {
            let exception = status.exception.unwrap_or_default();
            return Self::Failure { code: exception.name.to_string(), says: status.description.to_string() };
        }
        let texts = message.documents.map(read).unwrap_or_default();
        let parameters = message.parameters.to_map().unwrap();
        Self::Answer { texts, results: results(&parameters.into()) }
    }

    /// Of an answer in JSON.
    pub(super) fn of_json(answer: &Value) -> Self {
        let status = &answer["header"]["status"];
        if status["code"] == 1 {
            let code = status["exception"]["name"].as_str().unwrap_or_default().to_owned();
            return Self::Failure { code, says: status["description"].to_string() };
        }
        let texts = answer["data"].as_array().unwrap().iter();
        let texts = texts.map(|doc| doc["text"].as_str().unwrap_or_default().to_owned());
        Self::Answer { texts: texts.collect(), results: results(&answer["parameters"]) }
    }

    /// The outcome of a stream: all documents, or the first failure.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Self::Answer { texts, .. } => all.extend(texts),
                failure @ Self::Failure { .. } => return failure,
            }
        }
        Self::Answer { texts: all, results: String::new() }
    }
}

/// Of the only executor.
fn results(parameters: &Value) -> String {
    let results = parameters["__results__"].as_object();
    results.and_then(|results| results.values().next()).map(Value::to_string).unwrap_or_default()
}
