//! Pings of servers that the tests make themselves.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Serves one connection with a fixed answer and says what was asked.
async fn serve_once(listener: TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut asked = vec![0; 1024];
    let n = stream.read(&mut asked).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&asked[..n]).lines().next().unwrap_or_default().to_owned()
}

async fn ask_http(subject: Subject, answer: &str) -> (String, Result<(), PingError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let allowed = Duration::from_secs(5);
    let asked = Ping {
        subject,
        address,
        allowed,
        attempts: 1,
        min_successful: 1,
        credentials: Credentials::default(),
    };
    tokio::join!(serve_once(listener, answer), ping(&asked))
}

#[tokio::test]
async fn http_processes_are_healthy_when_they_answer_200() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let (asked, outcome) = ask_http(Subject::Process, ok).await;
    assert_eq!(asked, "GET / HTTP/1.1");
    outcome.unwrap();
    let unavailable = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let (_, outcome) = ask_http(Subject::Process, unavailable).await;
    assert!(matches!(outcome, Err(PingError::HttpStatus { status, .. }) if status == 503));
}

#[tokio::test]
async fn a_failed_dry_run_says_why() {
    let body = r#"{"code":1,"description":"encoder is gone","exception":null}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (asked, outcome) = ask_http(Subject::Flow, &answer).await;
    assert_eq!(asked, "GET /dry_run HTTP/1.1");
    let error = outcome.unwrap_err().to_string();
    assert!(error.ends_with("failed: encoder is gone"), "{error}");
}

#[tokio::test]
async fn a_closed_port_is_told_as_such() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["grpc", "http"] {
        let address = format!("{scheme}://{closed}").parse().unwrap();
        let allowed = Duration::from_secs(5);
        let asked = Ping {
            subject: Subject::Process,
            address,
            allowed,
            attempts: 2,
            min_successful: 1,
            credentials: Credentials::default(),
        };
        let outcome = ping(&asked).await;
        assert!(matches!(outcome, Err(PingError::Connect { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn silence_is_not_waited_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("grpc://{}", silent.local_addr().unwrap()).parse().unwrap();
    let allowed = Duration::from_millis(50);
    let asked = Ping {
        subject: Subject::Process,
        address,
        allowed,
        attempts: 1,
        min_successful: 1,
        credentials: Credentials::default(),
    };
    let outcome = ping(&asked).await;
    assert!(matches!(outcome, Err(PingError::TimedOut { .. })), "{outcome:?}");
}
