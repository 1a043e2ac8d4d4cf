//! What the tests have in common.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use call::{
    Admission, Error, ErrorCode, Handler, Header, Limits, Message, Payload, Request, Response, Status,
};
use docarray::discovery::{Catalog, Discovery, EndpointSchema, Model};
use docarray::{Node, node};
use futures_util::{SinkExt as _, StreamExt as _};
use info::{Health, Report, Traffic};
use serde_json::{Value, json};
use server::{Drain, HttpOptions, Listener, Outcome, Timing, Workers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_tungstenite::{WebSocketStream, tungstenite};
use tower::service_fn;
use tungstenite::protocol::{Role, WebSocketConfig};

use crate::{FrontEnd, Settings};

/// How long a test waits for what is due at once. Only a failure takes that long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn soon<T>(due: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, due).await.expect("it takes too long")
}

pub(super) async fn eventually(state: impl Fn() -> bool) {
    soon(async {
        while !state() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Answers by endpoint.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Requests that were begun.
    pub(super) begun: Arc<AtomicUsize>,
    /// Requests that were dropped before they were answered.
    pub(super) dropped: Arc<AtomicUsize>,
    /// Requests for `/hold` are answered when they have a permit.
    pub(super) gate: Arc<Semaphore>,
}

/// Counts if it is dropped too early.
struct Watch(Arc<AtomicUsize>, bool);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.fetch_add(usize::from(!self.1), Ordering::SeqCst);
    }
}

impl Script {
    fn handler(&self) -> Handler {
        let script = self.clone();
        Handler::new(service_fn(move |request: Request| script.clone().answer(request)))
    }

    async fn answer(self, request: Request) -> Result<Response, Error> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let mut watch = Watch(self.dropped.clone(), false);
        let message = request.message;
        let answer = match message.header.endpoint.as_deref().unwrap_or_default() {
            "/hold" => {
                self.gate.acquire().await.expect("an open gate").forget();
                Ok(message)
            }
            "/gone" => Err(Error::new(ErrorCode::Unavailable, "no address of `encoder` answers: ".repeat(9))),
            "/fail" => {
                let status = Status { is_error: true, ..Status::default() };
                Ok(Message { header: Header { status: Some(status.into()), ..message.header }, ..message })
            }
            "/busy" => Err(Error::new(ErrorCode::Overloaded, "too much at once")),
            _ => Ok(message),
        };
        watch.1 = true;
        answer.map(Response::One)
    }

    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(super) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

/// A port that is served.
pub(super) struct Stage {
    pub(super) address: SocketAddr,
    pub(super) script: Script,
    pub(super) admission: Admission,
    pub(super) drain: Drain,
}

#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) settings: Settings,
    pub(super) limits: Limits,
    pub(super) http: HttpOptions,
    pub(super) handler: Option<Handler>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let drain = Drain::new();
        let handle = drain.handle();
        let mut options = Options::default();
        change(&mut options);
        let Options { settings, limits, http, handler } = options;
        let settings = Settings { tasks: handle.tasks().clone(), stop: handle.token().clone(), ..settings };
        let script =
            Script { begun: Arc::default(), dropped: Arc::default(), gate: Semaphore::new(0).into() };
        let admission = Admission::new(limits);
        let (health, report) = (Health::new(handle.accepting()), Report::new(Traffic::default()));
        let handler = handler.unwrap_or_else(|| script.handler());
        let port = FrontEnd::new(catalog(), admission.clone(), health, report, settings).port(handler);
        let listener = Listener::bind("127.0.0.1", 0, 16).expect("a port");
        let address = listener.address();
        let open = listener.open().expect("an open port");
        let workers = Workers::current().into();
        handle.clone().spawn(server::serve(open, vec![move || port.clone()], None, http, workers, handle));
        Self { address, script, admission, drain }
    }

    /// A client in bytes mode.
    pub(super) async fn client(&self) -> Client {
        self.client_of("/", Some("bytes")).await
    }

    pub(super) async fn client_of(&self, path: &str, subprotocol: Option<&str>) -> Client {
        let stream = self.raw(path, subprotocol).await;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        Client(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
    }

    /// An open connection, on which anything may be sent.
    pub(super) async fn raw(&self, path: &str, subprotocol: Option<&str>) -> TcpStream {
        let subprotocol = subprotocol.map(|name| format!("sec-websocket-protocol: {name}\r\n"));
        let headers = format!("{OPEN}{}", subprotocol.unwrap_or_default());
        let (stream, head) = self.ask("GET", path, &headers).await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        assert!(!head.contains("sec-websocket-protocol"), "{head}");
        stream
    }

    /// Makes a request; returns the head of the response in lower case.
    pub(super) async fn ask(&self, method: &str, path: &str, headers: &str) -> (TcpStream, String) {
        soon(async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("a response"));
            }
            (stream, String::from_utf8(head).unwrap().to_ascii_lowercase())
        })
        .await
    }

    /// Ends the process.
    pub(super) async fn stop(self) -> Outcome {
        soon(self.drain.run(std::future::ready(()), Timing::default())).await
    }
}

/// What every client sends that opens a connection.
pub(super) const OPEN: &str = "connection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Documents with a text that is as long as asked for, by schemas that all endpoints have.
fn catalog() -> Catalog {
    let schema = json!({"title": "Text", "type": "object", "required": ["text"],
        "properties": {"id": {"type": "string"}, "text": {"type": "string"}}});
    let model = Model { name: "Text".into(), schema };
    let schema = EndpointSchema {
        input: model.clone(),
        output: model,
        parameters: None,
        is_generator: false,
        is_singleton_doc: false,
    };
    let stream = EndpointSchema { is_generator: true, is_singleton_doc: true, ..schema.clone() };
    let endpoints = ["/echo", "/hold", "/gone"].map(|name| (name.into(), Some(schema.clone())));
    let endpoints = endpoints.into_iter().chain([("/stream".into(), Some(stream))]);
    let catalog = Catalog::default();
    catalog.set(Discovery { endpoints: endpoints.collect(), write_endpoints: Vec::new() });
    catalog
}

/// A request for `endpoint` with a document that is as long as asked for.
pub(super) fn request(id: &str, endpoint: &str, len: usize) -> Bytes {
    let mut docs = Vec::new();
    node::put_item(&mut docs, |doc| {
        node::put_field(doc, "text", |to| Node::Text("x".repeat(len).into()).write(None, to));
    });
    let header = Header { request_id: id.into(), endpoint: Some(endpoint.into()), ..Header::default() };
    let documents = Some(node::content(Payload::from(docs)));
    proto::message::write(&Message { header, documents, ..Message::default() }).into_bytes()
}

/// The other end of a connection.
pub(super) struct Client(pub(super) WebSocketStream<TcpStream>);

/// How a connection was closed.
pub(super) type Close = (u16, String);

impl Client {
    pub(super) async fn send(&mut self, bytes: impl Into<Bytes>) {
        soon(self.0.send(tungstenite::Message::Binary(bytes.into()))).await.unwrap();
    }

    pub(super) async fn say(&mut self, text: &str) {
        soon(self.0.send(tungstenite::Message::text(text))).await.unwrap();
    }

    /// Sends the end marker.
    pub(super) async fn end(&mut self) {
        self.send(vec![0]).await;
    }

    /// The next message that is no ping or pong.
    pub(super) async fn next(&mut self) -> tungstenite::Message {
        soon(async {
            loop {
                let message = self.0.next().await.expect("a message").expect("a right message");
                if !message.is_ping() && !message.is_pong() {
                    return message;
                }
            }
        })
        .await
    }

    /// The id of the next answer.
    pub(super) async fn answer(&mut self) -> String {
        self.message().await.header.request_id.to_string()
    }

    /// The next answer.
    pub(super) async fn message(&mut self) -> Message {
        match self.next().await {
            tungstenite::Message::Binary(bytes) => proto::message::read(bytes.into()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The next answer in JSON.
    pub(super) async fn json(&mut self) -> Value {
        match self.next().await {
            tungstenite::Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// How it ends, which it does at once.
    pub(super) async fn closed(&mut self) -> Close {
        let close = self.told().await;
        assert!(soon(self.0.next()).await.is_none(), "nothing follows");
        close
    }

    /// How it is to end.
    pub(super) async fn told(&mut self) -> Close {
        let message = self.next().await;
        let tungstenite::Message::Close(Some(frame)) = message else { panic!("{message:?}") };
        (frame.code.into(), frame.reason.to_string())
    }
}
