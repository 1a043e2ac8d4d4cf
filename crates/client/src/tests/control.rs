//! Questions about the state of the peer.

use std::sync::Arc;

use grpc::server::Settings as CallSettings;
use proto::jina::jina_discover_endpoints_rpc_server::{
    JinaDiscoverEndpointsRpc, JinaDiscoverEndpointsRpcServer,
};
use proto::jina::jina_gateway_dry_run_rpc_server::{JinaGatewayDryRunRpc, JinaGatewayDryRunRpcServer};
use proto::jina::jina_info_rpc_server::{JinaInfoRpc, JinaInfoRpcServer};
use proto::jina::{EndpointsProto, JinaInfoProto, StatusProto};
use tokio::sync::Mutex;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::peer::{Peer, echo, grpc};
use super::*;

/// Answers questions; the dry run as it is told.
#[derive(Clone, Default)]
struct Control {
    dry_run: Arc<Mutex<StatusProto>>,
}

#[tonic::async_trait]
impl JinaGatewayDryRunRpc for Control {
    async fn dry_run(&self, _: Request<()>) -> Result<Response<StatusProto>, Status> {
        Ok(Response::new(self.dry_run.lock().await.clone()))
    }
}

#[tonic::async_trait]
impl JinaInfoRpc for Control {
    async fn status(&self, _: Request<()>) -> Result<Response<JinaInfoProto>, Status> {
        let jina = [("jina".to_owned(), "3.34.0".to_owned())].into();
        Ok(Response::new(JinaInfoProto { jina, ..JinaInfoProto::default() }))
    }
}

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Control {
    async fn endpoint_discovery(&self, _: Request<()>) -> Result<Response<EndpointsProto>, Status> {
        let endpoints = vec!["/search".to_owned(), "/index".to_owned()];
        Ok(Response::new(EndpointsProto {
            endpoints,
            write_endpoints: vec!["/index".to_owned()],
            schemas: None,
        }))
    }
}

async fn peer(control: Control) -> Peer {
    let (health, service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let routes = Routes::new(service)
        .add_service(JinaGatewayDryRunRpcServer::new(control.clone()))
        .add_service(JinaInfoRpcServer::new(control.clone()))
        .add_service(JinaDiscoverEndpointsRpcServer::new(control));
    Peer::serve(0, grpc(echo, CallSettings::default(), routes), None)
}

#[tokio::test]
async fn a_dry_run_tells_what_failed() {
    let control = Control::default();
    let peer = peer(control.clone()).await;
    let client = connected(&peer).await;
    client.dry_run().await.unwrap();
    *control.dry_run.lock().await =
        StatusProto { code: 1, description: "executor down".to_owned(), exception: None };
    assert_eq!(client.dry_run().await.unwrap_err().to_string(), "executor down");
}

#[tokio::test]
async fn the_peer_tells_of_itself() {
    let peer = peer(Control::default()).await;
    let client = connected(&peer).await;
    assert!(client.is_ready().await);
    assert_eq!(client.status().await.unwrap().jina["jina"], "3.34.0");
    let endpoints = client.endpoints().await.unwrap();
    let names: Vec<_> = endpoints.endpoints.keys().map(|name| &**name).collect();
    assert_eq!(names, ["/search", "/index"]);
    assert_eq!(endpoints.write_endpoints, ["/index"]);
}

#[tokio::test]
async fn who_does_not_offer_a_question_says_so() {
    let peer = Peer::start(echo);
    let client = connected(&peer).await;
    assert!(!client.is_ready().await);
    assert_eq!(client.dry_run().await.unwrap_err().code(), ErrorCode::Unimplemented);
    let address = peer.address();
    peer.stop().await;
    let settings = Settings { patience: Duration::ZERO, ..Settings::default() };
    assert!(!Client::new(&address, settings).unwrap().is_ready().await);
}
