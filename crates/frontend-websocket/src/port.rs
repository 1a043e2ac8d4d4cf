//! Everything that a port which speaks WebSocket answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use call::{Admission, Handler, Metadata, RootPath};
use docarray::discovery::Catalog;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use info::{Health, Report};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::conversation::Conversation;
use crate::json::Json;
use crate::meter::Meter;
use crate::mode::Mode;
use crate::reply::Answering;
use crate::{dry_run, handshake, plain};

/// What connections allow.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest message taken.
    pub max_message: usize,
    /// Requests of one connection in flight; 0 is no limit of its own.
    pub prefetch: usize,
    /// Headers that open a connection and travel on to executors with each of its requests, beside those of traces.
    pub forward: Vec<HeaderName>,
    /// How often clients are pinged; those that neither send nor take anything for as long again are given up.
    pub keepalive: Duration,
    /// The path under which a proxy shows the front end.
    pub root_path: RootPath,
    /// Owns the connections.
    pub tasks: TaskTracker,
    /// Cancelled when the process drains: connections take no more requests then, and close when those in flight are
    /// answered.
    pub stop: CancellationToken,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message: 1 << 30,
            prefetch: 1000,
            forward: Vec::new(),
            keepalive: Duration::from_secs(20),
            root_path: RootPath::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }
}

/// The front end of a process.
#[derive(Debug, Clone)]
pub struct FrontEnd {
    shared: Arc<Shared>,
}

/// What all connections of the process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) catalog: Catalog,
    pub(crate) admission: Admission,
    pub(crate) health: Health,
    pub(crate) report: Report,
    pub(crate) settings: Settings,
}

/// Answers HTTP requests of one worker, and opens connections. Cloning is cheap.
#[derive(Clone)]
pub struct Port {
    pub(crate) handler: Handler,
    pub(crate) shared: Arc<Shared>,
}

/// How long the client may take until it has read that the connection is open.
const OPENING: Duration = Duration::from_secs(10);

/// What a connection keeps for reading; a frame gets as much more as it needs.
const READ_BUFFER: usize = 16 << 10;

/// From here on what is to be sent is handed to the system.
const WRITE_BUFFER: usize = 64 << 10;

/// What is asked of a connection.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Requests,
    DryRun,
}

impl FrontEnd {
    /// Takes on requests within `admission`. `catalog` tells the schemas for JSON; `health` and `report` are for those
    /// who ask over plain HTTP.
    #[must_use]
    pub fn new(
        catalog: Catalog,
        admission: Admission,
        health: Health,
        report: Report,
        settings: Settings,
    ) -> Self {
        Self { shared: Arc::new(Shared { catalog, admission, health, report, settings }) }
    }

    /// Answers the connections of one worker by its `handler`.
    #[must_use]
    pub fn port(&self, handler: Handler) -> Port {
        Port { handler, shared: self.shared.clone() }
    }
}

impl Purpose {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Requests),
            "/dry_run" => Some(Self::DryRun),
            _ => None,
        }
    }
}

impl Port {
    /// Whether a request asks to open a connection that this front end takes, for ports that answer others too.
    #[must_use]
    pub fn is_for<B>(&self, request: &Request<B>) -> bool {
        handshake::is_wanted(request.headers()) && Purpose::of(self.below(request)).is_some()
    }

    /// The path of a request as it is called here.
    fn below<'a, B>(&self, request: &'a Request<B>) -> &'a str {
        self.shared.settings.root_path.below(request.uri().path())
    }

    /// Answers one request.
    pub async fn answer<B>(self, request: Request<B>) -> Response<Full<Bytes>> {
        let path = self.below(&request);
        if !handshake::is_wanted(request.headers()) {
            return plain::answer(&self, request.method(), path).await;
        }
        match Purpose::of(path) {
            Some(purpose) => self.open(request, purpose),
            None => empty(handshake::refuse(StatusCode::FORBIDDEN)),
        }
    }

    fn open<B>(self, request: Request<B>, purpose: Purpose) -> Response<Full<Bytes>> {
        let (mut parts, _body) = request.into_parts();
        let response = match handshake::accept(&parts) {
            Ok(response) => response,
            Err(refusal) => return empty(refusal),
        };
        let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
            return empty(handshake::refuse(StatusCode::BAD_REQUEST));
        };
        let tasks = self.shared.settings.tasks.clone();
        tasks.spawn(async move {
            let parts = parts;
            self.converse(upgrade, &parts.headers, purpose).await;
            // They hold the connection's place on the server.
            drop(parts.extensions);
        });
        response.map(|()| Full::default())
    }

    async fn converse(self, upgrade: OnUpgrade, headers: &HeaderMap, purpose: Purpose) {
        let upgraded = match tokio::time::timeout(OPENING, upgrade).await {
            Ok(Ok(upgraded)) => upgraded,
            Ok(Err(error)) => return debug!(%error, "a connection was not opened"),
            Err(_) => return debug!("a connection was not opened in time"),
        };
        let Self { handler, shared } = self;
        let Shared { catalog, admission, settings, .. } = &*shared;
        let meter = Meter::new(TokioIo::new(upgraded), admission.for_connection(), settings.max_message);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(settings.max_message))
            .max_frame_size(Some(settings.max_message));
        let socket = WebSocketStream::from_raw_socket(meter, Role::Server, Some(config)).await;
        let mode = if handshake::wants_bytes(headers) {
            Mode::Bytes(catalog.clone())
        } else {
            Mode::Json(Json::new(catalog.clone()))
        };
        match purpose {
            Purpose::Requests => {
                let metadata = metadata(headers, &settings.forward);
                Conversation::new(socket, mode, Answering { handler, metadata }, settings).run().await;
            }
            Purpose::DryRun => dry_run::tell(socket, &mode, handler, admission).await,
        }
    }
}

/// What travels on of the headers that opened a connection. Values that are not text are left out.
fn metadata(headers: &HeaderMap, forward: &[HeaderName]) -> Metadata {
    Metadata::of_headers(forward, |name| {
        headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    })
}

fn empty(response: Response<()>) -> Response<Full<Bytes>> {
    let mut response = response.map(|()| Full::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    // Clients of WebSocket ask nothing else.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl<B: Send + 'static> hyper::service::Service<Request<B>> for Port {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async { Ok(answer.await) })
    }
}
