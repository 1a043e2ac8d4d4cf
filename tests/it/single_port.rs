//! What tells protocols apart that share a port; what they answer there is in the conformance table.

use std::sync::Arc;

use bytes::Bytes;
use gateway::{Port, Protocol, Settings};
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use tests::{Caller, Sandbox, Stub, Web, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::request;
use crate::transport::certificate;

const ALL: [Protocol; 3] = [Protocol::Grpc, Protocol::Http, Protocol::WebSocket];

const OPEN: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

async fn start(protocols: &[Protocol], change: impl FnOnce(&mut Settings)) -> Sandbox {
    Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .settings(|settings| settings.ports = vec![Port::of(protocols)])
        .settings(change)
        .start()
        .await
}

#[tokio::test]
async fn one_connection_of_http_2_carries_grpc_and_http() {
    let sandbox = start(&ALL, |_| {}).await;
    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let (mut requests, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let mut ask = async |path: &str, content_type: &str, body: Bytes| {
        let uri = format!("http://{}{path}", sandbox.address());
        let request = Request::post(uri).version(Version::HTTP_2).header("content-type", content_type);
        let answer = requests.send_request(request.body(Full::new(body)).unwrap()).await.unwrap();
        let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let body = answer.into_body().collect().await.unwrap();
        let status = body.trailers().and_then(|trailers| trailers.get("grpc-status")).cloned();
        (content_type, status, body.to_bytes())
    };
    let json = r#"{"data": [{"id": "a", "text": "one"}]}"#;
    let (content_type, _, body) = ask("/index", "application/json", json.into()).await;
    assert_eq!(content_type, "application/json");
    assert!(body.starts_with(br#"{"data":[{"id":"a","text":"one"}]"#), "{body:?}");
    let frame = proto::message::write_frame(&request("/index")).into_bytes();
    let (content_type, status, body) = ask(grpc::path::PROCESS_SINGLE_DATA, "application/grpc", frame).await;
    assert_eq!((&*content_type, status.unwrap().as_bytes()), ("application/grpc", &b"0"[..]));
    assert!(!body.is_empty());
}

#[tokio::test]
async fn an_upgrade_is_websocket_only_where_websocket_is() {
    let sandbox = start(&ALL, |_| {}).await;
    let web = Web::new(sandbox.address());
    assert_eq!(web.ask("GET", "/", &OPEN, "").await.status, 101);
    assert_eq!(web.ask("GET", "/dry_run", &OPEN, "").await.status, 101);
    assert_eq!(web.ask("GET", "/index", &OPEN, "").await.status, 403, "as on a port of its own");
    assert_eq!(web.get("/").await.status, 200);
    assert_eq!(web.get("/openapi.json").await.status, 200);
}

#[tokio::test]
async fn what_no_protocol_of_the_port_is_for_is_refused() {
    let sandbox = start(&[Protocol::Grpc, Protocol::WebSocket], |_| {}).await;
    let web = Web::new(sandbox.address());
    assert_eq!(web.get("/status").await.status, 200, "the WebSocket port tells about the process");
    assert_eq!(web.get("/openapi.json").await.status, 404);
    sandbox.caller().await.process(&request("/index")).await.unwrap();

    let sandbox = start(&[Protocol::Grpc, Protocol::Http], |_| {}).await;
    let web = Web::new(sandbox.address());
    assert_eq!(web.ask("GET", "/", &OPEN, "").await.status, 403, "nobody speaks WebSocket");
    assert_eq!(web.get("/openapi.json").await.status, 200);
}

/// The first line that is answered over TLS, when the client offers HTTP/1.1 only.
async fn first_line(sandbox: &Sandbox, authority: CertificateDer<'static>, headers: &str) -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = soon("TLS", connector.connect(name, stream)).await.unwrap();
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes()).await.unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(soon("an answer", stream.read_u8()).await.unwrap());
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn with_tls_clients_of_every_protocol_agree_on_theirs() {
    let directory = tempfile::tempdir().unwrap();
    let (key, files) = certificate(directory.path());
    let sandbox = start(&ALL, |settings| settings.tls = Some(files)).await;
    let authority = key.cert.der().clone();
    let caller = Caller::connect_tls(sandbox.address(), authority.clone()).await.unwrap();
    caller.process(&request("/index")).await.unwrap();
    assert_eq!(first_line(&sandbox, authority.clone(), "").await, "HTTP/1.1 200 OK");
    let open: String = OPEN.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    assert_eq!(first_line(&sandbox, authority, &open).await, "HTTP/1.1 101 Switching Protocols");
}
