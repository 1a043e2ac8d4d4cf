//! Documents are none of the gateway's business.

use bytes::Bytes;
use call::{Payload, wire};
use tests::{Caller, Sandbox, Stub};
use tonic::Code;

use crate::request;

/// Sends documents that only look like some from outside, through a gateway and two executors.
async fn pass(documents: Payload) -> Payload {
    let sandbox = Sandbox::builder()
        .executor("encoder", Stub::echo(&["/index"]))
        .executor("ranker", Stub::echo(&["/index"]))
        .start()
        .await;
    let mut odd = request("/index");
    odd.documents = Some(documents);
    sandbox.caller().await.process(&odd).await.unwrap().documents.unwrap()
}

#[tokio::test]
async fn documents_that_are_no_documents_pass_unchanged() {
    let garbage = [0xff_u8; 9];
    let mut serialized = Vec::new();
    wire::put_bytes(&mut serialized, 2, &garbage);
    let mut structured = Vec::new();
    wire::put_bytes(&mut structured, 1, &garbage);
    for documents in [serialized, structured, garbage.to_vec()] {
        let documents = Payload::from(documents);
        assert_eq!(pass(documents.clone()).await, documents);
    }
}

#[tokio::test]
async fn large_documents_that_are_no_documents_pass_unchanged() {
    let noise: Vec<u8> = (0..3_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761) as u8).collect();
    let mut serialized = Vec::new();
    wire::put_bytes(&mut serialized, 2, &noise);
    let documents = Payload::from(serialized);
    assert_eq!(pass(documents.clone()).await, documents);
}

#[tokio::test]
async fn fields_of_a_newer_protocol_pass_unchanged() {
    let sandbox = Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).start().await;
    let caller: Caller = sandbox.caller().await;
    let mut wire = proto::message::write(&request("/index")).into_bytes().to_vec();
    let mut unknown = Vec::new();
    wire::put_bytes(&mut unknown, 77, &[0xff; 5]);
    wire.extend_from_slice(&unknown);
    let exchange = caller.call(grpc::path::PROCESS_SINGLE_DATA, [Payload::from(wire)]).await;
    assert_eq!(exchange.code(), Code::Ok);
    let answer = exchange.messages().remove(0);
    assert_eq!(answer.unknown.into_bytes(), Bytes::from(unknown));
}
