//! Handshakes, plain HTTP and dry runs.

use call::{Error, ErrorCode, Handler, Request, Response};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::tungstenite::Message;
use tower::service_fn;

use super::stage::{OPEN, soon};
use super::*;

#[tokio::test]
async fn handshakes_that_open_nothing_are_refused() {
    let stage = Stage::new();
    let without = |line: &str| {
        OPEN.split_inclusive("\r\n").filter(|header| !header.starts_with(line)).collect::<String>()
    };
    let old = OPEN.replace("version: 13", "version: 8");
    for (method, path, headers, want) in [
        ("GET", "/nope", OPEN, 403),
        ("GET", "/status", OPEN, 403),
        ("POST", "/", OPEN, 400),
        ("GET", "/", &without("sec-websocket-key"), 400),
        ("GET", "/", &without("connection"), 400),
        ("GET", "/", &old, 426),
    ] {
        let (_, head) = stage.ask(method, path, headers).await;
        assert!(head.starts_with(&format!("http/1.1 {want} ")), "{method} {path} {headers}: {head}");
        assert_eq!(head.contains("sec-websocket-version: 13"), want == 426, "{head}");
        assert!(head.contains("connection: close\r\n"), "{head}");
    }
}

async fn get(stage: &Stage, method: &str, path: &str) -> (u16, String, Value) {
    let (mut stream, head) = stage.ask(method, path, "connection: close\r\n").await;
    let mut body = String::new();
    soon(stream.read_to_string(&mut body)).await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test]
async fn plain_http_tells_about_the_process() {
    let stage = Stage::new();
    let (status, head, body) = get(&stage, "GET", "/").await;
    assert_eq!((status, body), (200, json!({})));
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    let (status, _, body) = get(&stage, "GET", "/dry_run").await;
    assert_eq!((status, body), (200, json!({"code": 0, "description": "", "exception": null})));
    let (status, _, body) = get(&stage, "GET", "/status").await;
    assert_eq!(status, 200);
    assert_eq!(
        (&body["jina"]["jina"], &body["envs"]["JINA_LOG_LEVEL"]),
        (&json!("3.34.0"), &json!("(unset)"))
    );
    for path in ["/index", "/openapi.json", "/dry_run/"] {
        let (status, _, body) = get(&stage, "POST", path).await;
        assert_eq!((status, body), (404, json!({"detail": "Not Found"})), "{path}");
    }
    let (status, head, body) = get(&stage, "POST", "/status").await;
    assert_eq!((status, body), (405, json!({"detail": "Method Not Allowed"})));
    assert!(head.contains("allow: get\r\n"), "{head}");
}

fn failing(code: ErrorCode) -> Stage {
    let fails = move |_: Request| std::future::ready(Err::<Response, _>(Error::new(code, "no encoder")));
    Stage::with(|options| options.handler = Some(Handler::new(service_fn(fails))))
}

#[tokio::test]
async fn a_dry_run_tells_and_closes() {
    let stage = Stage::new();
    let mut bytes = stage.client_of("/dry_run", Some("bytes")).await;
    bytes.send(vec![]).await;
    assert_eq!(bytes.next().await, Message::binary(vec![]), "nothing is wrong");
    assert_eq!(bytes.closed().await, (1000, String::new()));
    let mut text = stage.client_of("/dry_run", None).await;
    assert_eq!(text.json().await, json!({}));
    assert_eq!(text.closed().await, (1000, String::new()));
}

#[tokio::test]
async fn a_dry_run_that_fails_tells_why() {
    for code in [ErrorCode::Unavailable, ErrorCode::DeadlineExceeded] {
        let mut client = failing(code).client_of("/dry_run", Some("bytes")).await;
        assert_eq!(client.closed().await, (1011, "no encoder".to_owned()), "{code:?}");
    }
    let stage = failing(ErrorCode::Internal);
    let mut bytes = stage.client_of("/dry_run", Some("bytes")).await;
    let Message::Binary(status) = bytes.next().await else { panic!("no status") };
    let status = proto::message::read_status(status.into()).unwrap();
    assert!(status.is_error);
    assert_eq!(status.description, "no encoder");
    assert_eq!(bytes.closed().await.0, 1000);
    let mut text = stage.client_of("/dry_run", None).await;
    assert_eq!(text.json().await["exception"]["name"], "RuntimeError");
    let (_, _, body) = get(&stage, "GET", "/dry_run").await;
    assert_eq!((&body["code"], &body["description"]), (&json!(1), &json!("no encoder")));
}

#[tokio::test]
async fn a_proxy_may_leave_its_path_in_front() {
    let stage = Stage::with(|options| options.settings.root_path = call::RootPath::new("/api"));
    for (path, want) in [("/", 101), ("/api/", 101), ("/api/dry_run", 101), ("/api", 403), ("/api/x", 403)] {
        let (_, head) = stage.ask("GET", path, OPEN).await;
        assert!(head.starts_with(&format!("http/1.1 {want} ")), "{path}: {head}");
    }
    assert_eq!(get(&stage, "GET", "/api/status").await.0, 200);
}
