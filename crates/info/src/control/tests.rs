//! Control calls on the level of their messages.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use prost::Message;
use tokio::sync::watch;
use tonic::Code;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha::{ServerReflectionRequest, ServerReflectionResponse};
use tower::ServiceExt as _;

use super::*;
use crate::Traffic;

/// Makes a call of `requests`, returns the answers and how it ended.
async fn call<Q: Message, A: Message + Default>(
    health: &Health,
    path: &str,
    requests: &[Q],
) -> (Vec<A>, Code) {
    let mut body = Vec::new();
    for request in requests {
        let wire = request.encode_to_vec();
        body.push(0);
        body.extend_from_slice(&u32::try_from(wire.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&wire);
    }
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .body(tonic::body::Body::new(Full::new(Bytes::from(body))))
        .unwrap();
    let routes = control(Report::new(Traffic::default()), health.clone(), &JINA_SERVICES);
    let response = routes.oneshot(request).await.unwrap();
    let head = response.headers().clone();
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or(head);
    let mut deframer = grpc::Deframer::new(1 << 20);
    deframer.push(body.to_bytes());
    let mut answers = Vec::new();
    while let Some(frame) = deframer.cut().unwrap() {
        answers.push(A::decode(frame.message.into_bytes()).unwrap());
    }
    (answers, Code::from_bytes(trailers["grpc-status"].as_bytes()))
}

fn health() -> (watch::Sender<bool>, Health) {
    let accepting = watch::Sender::new(true);
    let health = Health::new(accepting.subscribe());
    (accepting, health)
}

async fn check(health: &Health, service: &str) -> Result<ServingStatus, Code> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let (answers, code) =
        call::<_, HealthCheckResponse>(health, "/grpc.health.v1.Health/Check", &[request]).await;
    answers.first().map(HealthCheckResponse::status).ok_or(code)
}

async fn reflect(version: &str, message: MessageRequest) -> (Vec<ServerReflectionResponse>, Code) {
    let (_accepting, health) = health();
    let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    call(&health, &path, &[request]).await
}

#[tokio::test]
async fn health_is_known_for_the_process_and_each_service() {
    let (accepting, health) = health();
    let latch = health.latch("encoder");
    assert_eq!(check(&health, "").await, Ok(ServingStatus::NotServing));
    latch.set();
    for name in JINA_SERVICES.into_iter().chain([""]) {
        assert_eq!(check(&health, name).await, Ok(ServingStatus::Serving), "`{name}`");
    }
    for name in ["nope", "jina.JinaExecutorSnapshot"] {
        assert_eq!(check(&health, name).await, Err(Code::NotFound), "`{name}`");
    }
    accepting.send_replace(false);
    assert_eq!(check(&health, "").await, Ok(ServingStatus::NotServing));
}

#[tokio::test]
async fn watchers_see_the_drain_and_do_not_hold_it_up() {
    let (accepting, health) = health();
    let watch = |service: &str| {
        let request = HealthCheckRequest { service: service.to_owned() };
        let health = health.clone();
        async move {
            let (answers, code) =
                call::<_, HealthCheckResponse>(&health, "/grpc.health.v1.Health/Watch", &[request]).await;
            (answers.iter().map(HealthCheckResponse::status).collect::<Vec<_>>(), code)
        }
    };
    let drained = async {
        tokio::task::yield_now().await;
        accepting.send_replace(false);
    };
    let (known, unknown, ()) = tokio::join!(watch("jina.JinaRPC"), watch("nope"), drained);
    assert_eq!(known, (vec![ServingStatus::Serving, ServingStatus::NotServing], Code::Ok));
    assert_eq!(unknown, (vec![ServingStatus::ServiceUnknown], Code::Ok));
}

#[tokio::test]
async fn reflection_lists_what_peers_expect() {
    for version in ["v1", "v1alpha"] {
        let (answers, code) = reflect(version, MessageRequest::ListServices(String::new())).await;
        assert_eq!((answers.len(), code), (1, Code::Ok), "the stream ends after the client's half");
        let Some(MessageResponse::ListServicesResponse(list)) = &answers[0].message_response else {
            panic!("{answers:?}");
        };
        let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, JINA_SERVICES, "{version}");
    }
}

#[tokio::test]
async fn files_are_found_by_name_and_symbol() {
    let name = |name: &str| MessageRequest::FileByFilename(name.to_owned());
    let symbol = |name: &str| MessageRequest::FileContainingSymbol(name.to_owned());
    for (message, file) in [
        (symbol("jina.JinaRPC"), "jina.proto"),
        (symbol("jina.JinaInfoRPC._status"), "jina.proto"),
        (symbol("jina.DataRequestProto.DataContentProto"), "jina.proto"),
        (symbol("docarray.NodeProto"), "docarray.proto"),
        (name("docarray.proto"), "docarray.proto"),
        (name("google/protobuf/struct.proto"), "google/protobuf/struct.proto"),
        (symbol("grpc.health.v1.Health"), "health.proto"),
        (symbol("grpc.reflection.v1alpha.ServerReflection"), "reflection_v1alpha.proto"),
        (symbol("grpc.reflection.v1.ServerReflection"), "reflection_v1.proto"),
    ] {
        let (answers, _) = reflect("v1alpha", message.clone()).await;
        let Some(MessageResponse::FileDescriptorResponse(files)) = &answers[0].message_response else {
            panic!("{message:?}: {answers:?}");
        };
        let found = prost_types::FileDescriptorProto::decode(&*files.file_descriptor_proto[0]).unwrap();
        assert_eq!(found.name(), file, "{message:?}");
    }
    let (answers, code) = reflect("v1", symbol("jina.Nope")).await;
    assert_eq!((answers.len(), code), (0, Code::NotFound));
}

#[tokio::test]
async fn status_is_told() {
    let (_accepting, health) = health();
    let (answers, code) = call::<(), JinaInfoProto>(&health, grpc::path::STATUS, &[()]).await;
    assert_eq!(code, Code::Ok);
    assert_eq!(answers[0].jina["jina"], "3.34.0");
    assert_eq!((answers[0].jina.len(), answers[0].envs.len()), (20, 22));
}
