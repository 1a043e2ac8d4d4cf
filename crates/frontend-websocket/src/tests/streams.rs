//! Endpoints that stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use call::{Error, ErrorCode, Handler, Header, Kind, Message, Request, Response, Status};
use futures_util::stream;
use serde_json::json;
use tower::service_fn;

use super::stage::{eventually, request, soon};
use super::*;

type Part = Result<Message, Error>;

/// Answers with what `parts` makes of the document.
fn streaming<S>(parts: impl Fn(Message) -> S + Clone + Send + Sync + 'static) -> Stage
where
    S: futures_util::Stream<Item = Part> + Send + 'static,
{
    let handler = service_fn(move |request: Request| {
        assert_eq!(request.kind, Kind::Stream);
        std::future::ready(Ok::<_, Error>(Response::Stream(Box::pin(parts(request.message)))))
    });
    Stage::with(|options| options.handler = Some(Handler::new(handler)))
}

fn part(document: &Message) -> Part {
    Ok(Message { documents: document.documents.clone(), ..Message::default() })
}

fn failed(document: &Message) -> Part {
    let status = Status { is_error: true, description: "boom".into(), ..Status::default() };
    Ok(Message { header: Header { status: Some(status.into()), ..Header::default() }, ..document.clone() })
}

/// The number of documents and whether it is a failure.
fn shape(message: &Message) -> (usize, bool) {
    let content = message.documents.clone().unwrap_or_default();
    let n_documents = docarray::node::items(docarray::node::doc_list(content).unwrap()).count();
    (n_documents, message.is_error())
}

#[tokio::test]
async fn each_document_is_a_message_of_the_same_request_and_one_without_any_ends_it() {
    let stage = streaming(|document| stream::iter([part(&document), part(&document)]));
    let mut client = stage.client().await;
    let sent = request("r", "/stream", 5);
    client.send(sent.clone()).await;
    for n_documents in [1, 1, 0] {
        let message = client.message().await;
        assert_eq!(shape(&message), (n_documents, false));
        assert_eq!(message.header.request_id, "r");
        if n_documents == 1 {
            assert_eq!(proto::message::write(&message).into_bytes(), sent, "as it was sent");
        }
    }
    client.end().await;
    assert_eq!(client.closed().await.0, 1000);
    assert_eq!((stage.admission.requests(), stage.admission.bytes()), (0, 0));
}

#[tokio::test]
async fn in_json_they_are_lists_of_one_and_of_none() {
    let stage = streaming(|document| stream::iter([part(&document)]));
    let mut client = stage.client_of("/", None).await;
    client
        .say(r#"{"exec_endpoint": "/stream", "data": {"id": "a", "text": "x"}, "header": {"request_id": "r"}}"#)
        .await;
    let header = json!({"request_id": "r", "target_executor": ""});
    let document = json!({"id": "a", "text": "x"});
    assert_eq!(client.json().await, json!({"data": [document], "parameters": {}, "header": header}));
    assert_eq!(client.json().await, json!({"data": [], "parameters": {}, "header": header}));
}

#[tokio::test]
async fn a_failure_of_the_executor_is_the_last_message() {
    let stage = streaming(|document| stream::iter([part(&document), failed(&document), part(&document)]));
    let mut client = stage.client().await;
    client.send(request("r", "/stream", 1)).await;
    assert_eq!(shape(&client.message().await), (1, false));
    assert_eq!(shape(&client.message().await), (0, true));
    client.end().await;
    assert_eq!(client.closed().await.0, 1000);
}

#[tokio::test]
async fn a_stream_that_breaks_closes_with_the_reason() {
    let broken = || Err(Error::new(ErrorCode::Unavailable, "`encoder` is gone"));
    let stage = streaming(move |document| stream::iter([part(&document), broken()]));
    let mut client = stage.client().await;
    client.send(request("r", "/stream", 1)).await;
    assert_eq!(shape(&client.message().await), (1, false));
    assert_eq!(client.closed().await, (1011, "`encoder` is gone".to_owned()));
}

#[tokio::test]
async fn it_takes_one_document() {
    let stage = streaming(|document| stream::iter([part(&document)]));
    let mut client = stage.client_of("/", None).await;
    for (data, why) in [("[]", "got 0"), (r#"[{"text": "a"}, {"text": "b"}]"#, "got 2")] {
        client.say(&format!(r#"{{"exec_endpoint": "/stream", "data": {data}}}"#)).await;
        let answer = client.json().await;
        let status = &answer["header"]["status"];
        assert_eq!(status["exception"]["name"], "ValidationError", "{answer}");
        assert!(status["description"].as_str().unwrap().contains(why), "{answer}");
    }
}

/// Counts the documents that are made, without end, and the streams that are dropped.
#[derive(Clone, Default)]
struct Endless {
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Endless {
    fn stage(&self) -> Stage {
        let Self { made, dropped } = self.clone();
        streaming(move |document| {
            let (made, held) = (made.clone(), Dropped(dropped.clone()));
            stream::repeat_with(move || {
                let _held = &held;
                made.fetch_add(1, Ordering::SeqCst);
                part(&document)
            })
        })
    }
}

#[tokio::test]
async fn documents_are_made_as_fast_as_they_are_read() {
    let endless = Endless::default();
    let stage = endless.stage();
    let mut client = stage.client().await;
    let len = 1 << 20;
    client.send(request("r", "/stream", len)).await;
    assert_eq!(shape(&client.message().await), (1, false));
    // The client reads no more. What the system takes for it is bounded, so the stream comes to rest.
    let rests = async {
        let mut before = usize::MAX;
        loop {
            let now = endless.made.load(Ordering::SeqCst);
            if now == before {
                return now;
            }
            before = now;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let n_made = soon(rests).await;
    assert!(n_made < 50, "{n_made} MiB");
    while endless.made.load(Ordering::SeqCst) <= n_made {
        assert_eq!(shape(&client.message().await), (1, false));
    }
}

#[tokio::test]
async fn a_stream_that_never_rests_lets_others_have_their_turn_and_ends_with_its_client() {
    let endless = Endless::default();
    let stage = endless.stage();
    let mut client = stage.client().await;
    client.send(request("first", "/stream", 1)).await;
    assert_eq!(client.answer().await, "first");
    client.send(request("second", "/stream", 1)).await;
    soon(async { while client.answer().await != "second" {} }).await;
    drop(client);
    eventually(|| endless.dropped.load(Ordering::SeqCst) == 2).await;
    assert_eq!(stage.admission.requests(), 0);
}
