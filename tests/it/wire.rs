//! What crosses the wire: compression, pings, the size of messages, the age of connections.

use std::time::Duration;

use grpc::Encoding;
use grpc::client::Keepalive;
use tests::{Frame, Sandbox, Stub, Wire, documents, eventually};
use tonic::Code;

use crate::{request, texts};

/// A request whose text is easily made small.
fn long(endpoint: &'static str) -> call::Message {
    let documents = documents::texts(&[("a", &"x".repeat(10_000))]);
    call::Message { documents: Some(documents), ..request(endpoint) }
}

#[tokio::test]
async fn requests_are_compressed_as_they_cross_the_wire() {
    let magic: [(Encoding, &[u8]); 4] = [
        (Encoding::Identity, &[]),
        (Encoding::Gzip, &[0x1f, 0x8b]),
        (Encoding::Deflate, &[0x78]),
        (Encoding::Zstd, &[0x28, 0xb5, 0x2f, 0xfd]),
    ];
    for (encoding, magic) in magic {
        let encoder = Stub::echo(&["/index"]).serve();
        let wire = Wire::before(encoder.address()).await;
        let sandbox = Sandbox::builder()
            .elsewhere("encoder", wire.address())
            .settings(|settings| settings.client.encoding = encoding)
            .start()
            .await;
        let n_before = wire.bodies().len();
        assert!(n_before > 0, "the executor was asked for its endpoints");
        assert!(wire.bodies().iter().all(|body| body.first() == Some(&0)), "which is never compressed");
        let answer = sandbox.caller().await.process(&long("/index")).await.unwrap();
        assert_eq!(answer.documents, long("/index").documents, "{encoding:?}");
        let bodies = wire.bodies();
        let is_long = |body: &&Vec<u8>| body.len() > 5000;
        if encoding == Encoding::Identity {
            let body = bodies.iter().find(is_long).expect("the request as it is");
            assert_eq!(body[0], 0);
        } else {
            assert!(!bodies.iter().any(|body| is_long(&body)), "{encoding:?}: the text crossed as it is");
            let compressed = bodies.iter().find(|body| body[0] == 1).expect("a compressed message");
            assert_eq!(&compressed[5..5 + magic.len()], magic, "{encoding:?}");
            assert!(compressed.len() < 500, "{encoding:?}: {} bytes", compressed.len());
        }
    }
}

#[tokio::test]
async fn idle_executors_are_pinged() {
    let encoder = Stub::echo(&["/index"]).serve();
    let wire = Wire::before(encoder.address()).await;
    let sandbox = Sandbox::builder()
        .elsewhere("encoder", wire.address())
        .settings(|settings| {
            let time = Duration::from_millis(50);
            settings.client.options.keepalive =
                Some(Keepalive { time, max_without_data: usize::MAX, ..Keepalive::default() });
        })
        .start()
        .await;
    let pings = || {
        let is_ping = |frame: &Frame| frame.kind == Frame::PING && frame.flags == 0;
        wire.frames().iter().filter(|frame| is_ping(frame)).count()
    };
    // One is sent with the handshake.
    let handshake = pings();
    eventually("pings without calls", async || pings() > handshake + 2).await;
    sandbox.caller().await.process(&request("/index")).await.unwrap();
}

#[tokio::test]
async fn clients_are_pinged() {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .settings(|settings| settings.http.keepalive_time = Some(Duration::from_millis(50)))
        .start()
        .await;
    let wire = Wire::before(sandbox.address()).await;
    let caller = tests::Caller::connect(wire.address()).await;
    // Clients answer pings, which their own side of the wire shows.
    let is_answer = |frame: &Frame| frame.kind == Frame::PING && frame.flags == 1;
    eventually("answers to pings", async || wire.frames().iter().filter(|f| is_answer(f)).count() > 2).await;
    caller.process(&request("/index")).await.unwrap();
}

#[tokio::test]
async fn a_hundred_megabytes_pass_by_default() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let text = "x".repeat(100 << 20);
    let large = call::Message { documents: Some(documents::texts(&[("a", &text)])), ..request("/index") };
    let answer = sandbox.caller().await.process(&large).await.unwrap();
    assert_eq!(answer.documents.map(|documents| documents.len()), large.documents.map(|sent| sent.len()));
}

#[tokio::test]
async fn answers_and_requests_beyond_a_limit_are_refused() {
    let sandbox = |change: fn(&mut gateway::Settings)| {
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(change).start()
    };
    let limits: [fn(&mut gateway::Settings); 2] =
        [|settings| settings.calls.max_answer = 1000, |settings| settings.client.options.max_request = 1000];
    for limit in limits {
        let sandbox = sandbox(limit).await;
        let caller = sandbox.caller().await;
        let refused = caller.process(&long("/index")).await.unwrap_err();
        assert_eq!(refused.code, Code::ResourceExhausted, "{refused:?}");
        assert!(refused.message.contains("larger than the limit of 1000"), "{refused:?}");
        assert_eq!(texts(&caller.process(&request("/index")).await.unwrap()).len(), 1);
    }
}

#[tokio::test]
async fn old_connections_end_and_new_ones_serve() {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .settings(|settings| settings.http.max_age = Some(Duration::from_millis(100)))
        .start()
        .await;
    let caller = sandbox.caller().await;
    caller.process(&request("/index")).await.unwrap();
    eventually("the connection ends", async || caller.is_closed()).await;
    sandbox.caller().await.process(&request("/index")).await.unwrap();
}
