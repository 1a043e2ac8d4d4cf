//! Executors whose answers a test makes itself.

use std::net::SocketAddr;

use bytestring::ByteString;
use call::{Admission, Error, Handler, Limits, Request, Response};
use docarray::discovery::{Discovery, EndpointSchema, Model};
use executor_runtime::Hosted;
use grpc::server::{DataCalls, Grpc, Offers};
use http::HeaderName;
use info::{Health, JINA_SERVICES, Report, Traffic};
use prost::Message as _;
use proto::jina::EndpointsProto;
use proto::jina::jina_discover_endpoints_rpc_server::{
    JinaDiscoverEndpointsRpc, JinaDiscoverEndpointsRpcServer,
};
use serde_json::json;
use server::{Drain, HttpOptions, Listener, Workers};
use tonic::Status;
use tonic::service::Routes;
use tower::service_fn;

/// What an executor is: its endpoints, and who answers.
#[derive(Clone)]
pub struct Stub {
    discovery: Discovery,
    handler: Handler,
    forward: Vec<HeaderName>,
}

/// An executor that serves. It has a thread of its own, so that it can be killed.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    _threads: Workers,
}

impl Stub {
    /// An executor that binds `endpoints` and lets `answer` answer all of them.
    pub fn new<F>(
        endpoints: &[&'static str],
        answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let endpoints = endpoints.iter().copied().chain([call::DRY_RUN_ENDPOINT]);
        let endpoints = endpoints.map(|name| (ByteString::from_static(name), Some(schema(name))));
        Self::with_discovery(Discovery { endpoints: endpoints.collect(), ..Discovery::default() }, answer)
    }

    /// An executor that says `discovery` of itself.
    pub fn with_discovery<F>(
        discovery: Discovery,
        answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        Self { discovery, handler: Handler::new(service_fn(answer)), forward: Vec::new() }
    }

    /// Shows these headers of calls to whoever answers.
    #[must_use]
    pub fn showing(mut self, headers: &[&'static str]) -> Self {
        self.forward.extend(headers.iter().copied().map(HeaderName::from_static));
        self
    }

    /// An executor that answers every request with itself.
    #[must_use]
    pub fn echo(endpoints: &[&'static str]) -> Self {
        Self::new(endpoints, async |request| Ok(Response::One(request.message)))
    }

    /// Serves on a free port.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    #[must_use]
    pub fn serve(self) -> Served {
        self.serve_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Serves on a port that was free a moment ago.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    #[must_use]
    pub fn serve_at(self, address: SocketAddr) -> Served {
        Served::at(address, move |control| {
            let control =
                control.add_service(JinaDiscoverEndpointsRpcServer::new(Discovering(self.discovery)));
            let settings =
                grpc::server::Settings { mark_errors: true, forward: self.forward, ..Default::default() };
            let calls = DataCalls::new(self.handler, Admission::new(Limits::default()), settings);
            Grpc::new(calls, Offers { single: true, list: true, stream: true }, control)
        })
    }
}

impl Served {
    /// Serves an executor of the runtime on a free port.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    #[must_use]
    pub fn hosted(executor: Hosted) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), move |control| executor.grpc(control))
    }

    fn at(address: SocketAddr, port: impl FnOnce(Routes) -> Grpc + Send + 'static) -> Self {
        let listener = Listener::bind(&address.ip().to_string(), address.port(), 64).expect("a port");
        let address = listener.address();
        let threads = Workers::start(1).expect("a thread");
        let _ends_with_the_thread = threads.runtime(0).spawn(async move {
            let (open, drain) = (listener.open().expect("an open port"), Drain::new());
            let health = Health::new(drain.handle().accepting());
            let port = port(info::control(Report::new(Traffic::default()), health, &JINA_SERVICES));
            let workers = Workers::current().into();
            server::serve(
                open,
                vec![move || port.clone()],
                None,
                HttpOptions::default(),
                workers,
                drain.handle(),
            )
            .await;
        });
        Self { address, _threads: threads }
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once, as a crash would; returns where it was.
    #[must_use]
    pub fn kill(self) -> SocketAddr {
        self.address
    }
}

/// All endpoints take and return the same document, but the dry run, which takes anything.
fn schema(endpoint: &str) -> EndpointSchema {
    let schema = if endpoint == call::DRY_RUN_ENDPOINT {
        json!({"title": "Anything", "type": "object", "properties": {}})
    } else {
        json!({"title": "Text", "type": "object",
            "properties": {"id": {"type": "string"}, "text": {"type": "string"}}})
    };
    let name = schema["title"].as_str().unwrap_or_default().into();
    let model = Model { name, schema };
    EndpointSchema {
        input: model.clone(),
        output: model,
        parameters: None,
        is_generator: false,
        is_singleton_doc: false,
    }
}

struct Discovering(Discovery);

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Discovering {
    async fn endpoint_discovery(
        &self,
        _: tonic::Request<()>,
    ) -> Result<tonic::Response<EndpointsProto>, Status> {
        let schemas = self.0.schemas().wire().clone();
        Ok(tonic::Response::new(EndpointsProto {
            endpoints: self.0.endpoints.keys().map(ToString::to_string).collect(),
            write_endpoints: Vec::new(),
            schemas: prost_types::Struct::decode(schemas).ok(),
        }))
    }
}

impl std::fmt::Debug for Stub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stub").field("discovery", &self.discovery).finish_non_exhaustive()
    }
}
