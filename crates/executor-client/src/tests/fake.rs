//! An executor to be called: its answers are the test's, everything around them is real.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use call::{Admission, Error, Handler, Limits, Request, Response};
use grpc::server::{DataCalls, Grpc, Offers, Settings};
use http::HeaderMap;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::graceful::GracefulShutdown;
use proto::jina::EndpointsProto;
use proto::jina::jina_discover_endpoints_rpc_server::{
    JinaDiscoverEndpointsRpc, JinaDiscoverEndpointsRpcServer,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tower::util::BoxCloneSyncService;

pub(super) type Answering = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// What a fake executor offers.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) answer: Arc<dyn Fn(Request) -> Answering + Send + Sync>,
    pub(super) endpoints: EndpointsProto,
    /// The names that reflection lists; `None` for no reflection.
    pub(super) services: Option<Vec<&'static str>>,
    pub(super) offers: Offers,
    pub(super) tls: Option<TlsAcceptor>,
    /// Whether control calls are left without an answer.
    pub(super) stuck: bool,
}

impl Plan {
    pub(super) fn new<F>(answer: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let endpoints = ["/search".to_owned(), call::DRY_RUN_ENDPOINT.to_owned()].to_vec();
        Self {
            answer: Arc::new(move |request| Box::pin(answer(request))),
            endpoints: EndpointsProto { endpoints, ..EndpointsProto::default() },
            services: Some(vec!["jina.JinaDiscoverEndpointsRPC", "jina.JinaSingleDataRequestRPC"]),
            offers: Offers { single: true, list: true, stream: true },
            tls: None,
            stuck: false,
        }
    }

    /// Answers every request with one message that holds `text`.
    pub(super) fn saying(text: &'static str) -> Self {
        Self::new(move |mut request: Request| async move {
            request.message.documents = Some(text.as_bytes().to_vec().into());
            Ok(Response::One(request.message))
        })
    }

    /// Refuses every request with a gRPC status.
    pub(super) fn failing(code: tonic::Code) -> Self {
        Self::new(move |_request| async move {
            let error = Error::new(proto::status::code_from_grpc(code), "not today");
            Err(error.with_grpc_code(code as i32))
        })
    }

    /// Never answers.
    pub(super) fn hanging() -> Self {
        Self::new(|_request| std::future::pending())
    }
}

/// What a peer has sent: the path and the headers.
pub(super) type Seen = (String, HeaderMap);

/// A fake executor that runs. Dropping it kills it: its sockets close in the middle of what they do.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    leave: CancellationToken,
    running: JoinSet<()>,
}

impl Fake {
    pub(super) async fn start(plan: Plan) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), plan).await
    }

    pub(super) async fn start_at(address: SocketAddr, plan: Plan) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, leave) = (Arc::<Mutex<Vec<Seen>>>::default(), CancellationToken::new());
        let mut running = JoinSet::new();
        running.spawn(serve(listener, plan, seen.clone(), leave.clone()));
        Self { address, seen, leave, running }
    }

    /// Dies and waits until its sockets are closed.
    pub(super) async fn kill(mut self) -> SocketAddr {
        self.running.shutdown().await;
        self.address
    }

    /// Says goodbye on its connections, finishes what it has begun and accepts nothing more.
    pub(super) async fn leave(mut self) -> SocketAddr {
        self.leave.cancel();
        while self.running.join_next().await.is_some() {}
        self.address
    }

    /// The calls to a path.
    pub(super) fn seen(&self, path: &str) -> Vec<HeaderMap> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(seen, _)| seen == path).map(|(_, headers)| headers.clone()).collect()
    }

    /// How many data calls there were.
    pub(super) fn n_calls(&self) -> usize {
        self.seen(grpc::path::PROCESS_SINGLE_DATA).len()
    }

    /// The paths that were called.
    pub(super) fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }
}

async fn serve(listener: TcpListener, plan: Plan, seen: Arc<Mutex<Vec<Seen>>>, leave: CancellationToken) {
    let service = service(&plan).await;
    let mut connections = JoinSet::new();
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            () = leave.cancelled() => break,
            accepted = listener.accept() => accepted.unwrap().0,
        };
        let stuck = plan.stuck;
        let (service, seen, tls) = (service.clone(), seen.clone(), plan.tls.clone());
        let watcher = graceful.watcher();
        connections.spawn(async move {
            let Some(io) = encrypted(stream, tls).await else { return };
            let answer = hyper::service::service_fn(move |request: http::Request<Incoming>| {
                let path = request.uri().path().to_owned();
                let control = path == grpc::path::HEALTH_CHECK;
                seen.lock().unwrap().push((path, request.headers().clone()));
                let answer = service.clone().answer(request);
                async move {
                    if stuck && control {
                        std::future::pending::<()>().await;
                    }
                    Ok::<_, Infallible>(answer.await)
                }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(io), answer);
            // How a connection ends is the client's business.
            let _end = watcher.watch(connection).await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

async fn encrypted(stream: TcpStream, tls: Option<TlsAcceptor>) -> Option<Box<dyn Io>> {
    match tls {
        None => Some(Box::new(stream)),
        Some(tls) => Some(Box::new(tls.accept(stream).await.ok()?)),
    }
}

async fn service(plan: &Plan) -> Grpc {
    let answer = plan.answer.clone();
    let handler: Handler = BoxCloneSyncService::new(tower::service_fn(move |request| answer(request)));
    let settings = Settings { mark_errors: true, ..Settings::default() };
    let calls = DataCalls::new(handler, Admission::new(Limits::default()), settings);
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let mut control = Routes::builder();
    control.add_service(health_service);
    control.add_service(JinaDiscoverEndpointsRpcServer::new(Endpoints(plan.endpoints.clone())));
    if let Some(services) = &plan.services {
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS);
        for service in services {
            reflection = reflection.with_service_name(*service);
        }
        control.add_service(reflection.build_v1alpha().unwrap());
    }
    Grpc::new(calls, plan.offers, control.routes())
}

struct Endpoints(EndpointsProto);

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Endpoints {
    async fn endpoint_discovery(
        &self,
        _request: tonic::Request<()>,
    ) -> Result<tonic::Response<EndpointsProto>, tonic::Status> {
        Ok(tonic::Response::new(self.0.clone()))
    }
}
