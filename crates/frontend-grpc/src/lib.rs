//! The gRPC front end of the gateway.
//!
//! Data calls go to the handler by way of [`grpc::server::DataCalls`], documents undecoded. What a gateway
//! answers beside them is here: discovery of the whole Flow and the dry run.

mod discovery;
mod dry_run;

use call::{Admission, Handler};
use docarray::discovery::Catalog;
use grpc::server::{DataCalls, Grpc, Offers, Settings};
use proto::jina::jina_discover_endpoints_rpc_server::JinaDiscoverEndpointsRpcServer;
use proto::jina::jina_gateway_dry_run_rpc_server::JinaGatewayDryRunRpcServer;
use tonic::service::Routes;

use discovery::Discovering;
use dry_run::DryRun;

/// The data calls that gateways offer.
const OFFERS: Offers = Offers { single: true, list: false, stream: true };

/// Answers a port with `handler`. `control` holds the calls that every role answers.
#[must_use]
pub fn service(
    handler: Handler,
    catalog: Catalog,
    admission: Admission,
    settings: Settings,
    control: Routes,
) -> Grpc {
    let dry_run = DryRun { handler: handler.clone(), admission: admission.clone() };
    let control = control
        .add_service(JinaDiscoverEndpointsRpcServer::new(Discovering { catalog }))
        .add_service(JinaGatewayDryRunRpcServer::new(dry_run));
    Grpc::new(DataCalls::new(handler, admission, settings), OFFERS, control)
}

#[cfg(test)]
mod tests;
