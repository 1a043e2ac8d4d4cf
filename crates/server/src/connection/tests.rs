//! Connections are served over both versions of HTTP, and finished when the process drains.

use std::io;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

use super::*;
use crate::{Drain, Listener, Outcome, Timing};

struct Served {
    address: SocketAddr,
    drain: Drain,
    /// Requests are answered while this is true.
    answering: watch::Sender<bool>,
    /// Counts the requests that arrived.
    arrived: watch::Receiver<usize>,
}

fn served(options: HttpOptions) -> Served {
    let listener = Listener::bind("127.0.0.1", 0, 16).unwrap();
    let address = listener.address();
    let drain = Drain::new();
    let answering = watch::Sender::new(true);
    let (count, arrived) = watch::channel(0);
    let (gate, count) = (answering.clone(), Arc::new(count));
    let service = service_fn(move |_request: Request<Incoming>| {
        let (mut gate, count) = (gate.subscribe(), count.clone());
        async move {
            count.send_modify(|n| *n += 1);
            gate.wait_for(|answering| *answering).await.unwrap();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
        }
    });
    let workers = Arc::new(Workers::start(1).unwrap());
    let handle = drain.handle();
    let open = listener.open().unwrap();
    handle.clone().spawn(serve(open, vec![move || service.clone()], None, options, workers, handle));
    Served { address, drain, answering, arrived }
}

async fn get_over_http1(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn get_over_http2(address: SocketAddr) -> Result<Bytes, BoxError> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut requests, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
    let mut driver = tokio::task::JoinSet::new();
    driver.spawn(connection);
    let request = Request::get("http://x/").body(Empty::<Bytes>::new())?;
    Ok(requests.send_request(request).await?.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let served = served(HttpOptions::default());
    assert!(get_over_http1(served.address).await.unwrap().ends_with("\r\n\r\nhello"));
    assert_eq!(get_over_http2(served.address).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_call_in_flight_is_finished_and_new_ones_are_refused() {
    let Served { address, drain, answering, mut arrived } = served(HttpOptions::default());
    answering.send_replace(false);
    let mut calls = tokio::task::JoinSet::new();
    calls.spawn(async move { get_over_http1(address).await.unwrap() });
    calls.spawn(async move { String::from_utf8(get_over_http2(address).await.unwrap().into()).unwrap() });
    arrived.wait_for(|n| *n == 2).await.unwrap();

    let stop = drain.handle().token().clone();
    let draining = drain.run(std::future::ready(()), Timing::default());
    let finish = async {
        stop.cancelled().await;
        // The accept loop ends soon after: then nobody can connect.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        answering.send_replace(true);
        calls.join_all().await
    };
    let (outcome, answers) = tokio::join!(draining, finish);
    assert!(answers.iter().all(|answer| answer.ends_with("hello")), "{answers:?}");
    assert_eq!(outcome, Outcome::Clean);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let patience = Duration::from_millis(50);
    let served = served(HttpOptions { handshake_timeout: patience, ..HttpOptions::default() });
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(20), silent.read_u8()).await;
    read.expect("the connection is closed").unwrap_err();
}

/// What a client of HTTP/2 says that has nothing to say: the preface and empty settings.
const SILENT_HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A client that does not answer pings, and that its settings were received.
async fn silent_client(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(SILENT_HTTP2).await.unwrap();
    let mut settings = [0; 9];
    client.read_exact(&mut settings).await.unwrap();
    assert_eq!(settings[3], 4, "the server's settings");
    client
}

#[tokio::test]
async fn an_idle_client_that_answers_no_ping_does_not_hold_up_the_end() {
    // Without pings of its own nobody but the drain could close the connection.
    let served = served(HttpOptions { keepalive_time: None, ..HttpOptions::default() });
    let mut client = silent_client(served.address).await;
    let timing = Timing { grace: Duration::from_secs(20), ..Timing::default() };
    assert_eq!(served.drain.run(std::future::ready(()), timing).await, Outcome::Clean);
    let mut rest = Vec::new();
    // A connection that is closed with data unread is reset, which is an end as well.
    let _end = client.read_to_end(&mut rest).await;
    let goaway = rest.windows(9).any(|frame| frame[..5] == [0, 0, 8, 7, 0]);
    assert!(goaway, "it is told before: {rest:?}");
}

#[tokio::test]
async fn a_call_of_a_client_that_answers_no_ping_is_finished() {
    let Served { address, drain, answering, mut arrived } =
        served(HttpOptions { keepalive_time: None, ..HttpOptions::default() });
    answering.send_replace(false);
    let mut client = silent_client(address).await;
    // HEADERS on stream 1 with the end of both: `:method GET`, `:scheme http`, `:path /`, `:authority x`.
    client.write_all(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01x").await.unwrap();
    arrived.wait_for(|n| *n == 1).await.unwrap();
    let stop = drain.handle().token().clone();
    let draining =
        drain.run(std::future::ready(()), Timing { grace: Duration::from_secs(20), ..Timing::default() });
    let finish = async {
        stop.cancelled().await;
        // Longer than an idle connection is kept.
        tokio::time::sleep(REST * 2).await;
        answering.send_replace(true);
        let mut rest = Vec::new();
        let _end = client.read_to_end(&mut rest).await;
        rest
    };
    let (outcome, rest) = tokio::join!(draining, finish);
    assert!(rest.windows(5).any(|bytes| bytes == b"hello"), "{rest:?}");
    assert_eq!(outcome, Outcome::Clean);
}

/// GOAWAY with the error code NO_ERROR.
fn is_told_to_go(frames: &[u8]) -> bool {
    // It begins with the length, the kind 7, no flags and stream 0; after the last stream comes the code.
    frames.windows(17).any(|bytes| bytes[..9] == [0, 0, 8, 7, 0, 0, 0, 0, 0] && bytes[13..] == [0; 4])
}

#[tokio::test]
async fn a_connection_without_calls_is_told_to_go_and_one_with_calls_is_let_alone() {
    let idle = Duration::from_millis(50);
    let options = HttpOptions { keepalive_time: None, max_idle: Some(idle), ..HttpOptions::default() };
    let Served { address, answering, mut arrived, drain: _drain } = served(options);
    answering.send_replace(false);
    let mut busy = silent_client(address).await;
    busy.write_all(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01x").await.unwrap();
    arrived.wait_for(|n| *n == 1).await.unwrap();
    let mut resting = silent_client(address).await;
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), resting.read_to_end(&mut rest)).await;
    let _end = end.expect("it ends");
    assert!(is_told_to_go(&rest), "{rest:?}");
    // That one came later, and went first.
    answering.send_replace(true);
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), busy.read_to_end(&mut answer)).await;
    let _end = end.expect("it ends as well, when it rests");
    let hello = answer.windows(5).position(|bytes| bytes == b"hello").expect("an answer");
    assert!(!is_told_to_go(&answer[..hello]) && is_told_to_go(&answer[hello..]), "{answer:?}");
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_web_server_but_not_those_of_grpc() {
    let header = |name: &'static str, value| (http::HeaderName::from_static(name), value);
    let value = http::HeaderValue::from_static;
    let headers = [header("x-team", value("search")), header("x-team", value("index"))];
    let served = served(HttpOptions { headers: Arc::new(headers), ..HttpOptions::default() });
    let answer = get_over_http1(served.address).await.unwrap();
    assert!(answer.contains("x-team: search\r\n") && answer.contains("x-team: index\r\n"), "{answer}");
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let call = b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc\r\nconnection: close\r\n\r\n";
    stream.write_all(call).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello") && !answer.contains("x-team"), "{answer}");
}

/// The status and the end of the connection, after a request of which the connection could be used again.
async fn ask_on(stream: &mut TcpStream) -> (String, bool) {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") && stream.read_buf(&mut answer).await.unwrap() > 0 {}
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().to_owned();
    (status, answer.contains("connection: close\r\n"))
}

#[tokio::test]
async fn one_connection_less_than_the_limit_is_let_in() {
    let served = served(HttpOptions { max_concurrency: Some(3), ..HttpOptions::default() });
    let mut streams = Vec::new();
    for want in [("200", false), ("200", false), ("503", true)] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let (status, is_last) = ask_on(&mut stream).await;
        assert_eq!((status.as_str(), is_last), want);
        streams.push(stream);
    }
    // The refusal closes the connection, and makes room for those that are there.
    let mut rest = Vec::new();
    streams[2].read_to_end(&mut rest).await.unwrap();
    let room = async {
        while ask_on(&mut streams[0]).await.0 != "200" {
            streams[0] = TcpStream::connect(served.address).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), room).await.expect("room");
}

#[tokio::test]
async fn requests_of_one_connection_are_limited_as_well() {
    let Served { address, answering, mut arrived, drain: _drain } =
        served(HttpOptions { max_concurrency: Some(2), ..HttpOptions::default() });
    answering.send_replace(false);
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut requests, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { connection.await.map(|()| http::StatusCode::OK) });
    let request = || Request::get("http://x/").body(Empty::<Bytes>::new()).unwrap();
    for _ in 0..2 {
        let answer = requests.send_request(request());
        tasks.spawn(async move { Ok(answer.await?.status()) });
    }
    arrived.wait_for(|n| *n == 2).await.unwrap();
    let refused = requests.send_request(request()).await.unwrap();
    assert_eq!(refused.status(), http::StatusCode::SERVICE_UNAVAILABLE);
    answering.send_replace(true);
    for _ in 0..2 {
        assert_eq!(tasks.join_next().await.unwrap().unwrap().unwrap(), http::StatusCode::OK);
    }
    let answer = requests.send_request(request()).await.unwrap();
    assert_eq!(answer.status(), http::StatusCode::OK, "they are finished");
}
