//! The control calls that every gRPC port answers: health, reflection, status.

use std::pin::Pin;

use futures_core::Stream;
use futures_util::stream;
use proto::jina::JinaInfoProto;
use proto::jina::jina_info_rpc_server::{JinaInfoRpc, JinaInfoRpcServer};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::{Health, Report};

/// The services that peers expect gateways, heads and executors alike to name, whatever a role really serves.
pub const JINA_SERVICES: [&str; 8] = [
    "grpc.reflection.v1alpha.ServerReflection",
    "jina.JinaDataRequestRPC",
    "jina.JinaDiscoverEndpointsRPC",
    "jina.JinaGatewayDryRunRPC",
    "jina.JinaInfoRPC",
    "jina.JinaRPC",
    "jina.JinaSingleDataRequestRPC",
    "jina.JinaSingleDocumentRequestRPC",
];

/// Answers the control calls. `service_names` are what reflection lists and health knows, mostly
/// [`JINA_SERVICES`]; files and symbols are found by reflection whether listed or not.
#[must_use]
pub fn control(report: Report, health: Health, service_names: &[&'static str]) -> Routes {
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
        service_names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    const VALID: &str = "the compiler of the descriptors has checked them";
    Routes::new(HealthServer::new(HealthCalls { health, service_names: service_names.into() }))
        .add_service(reflection().build_v1alpha().expect(VALID))
        .add_service(reflection().build_v1().expect(VALID))
        .add_service(JinaInfoRpcServer::new(Info(report)))
}

struct Info(Report);

#[tonic::async_trait]
impl JinaInfoRpc for Info {
    async fn status(&self, _: Request<()>) -> Result<Response<JinaInfoProto>, Status> {
        Ok(Response::new(self.0.to_proto()))
    }
}

struct HealthCalls {
    health: Health,
    service_names: Vec<&'static str>,
}

impl HealthCalls {
    /// The empty name stands for the whole process. Services come and go with it.
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.service_names.contains(&service)
    }
}

#[tonic::async_trait]
impl HealthRpc for HealthCalls {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.knows(&request.get_ref().service) {
            return Err(Status::not_found(""));
        }
        Ok(Response::new(answer(serving(self.health.is_ready()))))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        if !self.knows(&request.get_ref().service) {
            // The stream stays open, because a service may become known later on other servers.
            let unknown = stream::once(async { Ok(answer(ServingStatus::ServiceUnknown)) });
            let drained = stream::unfold(self.health.watch(), async |mut watch| {
                while watch.next().await.is_some() {}
                None
            });
            return Ok(Response::new(Box::pin(stream::select(unknown, drained))));
        }
        let states = stream::unfold(self.health.watch(), async |mut watch| {
            let ready = watch.next().await?;
            Some((Ok(answer(serving(ready))), watch))
        });
        Ok(Response::new(Box::pin(states)))
    }
}

const fn serving(ready: bool) -> ServingStatus {
    if ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}

const fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status as i32 }
}

#[cfg(test)]
mod tests;
