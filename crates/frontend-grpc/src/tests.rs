//! The front end as a service, with a handler of the test.

use bytes::Bytes;
use call::{Limits, Request, Response};
use docarray::discovery::{Discovery, EndpointSchema, Model};
use http_body_util::{BodyExt as _, Full};
use proto::jina::status_proto::StatusCode;
use proto::jina::{EndpointsProto, StatusProto};
use tonic::Code;
use tower::service_fn;

use super::*;

/// Answers every request with itself.
fn echo() -> Handler {
    Handler::new(service_fn(async |request: Request| Ok(Response::One(request.message))))
}

/// Makes a call of one message; returns the answer and how it ended.
async fn call(grpc: Grpc, path: &str, message: &[u8]) -> (Option<Bytes>, Code) {
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    let request = http::Request::post(path).header("content-type", "application/grpc");
    let response = grpc.answer(request.body(Full::new(Bytes::from(frame))).unwrap()).await;
    let head = response.headers().clone();
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or(head);
    let mut deframer = grpc::Deframer::new(1 << 20);
    deframer.push(body.to_bytes());
    let answer = deframer.cut().unwrap().map(|frame| frame.message.into_bytes());
    (answer, Code::from_bytes(trailers["grpc-status"].as_bytes()))
}

fn front_end(handler: Handler, catalog: Catalog, limits: Limits) -> Grpc {
    service(handler, catalog, Admission::new(limits), Settings::default(), Routes::default())
}

async fn dry_run(handler: Handler, limits: Limits) -> StatusProto {
    let front_end = front_end(handler, Catalog::default(), limits);
    let (answer, code) = call(front_end, grpc::path::DRY_RUN, &[]).await;
    assert_eq!(code, Code::Ok, "the call itself never fails");
    prost::Message::decode(answer.unwrap()).unwrap()
}

#[tokio::test]
async fn discovery_follows_the_catalog() {
    let catalog = Catalog::default();
    let front_end = front_end(echo(), catalog.clone(), Limits::default());
    let discover = async || {
        let (answer, _) = call(front_end.clone(), grpc::path::ENDPOINT_DISCOVERY, &[]).await;
        <EndpointsProto as prost::Message>::decode(answer.unwrap()).unwrap()
    };
    assert!(discover().await.endpoints.is_empty());
    let model = Model { name: "Text".into(), schema: serde_json::json!({"title": "Text"}) };
    let schema = EndpointSchema {
        input: model.clone(),
        output: model,
        parameters: None,
        is_generator: true,
        is_singleton_doc: false,
    };
    let endpoints = [("/a".into(), Some(schema)), ("/b".into(), None)].into_iter().collect();
    catalog.set(Discovery { endpoints, write_endpoints: vec!["/a".into()] });
    let found = discover().await;
    assert_eq!(found.endpoints, ["/a", "/b"]);
    assert_eq!(found.write_endpoints, ["/a"]);
    let schemas = found.schemas.unwrap().fields;
    assert_eq!(schemas.len(), 1, "an endpoint of no known schema has no entry");
    let Some(prost_types::value::Kind::StructValue(entry)) = &schemas["/a"].kind else {
        panic!("{schemas:?}")
    };
    let mut keys: Vec<_> = entry.fields.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["input", "is_generator", "is_singleton_doc", "output"]);
}

#[tokio::test]
async fn a_dry_run_sends_a_blank_document_along_the_reserved_endpoint() {
    let (send, receive) = std::sync::mpsc::channel();
    let handler = Handler::new(service_fn(move |request: Request| {
        send.send(request.clone()).unwrap();
        std::future::ready(Ok(Response::One(request.message)))
    }));
    assert_eq!(dry_run(handler, Limits::default()).await, StatusProto::default());
    let sent = receive.try_recv().unwrap().message;
    assert_eq!(sent.header.endpoint.as_deref(), Some("_jina_dry_run_"));
    let docs = docarray::node::doc_list(sent.documents.unwrap()).unwrap();
    let docs: Vec<_> = docarray::node::items(docs).map(Result::unwrap).collect();
    assert_eq!(docs.len(), 1);
    let fields: Vec<_> = docarray::node::fields(docs[0].clone()).map(|field| field.unwrap().0).collect();
    assert_eq!(fields, ["id"]);
}

#[tokio::test]
async fn a_failed_dry_run_is_an_answer() {
    let gone = Handler::new(service_fn(async |_| {
        Err(call::Error::new(call::ErrorCode::Unavailable, "encoder cannot be reached"))
    }));
    let status = dry_run(gone, Limits::default()).await;
    assert_eq!(
        (status.code(), status.description.as_str()),
        (StatusCode::Error, "encoder cannot be reached")
    );
    assert_eq!(status.exception.unwrap().name, "InternalNetworkError");
    let full = Limits { requests: 0, ..Limits::default() };
    assert_eq!(dry_run(echo(), full).await.code(), StatusCode::Error);
}

#[tokio::test]
async fn data_calls_are_those_of_gateways() {
    let front_end = front_end(echo(), Catalog::default(), Limits::default());
    let message = call::Message {
        header: call::Header { request_id: "r".into(), ..call::Header::default() },
        ..call::Message::default()
    };
    let message = proto::message::write(&message).into_bytes();
    for path in [grpc::path::PROCESS_SINGLE_DATA, grpc::path::CALL] {
        let (answer, code) = call(front_end.clone(), path, &message).await;
        assert_eq!((answer.as_ref(), code), (Some(&message), Code::Ok), "{path}");
    }
    for path in [grpc::path::PROCESS_DATA, "/jina.JinaExecutorSnapshot/snapshot"] {
        let (_, code) = call(front_end.clone(), path, &message).await;
        assert_eq!(code, Code::Unimplemented, "{path}");
    }
}
