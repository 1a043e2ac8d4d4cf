//! An executor that answers every request with what it was sent.

use std::sync::Arc;

use call::{Admission, Handler, Limits, Request, Response};
use docarray::discovery::{Discovery, EndpointSchema, Model};
use grpc::server::{DataCalls, Grpc, Offers, Settings};
use proto::jina::EndpointsProto;
use proto::jina::jina_discover_endpoints_rpc_server::{
    JinaDiscoverEndpointsRpc, JinaDiscoverEndpointsRpcServer,
};
use server::{Drain, HttpOptions, Listener, Signals, Timing, Workers};
use tonic::service::Routes;
use tower::util::BoxCloneSyncService;

/// Where and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on the loopback interface; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let listener = Listener::bind("127.0.0.1", arguments.port, 1024)?;
    let address = listener.address();
    let workers = Arc::new(Workers::start(arguments.workers)?);
    let handler: Handler = BoxCloneSyncService::new(tower::service_fn(echo));
    let calls = DataCalls::new(handler, Admission::new(Limits::default()), Settings::default());
    let offers = Offers { single: true, list: true, stream: false };
    let service = Grpc::new(calls, offers, control()?);
    let services = vec![move || service.clone(); workers.count()];
    let drain = Drain::new();
    let handle = drain.handle();
    let options = HttpOptions::default();
    handle.spawn_critical(server::serve(
        listener.open()?,
        services,
        None,
        options,
        workers.clone(),
        drain.handle(),
    ));
    println!("{address}");
    let signal = async {
        signals.next().await;
    };
    drain.run(signal, Timing::default()).await;
    Ok(())
}

async fn echo(request: Request) -> Result<Response, call::Error> {
    Ok(Response::One(request.message))
}

/// Discovery and reflection, which gateways ask for before they send anything.
fn control() -> anyhow::Result<Routes> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .build_v1alpha()?;
    Ok(Routes::new(reflection).add_service(JinaDiscoverEndpointsRpcServer::new(Discover)))
}

struct Discover;

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Discover {
    async fn endpoint_discovery(
        &self,
        _request: tonic::Request<()>,
    ) -> Result<tonic::Response<EndpointsProto>, tonic::Status> {
        let model = || Model {
            name: "TextDoc".into(),
            schema: serde_json::json!({
                "title": "TextDoc",
                "type": "object",
                "properties": {
                    "id": {"title": "Id", "anyOf": [{"type": "string"}, {"type": "null"}]},
                    "text": {"title": "Text", "type": "string"},
                },
                "required": ["text"],
            }),
        };
        let schema = EndpointSchema {
            input: model(),
            output: model(),
            parameters: None,
            is_generator: false,
            is_singleton_doc: false,
        };
        let endpoints = [(call::DEFAULT_ENDPOINT.into(), Some(schema))].into();
        let discovery = Discovery { endpoints, write_endpoints: Vec::new() };
        // Parameters and schemas are encoded alike.
        let schemas = prost::Message::decode(discovery.schemas().wire().as_ref())
            .map_err(|error| tonic::Status::internal(error.to_string()))?;
        let endpoints = vec![call::DEFAULT_ENDPOINT.to_owned()];
        Ok(tonic::Response::new(EndpointsProto {
            endpoints,
            schemas: Some(schemas),
            ..EndpointsProto::default()
        }))
    }
}
