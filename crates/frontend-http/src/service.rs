//! The front end as the service of a port.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request as AxumRequest, State};
use axum::response::Response;
use call::{Admission, Handler};
use docarray::discovery::Catalog;
use http::request::Parts;
use http::{HeaderName, Method, Request};
use info::{Health, Report};
use tower::Service;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;

use crate::answer;
use crate::table::Tables;
use crate::{Mounted, Settings};

/// How long browsers remember what they may do.
const CORS_AGE: Duration = Duration::from_secs(600);

/// What answers HTTP requests, but for who answers those to endpoints. Clones share it.
#[derive(Debug, Clone)]
pub struct FrontEnd {
    pub(crate) shared: Arc<Shared>,
}

/// What is one for the process.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) tables: Tables,
    pub(crate) admission: Admission,
    pub(crate) health: Health,
    pub(crate) report: Report,
    pub(crate) settings: Settings,
}

/// What is one for each worker.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) handler: Handler,
    /// Who answers some paths in place of this front end.
    pub(crate) mounted: Arc<[Mounted]>,
}

/// Answers the requests of a port. Cloning is cheap.
#[derive(Clone)]
pub struct Http {
    router: Router,
    /// Requests over one connection carry it.
    admission: Admission,
}

impl FrontEnd {
    /// Puts it together. Its routes are those of `catalog`, whatever that says at the time of a request.
    #[must_use]
    pub fn new(
        catalog: Catalog,
        admission: Admission,
        health: Health,
        report: Report,
        settings: Settings,
    ) -> Self {
        let tables = Tables::new(catalog, settings.clone());
        Self { shared: Arc::new(Shared { tables, admission, health, report, settings }) }
    }

    /// Answers a port with `handler`.
    #[must_use]
    pub fn service(&self, handler: Handler) -> Http {
        self.service_beside(handler, [])
    }

    /// Answers a port with `handler`, but for what is `mounted`.
    #[must_use]
    pub fn service_beside(&self, handler: Handler, mounted: impl IntoIterator<Item = Mounted>) -> Http {
        let worker = Worker { shared: self.shared.clone(), handler, mounted: mounted.into_iter().collect() };
        let mut router = Router::new()
            .fallback(dispatch)
            .with_state(worker)
            .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
        if self.shared.settings.cors {
            router = router.layer(cors());
        }
        Http { router, admission: self.shared.admission.clone() }
    }
}

impl Http {
    /// The same for what comes over one more connection, which gets no more than its share.
    #[must_use]
    pub fn for_connection(&self) -> Self {
        Self { router: self.router.clone(), admission: self.admission.for_connection() }
    }
}

impl Worker {
    /// What the connection of a request may take on.
    pub(crate) fn admission<'a>(&'a self, parts: &'a Parts) -> &'a Admission {
        parts.extensions.get().unwrap_or(&self.shared.admission)
    }
}

async fn dispatch(State(worker): State<Worker>, request: AxumRequest) -> Response {
    answer::answer(&worker, request).await
}

/// Any page may do anything.
fn cors() -> CorsLayer {
    let methods = [
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods(AllowMethods::list(methods))
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(true)
        .expose_headers([HeaderName::from_static("x-request-id")])
        .max_age(CORS_AGE)
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

impl<B> Service<Request<B>> for Http
where
    B: http_body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answer {
        hyper::service::Service::call(self, request)
    }
}

impl<B> hyper::service::Service<Request<B>> for Http
where
    B: http_body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<B>) -> Answer {
        // A router is always ready.
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.admission.clone());
        Box::pin(self.router.clone().call(request))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}
