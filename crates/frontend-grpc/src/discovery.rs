//! Discovery of the endpoints of the whole Flow.

use docarray::discovery::{Catalog, Discovery};
use prost::Message as _;
use proto::jina::EndpointsProto;
use proto::jina::jina_discover_endpoints_rpc_server::JinaDiscoverEndpointsRpc;
use tonic::{Request, Response, Status};

/// Tells what is in the catalog.
pub(crate) struct Discovering {
    pub(crate) catalog: Catalog,
}

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Discovering {
    async fn endpoint_discovery(&self, _: Request<()>) -> Result<Response<EndpointsProto>, Status> {
        Ok(Response::new(answer(&self.catalog.read())))
    }
}

fn answer(flow: &Discovery) -> EndpointsProto {
    let schemas = flow.flow_schemas();
    EndpointsProto {
        endpoints: flow.endpoints.keys().map(ToString::to_string).collect(),
        write_endpoints: flow.write_endpoints.iter().map(ToString::to_string).collect(),
        // Both sides are the encoding of a `Struct`.
        schemas: prost_types::Struct::decode(schemas.wire().clone()).ok(),
    }
}
