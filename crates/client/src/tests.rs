//! The client against the server half of the data calls, over loopback.

mod control;
mod peer;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use call::{Kind, Request, Response as Answer};
use futures_util::{StreamExt as _, TryStreamExt as _};
use grpc::server::Settings as CallSettings;
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use super::*;
use peer::{Peer, Text, echo, texts};

async fn connected(peer: &Peer) -> Client {
    Client::connect(&peer.address()).await.unwrap()
}

#[tokio::test]
async fn documents_come_back_complete_and_in_order() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    let sent = texts(0..1000);
    let post = || client.post("/a").inputs(texts(0..1000)).request_size(10);
    let in_order = post().in_order(true).collect::<Text>().await.unwrap();
    assert_eq!(in_order.to_vec(), sent);
    let mut unordered = post().collect::<Text>().await.unwrap().to_vec();
    unordered.sort_by_key(|text| text.text.parse::<usize>().unwrap());
    assert_eq!(unordered, sent);
    let unary = post().stream(false).in_order(true).collect::<Text>().await.unwrap();
    assert_eq!(unary.to_vec(), sent);
}

#[tokio::test]
async fn answers_come_as_completed_unless_order_is_asked_for() {
    // The first request waits until the second has been answered.
    async fn late(request: Request, second: Arc<Notify>) -> Result<Answer, call::Error> {
        let first = request.message.documents.as_ref().unwrap() == &peer::content(&texts(0..1));
        if first {
            second.notified().await;
        } else {
            second.notify_one();
        }
        echo(request).await
    }
    let second = Arc::new(Notify::new());
    let peer = Peer::start(move |request| late(request, second.clone()));
    let client = connected(&peer).await;
    for (in_order, stream, want) in [
        (false, true, ["1", "0"]),
        (true, true, ["0", "1"]),
        (false, false, ["1", "0"]),
        (true, false, ["0", "1"]),
    ] {
        let post = client.post("/a").inputs(texts(0..2)).request_size(1).stream(stream);
        let got = post.in_order(in_order).collect::<Text>().await.unwrap();
        let got: Vec<_> = got.iter().map(|text| &*text.text).collect();
        assert_eq!(got, want, "in order: {in_order}, one call: {stream}");
    }
}

#[tokio::test]
async fn requests_hold_what_was_told() {
    let look = |request: Request| async move {
        let header = &request.message.header;
        assert_eq!(header.endpoint.as_deref(), Some("/search"));
        assert_eq!(header.target_executor.as_deref(), Some("rank.*"));
        assert_eq!(header.request_id.len(), 32);
        assert_eq!(request.message.parameters.get("limit").unwrap(), Some(json!(3.0)));
        let left = request.context.deadline.remaining().unwrap();
        assert!(left > Duration::from_secs(30) && left <= Duration::from_secs(60), "{left:?}");
        assert_eq!(request.context.metadata.0, [("x-user".into(), "me".into())]);
        echo(request).await
    };
    let forward = vec![http::HeaderName::from_static("x-user")];
    let settings = CallSettings { forward, ..CallSettings::default() };
    let peer = Peer::start_with(look, settings);
    let client = connected(&peer).await;
    for (stream, compression) in [(true, Encoding::Identity), (false, Encoding::Gzip), (true, Encoding::Zstd)]
    {
        let post = client.post("/search").inputs(texts(0..25)).request_size(10).stream(stream);
        let post = post.parameters(json!({"limit": 3})).target_executor("rank.*").compression(compression);
        let post = post.timeout(Duration::from_secs(60)).metadata("x-user", "me").in_order(true);
        let answers: Vec<_> = post.send::<Text>().try_collect().await.unwrap();
        let sizes: Vec<_> = answers.iter().map(|answer| answer.documents.len()).collect();
        assert_eq!(sizes, [10, 10, 5]);
        assert_eq!(answers[0].parameters().unwrap()["limit"], json!(3.0));
    }
}

#[tokio::test]
async fn a_request_without_documents_is_one_message() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    let answers: Vec<_> = client.post("/a").messages().try_collect().await.unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].documents, None);
    let none = client.post("/a").inputs(texts(0..0)).collect::<Text>().await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn raw_contents_are_sent_and_returned_as_they_are() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    let contents: Vec<Payload> = vec![vec![0xff; 3].into(), vec![7; 300_000].into()];
    let post = client.post("/a").contents(contents.clone()).in_order(true);
    let answers: Vec<_> = post.messages().try_collect().await.unwrap();
    let got: Vec<_> = answers.into_iter().map(|answer| answer.documents.unwrap()).collect();
    assert_eq!(got, contents);
}

#[tokio::test]
async fn inputs_are_taken_no_faster_than_answers_are_read() {
    let peer = Peer::start_with(echo, CallSettings { prefetch: 2, ..CallSettings::default() });
    let client = connected(&peer).await;
    for stream in [true, false] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        let endless = (0..).map(move |n: usize| {
            counter.fetch_add(1, Ordering::Relaxed);
            Text { id: n.to_string().into(), text: "x".repeat(1 << 20) }
        });
        let post = client.post("/a").inputs(endless).request_size(1).stream(stream).prefetch(2);
        let mut answers = post.send::<Text>();
        for _ in 0..5 {
            answers.try_next().await.unwrap().unwrap();
        }
        // Beside those read and those worked on, a few fit into windows and buffers.
        assert!(taken.load(Ordering::Relaxed) < 40, "{taken:?}");
    }
}

#[tokio::test]
async fn inputs_may_come_in_time() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    let more = Arc::new(Semaphore::new(0));
    let gate = more.clone();
    let live = futures_util::stream::iter(texts(0..3)).then(move |text| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            text
        }
    });
    let mut answers = client.post("/a").input_stream(live).request_size(1).send::<Text>();
    for n in 0..3 {
        more.add_permits(1);
        let answer = answers.try_next().await.unwrap().unwrap();
        assert_eq!(answer.documents.to_vec(), texts(n..n + 1));
    }
    assert!(answers.next().await.is_none());
}

fn raise(mut request: Request) -> Answer {
    let exception = call::Exception {
        name: "ValueError".into(),
        args: vec!["no".into()],
        executor: "Foo".into(),
        ..call::Exception::default()
    };
    let status =
        call::Status { is_error: true, description: "ValueError('no')".into(), exception: Some(exception) };
    request.message.header.status = Some(Box::new(status));
    Answer::One(request.message)
}

#[tokio::test]
async fn an_executors_failure_ends_the_answers_unless_told_otherwise() {
    let second_fails = |request: Request| async {
        let fails = request.message.documents.as_ref().unwrap() == &peer::content(&texts(1..2));
        if fails { Ok(raise(request)) } else { echo(request).await }
    };
    let peer = Peer::start(second_fails);
    let client = connected(&peer).await;
    for stream in [true, false] {
        let post = || client.post("/a").inputs(texts(0..3)).request_size(1).in_order(true).stream(stream);
        let mut answers = post().send::<Text>();
        answers.try_next().await.unwrap().unwrap();
        let Err(Error::Executor(error)) = answers.try_next().await else { panic!("no failure") };
        assert_eq!(
            (&*error.name, &*error.message, &*error.executor),
            ("ValueError", "ValueError('no')", "Foo")
        );
        assert_eq!(error.to_string(), "ValueError('no') (in executor `Foo`)");
        assert!(answers.next().await.is_none());
        let all: Vec<_> = post().continue_on_error(true).send::<Text>().try_collect().await.unwrap();
        let failed: Vec<_> = all.iter().map(|answer| answer.error().is_some()).collect();
        assert_eq!(failed, [false, true, false]);
    }
}

#[tokio::test]
async fn a_flow_that_cannot_answer_says_so() {
    let refuse = |_| async { Err(call::Error::new(ErrorCode::Unavailable, "nobody there|Gateway: `x`")) };
    let peer = Peer::start(refuse);
    let client = connected(&peer).await;
    for stream in [true, false] {
        let error = client.post("/a").stream(stream).collect::<Text>().await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert_eq!(error.to_string(), "nobody there|Gateway: `x`");
    }
}

#[tokio::test]
async fn documents_of_another_type_are_an_error() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    let no_docs: Vec<Payload> = vec![vec![0xff; 3].into()];
    let mut answers = client.post("/a").contents(no_docs).send::<Text>();
    assert!(matches!(answers.try_next().await, Err(Error::Document { .. })));
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn what_is_told_wrongly_is_said_at_once() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    let check = async |post: Post, want: &str| {
        assert_eq!(post.collect::<Text>().await.unwrap_err().to_string(), want);
    };
    check(client.post("/a").parameters(json!([1])), "parameters must be an object with text as keys").await;
    check(client.post("/a").metadata("a b", "c"), "the metadata `a b` is no valid header").await;
}

#[tokio::test]
async fn a_deadline_ends_the_wait() {
    let hang = |_| std::future::pending::<Result<Answer, call::Error>>();
    let peer = Peer::start(hang);
    let client = connected(&peer).await;
    for stream in [true, false] {
        let post = client.post("/a").stream(stream).timeout(Duration::from_millis(50));
        let error = post.collect::<Text>().await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeadlineExceeded, "{error}");
    }
}

#[tokio::test]
async fn a_peer_that_comes_back_is_used_again() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    client.post("/a").inputs(texts(0..1)).collect::<Text>().await.unwrap();
    let port = peer.stop().await;
    let noticed = async {
        while client.is_connected() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), noticed).await.unwrap();
    let began = client.post("/a").inputs(texts(0..1)).collect::<Text>();
    let (answer, _peer) = tokio::join!(began, async { Peer::start_at(port, echo) });
    assert_eq!(answer.unwrap().to_vec(), texts(0..1));
}

#[tokio::test]
async fn nobody_there_is_an_error_with_the_address() {
    let peer = Peer::start(echo);
    let address = peer.address();
    peer.stop().await;
    let settings = Settings { patience: Duration::ZERO, ..Settings::default() };
    let error = Client::connect_with(&address, settings).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert_eq!(error.to_string(), format!("cannot connect to {address} (1 tries)"));
}

#[tokio::test]
async fn a_document_is_answered_by_a_stream() {
    let count = |request: Request| async move {
        assert_eq!(request.kind, Kind::Stream);
        let parts = texts(0..3).into_iter().map(|text| {
            let documents = Some(peer::encode(&text));
            Ok(Message { documents, ..Message::default() })
        });
        let end = Err(call::Error::new(ErrorCode::Internal, "broken"));
        let fails = request.message.header.endpoint.as_deref() == Some("/broken");
        let parts = parts.chain(fails.then_some(end));
        Ok(Answer::Stream(Box::pin(futures_util::stream::iter(parts.collect::<Vec<_>>()))))
    };
    let peer = Peer::start(count);
    let client = connected(&peer).await;
    let doc = texts(7..8).remove(0);
    let all: Vec<Text> = client.post("/count").stream_doc(&doc).try_collect().await.unwrap();
    assert_eq!(all, texts(0..3));
    let mut broken = client.post("/broken").stream_doc::<_, Text>(&doc);
    for _ in 0..3 {
        broken.try_next().await.unwrap().unwrap();
    }
    assert_eq!(broken.try_next().await.unwrap_err().to_string(), "broken");
    assert!(broken.next().await.is_none());
}

#[tokio::test]
async fn a_failure_names_the_request_that_was_announced_before_it() {
    // As Python gateways do it: a message with nothing but the id, then the status.
    let announce = |request: Request| async move {
        let mut bare = Message::default();
        bare.header.request_id = request.message.header.request_id;
        let end = Err(call::Error::new(ErrorCode::Unavailable, "gone"));
        Ok(Answer::Stream(Box::pin(futures_util::stream::iter([Ok(bare), end]))))
    };
    let peer = Peer::start(announce);
    let client = connected(&peer).await;
    let mut answers = client.post("/a").stream_doc::<_, Text>(&texts(0..1)[0]);
    let Err(Error::Status { request_id, .. }) = answers.try_next().await else { panic!("no status") };
    assert_eq!(request_id.unwrap().len(), 32);
}
