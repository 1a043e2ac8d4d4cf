//! Conversations, over a socket in memory.

use std::time::Duration;

use call::{Message, Payload};
use docarray::{Node, node};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use serde_json::json;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::conversation::Conversation;

/// The client's side of a conversation.
struct Client {
    socket: WebSocketStream<DuplexStream>,
    _server: tokio::task::JoinSet<()>,
}

impl Client {
    async fn of(stage: &Stage) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let socket = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let server = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        let admission = stage.admission.for_connection();
        let conversation = Conversation::new(stage.graphql.clone(), Context::default(), admission);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(conversation.hold(server));
        Self { socket, _server: tasks }
    }

    async fn begun(stage: &Stage) -> Self {
        let mut client = Self::of(stage).await;
        client.say(&json!({"type": "connection_init"})).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }

    async fn say(&mut self, message: &Value) {
        self.socket.send(Frame::Text(message.to_string().into())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(&json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    async fn frame(&mut self) -> Frame {
        let frame = tokio::time::timeout(Duration::from_secs(60), self.socket.next()).await;
        frame.expect("a message").expect("a message").expect("a message")
    }

    async fn hear(&mut self) -> Value {
        serde_json::from_str(self.frame().await.to_text().unwrap()).unwrap()
    }

    /// The code with which the other side closes.
    async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Frame::Close(Some(frame)) => frame.code.into(),
            other => panic!("expected the end, got {other}"),
        }
    }
}

fn text(text: &'static str) -> Result<Message, Error> {
    let mut doc = Vec::new();
    node::put_field(&mut doc, "text", |to| Node::Text(text.into()).write(None, to));
    Ok(Message { documents: Some(Payload::from(doc)), ..Message::default() })
}

fn streaming(parts: impl Fn() -> Vec<Result<Message, Error>> + Clone + Send + Sync + 'static) -> Stage {
    Stage::new(move |_: Request| {
        let parts = parts();
        async move { Ok(Response::Stream(Box::pin(stream::iter(parts)))) }
    })
}

const STREAM: &str = r#"subscription { stream(document: {text: "x"}) { text } }"#;

#[tokio::test(start_paused = true)]
async fn a_streaming_endpoint_is_subscribed_to() {
    let stage = streaming(|| vec![text("one"), text("two")]);
    let mut client = Client::begun(&stage).await;
    client.subscribe("1", STREAM).await;
    for want in ["one", "two"] {
        let next = json!({"type": "next", "id": "1", "payload": {"data": {"stream": {"text": want}}}});
        assert_eq!(client.hear().await, next);
    }
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "1"}));
    assert_eq!(stage.admission.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_ends_with_the_error() {
    let stage = streaming(|| vec![text("one"), Err(Error::new(call::ErrorCode::Unavailable, "gone"))]);
    let mut client = Client::begun(&stage).await;
    client.subscribe("1", STREAM).await;
    assert_eq!(client.hear().await["payload"]["data"]["stream"]["text"], "one");
    let failed = client.hear().await;
    assert_eq!(failed["payload"]["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{failed}");
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "1"}));
}

#[tokio::test(start_paused = true)]
async fn queries_are_answered_and_wrong_ones_are_errors() {
    let stage = Stage::echo();
    let mut client = Client::begun(&stage).await;
    client.subscribe("q", "{ __typename }").await;
    assert_eq!(client.hear().await["payload"], json!({"data": {"__typename": "Query"}}));
    assert_eq!(client.hear().await["type"], "complete");
    for query in ["{ nope }", "{", "subscription { nope }"] {
        client.subscribe("w", query).await;
        let error = client.hear().await;
        assert_eq!((&error["type"], error["payload"].is_array()), (&json!("error"), true), "{error}");
    }
    client.say(&json!({"type": "ping", "payload": {"a": 1}})).await;
    assert_eq!(client.hear().await, json!({"type": "pong", "payload": {"a": 1}}));
}

#[tokio::test(start_paused = true)]
async fn what_the_client_completes_is_cancelled() {
    let (begin, mut begun) = tokio::sync::mpsc::channel(1);
    let stage = Stage::new(move |_: Request| {
        let begin = begin.clone();
        async move {
            let (_work, end) = tokio::sync::oneshot::channel::<()>();
            begin.send(end).await.expect("the test waits for it");
            std::future::pending().await
        }
    });
    let mut client = Client::begun(&stage).await;
    client.subscribe("1", "{ search(data: []) { data { id } } }").await;
    let end = begun.recv().await.unwrap();
    client.say(&json!({"type": "complete", "id": "1"})).await;
    let ended = tokio::time::timeout(Duration::from_secs(10), end).await;
    assert!(ended.expect("the work ends").is_err(), "without a result");
    // The id is free again.
    client.subscribe("1", "{ __typename }").await;
    assert_eq!(client.hear().await["payload"]["data"]["__typename"], "Query");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_for_everything_leaves_room_for_others() {
    let limits = Limits { requests: 5, ..Limits::default() };
    let stage = Stage::within(limits, Settings::default(), async |_| std::future::pending().await);
    let mut greedy = Client::begun(&stage).await;
    for id in ["1", "2", "3", "4", "5"] {
        greedy.subscribe(id, STREAM).await;
    }
    let refused = greedy.hear().await;
    assert_eq!((&refused["id"], stage.admission.requests()), (&json!("5"), 4), "{refused}");
    assert_eq!(refused["payload"]["errors"][0]["extensions"]["code"], "OVERLOADED", "{refused}");
    let mut modest = Client::begun(&stage).await;
    modest.subscribe("1", STREAM).await;
    modest.say(&json!({"type": "ping"})).await;
    assert_eq!(modest.hear().await, json!({"type": "pong"}));
    assert_eq!(stage.admission.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_protocol_is_kept_or_the_connection_ends() {
    let stage = Stage::new(async |_| {
        std::future::pending::<()>().await;
        Err(Error::new(call::ErrorCode::Internal, "this never comes"))
    });
    let init = json!({"type": "connection_init"});
    let ask =
        json!({"type": "subscribe", "id": "1", "payload": {"query": "{ search(data: []) { data { id } } }"}});
    let cases: [(&[&Value], u16); 5] = [
        (&[&ask], 4401),
        (&[&init, &init], 4429),
        (&[&init, &ask, &ask], 4409),
        (&[&json!({"type": "what"})], 4400),
        (&[], 4408),
    ];
    for (messages, code) in cases {
        let mut client = Client::of(&stage).await;
        for message in messages {
            client.say(message).await;
        }
        if messages.first() == Some(&&init) {
            client.hear().await;
        }
        assert_eq!(client.closed().await, code, "{messages:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_idle_connections() {
    let stage = Stage::echo();
    let mut client = Client::begun(&stage).await;
    stage.graphql.shared.settings.stop.cancel();
    assert_eq!(client.closed().await, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_is_answered() {
    let stage = Stage::echo();
    let mut client = Client::begun(&stage).await;
    client.socket.close(None).await.unwrap();
    assert!(matches!(client.frame().await, Frame::Close(_)));
    assert!(client.socket.next().await.is_none());
}
