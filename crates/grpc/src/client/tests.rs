//! Both ends of the data calls against each other, over a transport in memory.

mod connections;

use std::sync::Mutex;

use call::{Admission, Error, ErrorCode, Handler, Kind, Limits, Message as CallMessage, Request, Response};
use futures_util::stream;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::Code;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::*;
use crate::server::{DataCalls, Settings};
use crate::{FrameError, Status, path};

/// A connection to a server that answers the data calls with `answer`.
async fn connected<F>(
    settings: Settings,
    limits: Limits,
    answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
) -> Connection
where
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    let handler: Handler = BoxCloneSyncService::new(service_fn(answer));
    let calls = DataCalls::new(handler, Admission::new(limits), settings);
    let serve = move |request: http::Request<hyper::body::Incoming>| {
        let calls = calls.clone();
        async move {
            Ok::<_, std::convert::Infallible>(match request.uri().path() {
                path::CALL => calls.call(request),
                path::PROCESS_DATA => calls.process_data(request).await,
                path::STREAM_DOC => calls.stream_doc(request).await,
                _ => calls.process_single_data(request).await,
            })
        }
    };
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(theirs), hyper::service::service_fn(serve));
    let options = Options::default();
    let client = handshake(ours, Scheme::HTTP, "executor:80".parse().unwrap(), &options);
    let tasks = tokio_util::task::TaskTracker::new();
    tasks.spawn(server);
    let (connection, driver) = client.await.unwrap();
    tasks.spawn(driver);
    connection
}

async fn echo(request: Request) -> Result<Response, Error> {
    Ok(Response::One(request.message))
}

fn message(id: &str, documents: usize) -> CallMessage {
    let mut message = CallMessage { documents: Some(vec![7; documents].into()), ..CallMessage::default() };
    message.header.request_id = id.into();
    message
}

fn outgoing(path: &'static str, message: &CallMessage) -> Outgoing {
    Outgoing {
        path: PathAndQuery::from_static(path),
        headers: HeaderMap::new(),
        deadline: Deadline::NEVER,
        message: Message::Frame(proto::message::write_frame(message)),
    }
}

fn read(wire: Payload) -> CallMessage {
    proto::message::read(wire).unwrap()
}

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let connection = connected(Settings::default(), Limits::default(), echo).await;
    for size in [0, 1, 5_000, 3_000_000] {
        let sent = message("a", size);
        let reply = connection.call(outgoing(path::PROCESS_SINGLE_DATA, &sent)).await.unwrap();
        let (wire, trailers) = reply.only().await.unwrap();
        assert_eq!(read(wire).documents, sent.documents);
        assert_eq!(trailers.get("is-error"), None);
    }
    assert_eq!(connection.calls(), 0, "finished calls are not counted");
}

#[tokio::test]
async fn compressed_messages_are_understood() {
    let connection = connected(Settings::default(), Limits::default(), echo).await;
    let sent = message("a", 10_000);
    for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Deflate, Encoding::Zstd] {
        let mut outgoing = outgoing(path::PROCESS_SINGLE_DATA, &sent);
        outgoing.message = Message::Encode(encoding, proto::message::write(&sent));
        let (wire, _) = connection.call(outgoing).await.unwrap().only().await.unwrap();
        assert_eq!(read(wire).documents, sent.documents, "{encoding:?}");
    }
}

#[tokio::test]
async fn headers_and_deadline_travel_on() {
    let look = |request: Request| async move {
        let left = request.context.deadline.remaining().unwrap();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(60), "{left:?}");
        let metadata: Vec<_> =
            request.context.metadata.0.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(metadata, [("traceparent", "00-1-2-01"), ("x-user", "me")]);
        echo(request).await
    };
    let settings = Settings { forward: vec![http::HeaderName::from_static("x-user")], ..Settings::default() };
    let connection = connected(settings, Limits::default(), look).await;
    let mut outgoing = outgoing(path::PROCESS_SINGLE_DATA, &message("a", 1));
    outgoing.deadline = Deadline::after(Duration::from_secs(60));
    for (name, value) in [("x-user", "me"), ("x-other", "you"), ("traceparent", "00-1-2-01")] {
        outgoing.headers.insert(name, HeaderValue::from_static(value));
    }
    connection.call(outgoing).await.unwrap().only().await.unwrap();
}

#[tokio::test]
async fn an_error_is_a_status() {
    let fail = |_request| async { Err(Error::new(ErrorCode::Unavailable, "nobody there|Gateway: `x`")) };
    let connection = connected(Settings::default(), Limits::default(), fail).await;
    let reply = connection.call(outgoing(path::PROCESS_SINGLE_DATA, &message("a", 1))).await.unwrap();
    let Err(CallError::Status(Status { code, message })) = reply.only().await else { panic!("no status") };
    assert_eq!((code, &*message), (Code::Unavailable, "nobody there|Gateway: `x`"));
}

#[tokio::test]
async fn an_executors_error_is_an_answer_that_is_marked() {
    let raise = |mut request: Request| async {
        let status = call::Status { is_error: true, ..call::Status::default() };
        request.message.header.status = Some(Box::new(status));
        request.message.trailers.0.push(("total_shards".into(), "2".into()));
        Ok(Response::One(request.message))
    };
    let settings = Settings { mark_errors: true, ..Settings::default() };
    let connection = connected(settings, Limits::default(), raise).await;
    for path in [path::PROCESS_SINGLE_DATA, path::CALL] {
        let reply = connection.call(outgoing(path, &message("a", 1))).await.unwrap();
        let (wire, trailers) = reply.only().await.unwrap();
        assert!(read(wire).is_error());
        assert_eq!(trailers.get("is-error").unwrap(), "true", "{path}");
        assert_eq!(trailers.get("total_shards").is_some(), path == path::PROCESS_SINGLE_DATA);
    }
}

#[tokio::test]
async fn the_parts_of_a_join_arrive_in_order() {
    let look = |request: Request| async {
        let ids = request.parts.iter().map(|part| part.header.request_id.clone());
        let ids: Vec<_> = [request.message.header.request_id.clone()].into_iter().chain(ids).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        echo(request).await
    };
    let connection = connected(Settings::default(), Limits::default(), look).await;
    let list = proto::message::write_list(&[message("a", 1), message("b", 5_000), message("c", 0)]);
    let mut outgoing = outgoing(path::PROCESS_DATA, &CallMessage::default());
    outgoing.message = Message::Encode(Encoding::Identity, list);
    connection.call(outgoing).await.unwrap().only().await.unwrap();
}

#[tokio::test]
async fn a_stream_of_documents_ends_with_its_error() {
    let three = |request: Request| async move {
        assert_eq!(request.kind, Kind::Stream);
        let lost = Error::new(ErrorCode::Internal, "lost");
        let parts = stream::iter([Ok(message("1", 1)), Ok(message("2", 1)), Err(lost), Ok(message("3", 1))]);
        Ok(Response::Stream(Box::pin(parts)))
    };
    let connection = connected(Settings::default(), Limits::default(), three).await;
    let mut reply = connection.call(outgoing(path::STREAM_DOC, &message("a", 1))).await.unwrap();
    for want in ["1", "2"] {
        assert_eq!(read(reply.next().await.unwrap().unwrap()).header.request_id, want);
    }
    let Err(CallError::Status(status)) = reply.next().await else { panic!("no status") };
    assert_eq!(status, Status { code: Code::Internal, message: "lost".into() });
}

/// Answers each request when the test says so.
fn on_command() -> (impl Fn(Request) -> call_future::Boxed + Clone, Arc<call_future::Waiting>) {
    let waiting = Arc::new(call_future::Waiting::default());
    let shared = waiting.clone();
    (move |request| call_future::wait(request, shared.clone()), waiting)
}

mod call_future {
    use std::collections::HashMap;
    use std::pin::Pin;

    use tokio::sync::{Notify, oneshot};

    use super::*;

    pub(super) type Boxed = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    #[derive(Default)]
    pub(super) struct Waiting {
        requests: Mutex<HashMap<String, oneshot::Sender<Result<(), Error>>>>,
        arrived: Notify,
    }

    impl Waiting {
        pub(super) async fn until(&self, n: usize) {
            while self.requests.lock().unwrap().len() < n {
                self.arrived.notified().await;
            }
        }

        pub(super) fn count(&self) -> usize {
            self.requests.lock().unwrap().len()
        }

        pub(super) fn answer(&self, id: &str, how: Result<(), Error>) {
            self.requests.lock().unwrap().remove(id).unwrap().send(how).unwrap();
        }
    }

    pub(super) fn wait(request: Request, waiting: Arc<Waiting>) -> Boxed {
        Box::pin(async move {
            let (send, receive) = oneshot::channel();
            let id = request.message.header.request_id.to_string();
            waiting.requests.lock().unwrap().insert(id, send);
            waiting.arrived.notify_one();
            receive.await.unwrap()?;
            Ok(Response::One(request.message))
        })
    }
}

async fn open(connection: &Connection, headers: &[(&'static str, &'static str)]) -> (Outbox, Reply) {
    let headers = headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
    let (outbox, reply) = connection
        .open(PathAndQuery::from_static(path::CALL), headers.collect(), Deadline::NEVER, Encoding::Identity)
        .await
        .unwrap();
    (outbox, reply.await.unwrap())
}

async fn send(outbox: &mut Outbox, ids: &[&str]) {
    for id in ids {
        outbox.send(proto::message::write(&message(id, 3))).await.unwrap();
    }
}

async fn next_id(reply: &mut Reply) -> Option<String> {
    let wire = reply.next().await.unwrap()?;
    Some(read(wire).header.request_id.to_string())
}

#[tokio::test]
async fn a_stream_answers_as_completed_or_in_order() {
    for (headers, want) in
        [(&[][..], ["c", "a", "b"]), (&[("__results_in_order__", "true")], ["a", "b", "c"])]
    {
        let (answer, waiting) = on_command();
        let connection = connected(Settings::default(), Limits::default(), answer).await;
        let (mut outbox, mut reply) = open(&connection, headers).await;
        send(&mut outbox, &["a", "b", "c"]).await;
        outbox.finish().unwrap();
        waiting.until(3).await;
        waiting.answer("c", Ok(()));
        if headers.is_empty() {
            assert_eq!(next_id(&mut reply).await.as_deref(), Some("c"));
        }
        waiting.answer("a", Ok(()));
        assert_eq!(next_id(&mut reply).await.as_deref(), Some("a"));
        waiting.answer("b", Ok(()));
        let rest = if headers.is_empty() { &want[2..] } else { &want[1..] };
        for want in rest {
            assert_eq!(next_id(&mut reply).await.as_deref(), Some(*want));
        }
        assert_eq!(next_id(&mut reply).await, None);
    }
}

#[tokio::test]
async fn prefetch_bounds_what_is_in_flight() {
    let (answer, waiting) = on_command();
    let settings = Settings { prefetch: 3, ..Settings::default() };
    let connection = connected(settings, Limits::default(), answer).await;
    for (header, bound) in [(None, 3), (Some("2"), 2), (Some("0"), 3), (Some("many"), 3)] {
        let headers: Vec<_> = header.map(|header| ("__prefetch__", header)).into_iter().collect();
        let (mut outbox, mut reply) = open(&connection, &headers).await;
        let ids = ["a", "b", "c", "d", "e"];
        send(&mut outbox, &ids).await;
        outbox.finish().unwrap();
        for (n, id) in ids.iter().enumerate() {
            waiting.until(bound.min(ids.len() - n)).await;
            assert!(waiting.count() <= bound);
            waiting.answer(id, Ok(()));
            assert_eq!(next_id(&mut reply).await.as_deref(), Some(*id));
        }
    }
}

#[tokio::test]
async fn a_failed_request_ends_the_stream_after_those_in_flight() {
    let (answer, waiting) = on_command();
    let connection = connected(Settings::default(), Limits::default(), answer).await;
    let (mut outbox, mut reply) = open(&connection, &[]).await;
    send(&mut outbox, &["a", "b"]).await;
    waiting.until(2).await;
    waiting.answer("a", Err(Error::new(ErrorCode::Unavailable, "gone")));
    waiting.answer("b", Ok(()));
    assert_eq!(next_id(&mut reply).await.as_deref(), Some("b"));
    let Err(CallError::Status(status)) = reply.next().await else { panic!("no status") };
    assert_eq!(status, Status { code: Code::Unavailable, message: "gone".into() });
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_the_work() {
    struct Cancelled(tokio::sync::mpsc::Sender<()>);
    impl Drop for Cancelled {
        fn drop(&mut self) {
            self.0.try_send(()).unwrap();
        }
    }
    let (began, mut has_begun) = tokio::sync::mpsc::channel(1);
    let (ended, mut has_ended) = tokio::sync::mpsc::channel(1);
    let hang = move |_request| {
        let (began, cancelled) = (began.clone(), Cancelled(ended.clone()));
        async move {
            began.send(()).await.unwrap();
            std::future::pending::<()>().await;
            drop(cancelled);
            unreachable!()
        }
    };
    let connection = connected(Settings::default(), Limits::default(), hang).await;
    for path in [path::PROCESS_SINGLE_DATA, path::CALL] {
        let call = outgoing(path, &message("a", 1));
        tokio::select! {
            _ = async { connection.call(call).await.unwrap().only().await } => panic!("answered"),
            _ = has_begun.recv() => {}
        }
        has_ended.recv().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let settings = Settings { max_message: 1000, ..Settings::default() };
    let limits = Limits { requests: 10, bytes: 500 };
    let connection = connected(settings, limits, echo).await;
    let check = async |case: &str, outgoing: Outgoing, want: Option<Code>| {
        let got = connection.call(outgoing).await.unwrap().only().await;
        let got = match got {
            Ok(_) => None,
            Err(CallError::Status(status)) => Some(status.code),
            Err(error) => panic!("{case}: {error}"),
        };
        assert_eq!(got, want, "{case}");
    };
    let single = |size| outgoing(path::PROCESS_SINGLE_DATA, &message("a", size));
    let encoded = |encoding, size| Outgoing {
        message: Message::Encode(encoding, proto::message::write(&message("a", size))),
        ..single(0)
    };
    check("small", single(100), None).await;
    check("larger than the budget", single(600), Some(Code::ResourceExhausted)).await;
    check("larger than a message", single(2000), Some(Code::ResourceExhausted)).await;
    check("a bomb", encoded(Encoding::Gzip, 100_000), Some(Code::ResourceExhausted)).await;
    check("decompressed beyond the budget", encoded(Encoding::Gzip, 600), Some(Code::ResourceExhausted))
        .await;
    check("small again", single(100), None).await;
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let connection = connected(Settings::default(), Limits::default(), echo).await;
    let raw = |bytes: &'static [u8]| Outgoing {
        message: Message::Frame(Bytes::from_static(bytes).into()),
        ..outgoing(path::PROCESS_SINGLE_DATA, &CallMessage::default())
    };
    let check = async |case: &str, outgoing: Outgoing, want: &str| {
        let Err(CallError::Status(status)) = connection.call(outgoing).await.unwrap().only().await else {
            panic!("{case}: no status")
        };
        assert_eq!((status.code, &*status.message), (Code::InvalidArgument, want), "{case}");
    };
    check("no protobuf", raw(b"\0\0\0\0\x02\xff\xff"), "the request is not a valid message").await;
    check("no frame", raw(b"\x07\0\0\0\0"), "the request is not a valid gRPC message").await;
    check("half a frame", raw(b"\0\0\0\0\x07a"), "the request is not a valid gRPC message").await;
    let two = b"\0\0\0\0\0\0\0\0\0\0";
    check("two", raw(two), "the request has more than one message, the call takes one").await;
    let unmarked = raw(b"\x01\0\0\0\0");
    check("compressed", unmarked, "the message is marked as compressed, but the call names no encoding")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_in_a_message_is_given_up() {
    let connection = connected(Settings::default(), Limits::default(), echo).await;
    let single = PathAndQuery::from_static(path::PROCESS_SINGLE_DATA);
    let (mut outbox, reply) =
        connection.open(single, HeaderMap::new(), Deadline::NEVER, Encoding::Identity).await.unwrap();
    outbox.body.send_data(Bytes::from_static(b"\0\0\0\0\x07abc"), false).unwrap();
    let Err(CallError::Status(status)) = reply.await.unwrap().only().await else { panic!("no status") };
    assert_eq!(status.code, Code::DeadlineExceeded);
}

#[test]
fn failures_have_the_code_that_grpc_gives_them() {
    let check = |error: CallError, want| assert_eq!(error.code(), want, "{error}");
    check(CallError::Http(http::StatusCode::BAD_GATEWAY), Code::Unavailable);
    check(CallError::Http(http::StatusCode::NOT_FOUND), Code::Unimplemented);
    check(CallError::NoStatus, Code::Internal);
    check(CallError::Frame(FrameError::TooLarge { len: 2, limit: 1 }), Code::ResourceExhausted);
    let refused = h2::Error::from(h2::Reason::REFUSED_STREAM);
    check(CallError::NotSent(refused), Code::Unavailable);
    let status = Status { code: Code::Aborted, message: "x".into() };
    check(CallError::Status(status), Code::Aborted);
}
