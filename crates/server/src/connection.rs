//! Serving HTTP on accepted connections.

mod access;
mod activity;
mod from_config;
mod web;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{debug, warn};

pub use access::AccessLog;
pub use web::Headers;

use access::{Line, Logged};

use crate::listener::{Open, accept};
use crate::patience::Patience;
use crate::workers::Place;
use crate::{DrainHandle, Workers, tls};

use activity::{Activity, Answering, Counted};
use web::{Answer, Crowd, OneMore};

/// Whatever answers HTTP requests on a port.
pub trait HttpService:
    Service<
        Request<Incoming>,
        Response = Response<Self::Body>,
        Error = Infallible,
        Future: Future<Output = Result<Response<Self::Body>, Infallible>> + Send + 'static,
    > + Clone
    + Send
    + 'static
{
    /// The body of its responses.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static;
}

impl<S, B> HttpService for S
where
    S: Service<
            Request<Incoming>,
            Response = Response<B>,
            Error = Infallible,
            Future: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
        > + Clone
        + Send
        + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    type Body = B;
}

/// What the connections of a port allow.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Connections at once; more wait in the socket's backlog.
    pub max_connections: usize,
    /// How long a client may take for TLS, and again to show what protocol it speaks.
    pub handshake_timeout: Duration,
    /// How long the head of an HTTP/1 request may take; idle connections are kept as long.
    pub header_timeout: Duration,
    /// Bytes of all headers of a request.
    pub max_header_bytes: u32,
    /// HTTP/2: requests at once on a connection.
    pub max_streams: u32,
    /// HTTP/2: pings after this much silence.
    pub keepalive_time: Option<Duration>,
    /// HTTP/2: how long the answer to a ping may take.
    pub keepalive_timeout: Duration,
    /// HTTP/2: bytes in flight towards us per request.
    pub stream_window: u32,
    /// HTTP/2: bytes in flight towards us per connection.
    pub connection_window: u32,
    /// HTTP/2: the largest frame that we take.
    pub max_frame: u32,
    /// After about this long a connection is told to end and takes no more requests.
    pub max_age: Option<Duration>,
    /// After this long without requests a connection is told to end, about: at most after twice as long.
    pub max_idle: Option<Duration>,
    /// How long requests of a connection that is old may still take; `None` is as long as they like.
    pub age_grace: Option<Duration>,
    /// Which requests over HTTP are lines in the log, if any are.
    pub access_log: Option<AccessLog>,
    /// Headers of every answer over HTTP, beside its own.
    pub headers: Headers,
    /// From this many connections, or requests, of a port on further requests over HTTP are refused.
    pub max_concurrency: Option<usize>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            max_connections: 20_000,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(60),
            max_header_bytes: 64 << 10,
            max_streams: 10_000,
            keepalive_time: Some(Duration::from_millis(9999)),
            keepalive_timeout: Duration::from_millis(4999),
            stream_window: 4 << 20,
            connection_window: 16 << 20,
            max_frame: 1 << 20,
            max_age: None,
            max_idle: None,
            age_grace: None,
            access_log: None,
            headers: Headers::default(),
            max_concurrency: None,
        }
    }
}

/// What makes the services of new connections, of one service for each worker.
pub fn for_connections<S: Send + 'static>(
    services: Vec<S>,
    one: fn(&S) -> S,
) -> Vec<impl Fn() -> S + Send + 'static> {
    services.into_iter().map(|service| move || one(&service)).collect()
}

/// Accepts connections and serves them until the process drains. `services` holds, for each worker, what makes the
/// service of a new connection.
///
/// The future ends when the process drains and the last connection is closed: until then it keeps the threads
/// that carry them.
pub async fn serve<S: HttpService>(
    listener: Open,
    services: Vec<impl Fn() -> S + Send + 'static>,
    tls: Option<tls::Acceptor>,
    options: HttpOptions,
    workers: Arc<Workers>,
    drain: DrainHandle,
) {
    let builder = builder(&options);
    let places = Arc::new(tokio::sync::Semaphore::new(options.max_connections));
    let stop = drain.token().clone();
    let connections = TaskTracker::new();
    let crowd = options.max_concurrency.map(|limit| Arc::new(Crowd::new(limit)));
    let headers = (!options.headers.is_empty()).then_some(options.headers);
    loop {
        let accepted = async {
            // Nobody closes the semaphore, so there always is a permit.
            let permit = places.clone().acquire_owned().await.ok();
            (permit, accept(&listener.0).await)
        };
        let (permit, stream) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        };
        let place = workers.place();
        let service = services[place.worker]();
        let runtime = place.runtime.clone();
        let connection = connections.token();
        let life = Life { max_age: options.max_age, max_idle: options.max_idle, grace: options.age_grace };
        let handshake = Handshake { tls: tls.clone(), patience: options.handshake_timeout, life };
        let access = options.access_log.and_then(|log| Some((log, stream.peer_addr().ok()?)));
        let (builder, stop) = (builder.clone(), stop.clone());
        // Taking the socket off this runtime, so that its worker's polls it.
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => {
                warn!(%error, "a connection could not be handed to its worker");
                continue;
            }
        };
        let (crowd, headers) = (crowd.clone(), headers.clone());
        let task = async move {
            let counted = crowd.as_ref().map(|crowd| crowd.connection());
            let hold = Arc::new((place, permit, connection, counted));
            let service = Holding { service, hold, access, activity: Arc::default(), crowd, headers };
            if let Err(error) = handshake.serve(stream, service, &builder, stop).await {
                debug!(%error, "connection ended");
            }
        };
        drain.spawn_on(task, &runtime);
    }
    // New clients are refused from here on.
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// What a connection occupies. It is given back when the connection ends, or, if it is upgraded to another protocol,
/// when whoever took it over drops the extensions of the request that asked for it.
type Hold = Arc<(Place, Option<OwnedSemaphorePermit>, TaskTrackerToken, Option<OneMore>)>;

/// Lets those who may take a connection over hold what it occupies, and counts what is under way on it.
#[derive(Clone)]
struct Holding<S> {
    service: S,
    hold: Hold,
    activity: Arc<Activity>,
    /// How requests are logged, and whose they are.
    access: Option<(AccessLog, SocketAddr)>,
    /// Who else is there, if that is limited.
    crowd: Option<Arc<Crowd>>,
    /// What every answer has, if there is anything.
    headers: Option<Headers>,
}

impl<S: HttpService> Service<Request<Incoming>> for Holding<S> {
    type Response = Response<Counted<Either<S::Body, Full<Bytes>>>>;
    type Error = Infallible;
    type Future = Answering<Logged<Answer<S::Future>>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let line = self.access.and_then(|(log, peer)| Line::of(log, peer, &request));
        if request.headers().contains_key(http::header::UPGRADE) {
            request.extensions_mut().insert(self.hold.clone());
        }
        let busy = self.activity.begin();
        let is_web = !web::is_grpc(&request);
        let crowd = self.crowd.as_ref().filter(|_| is_web);
        let counted = crowd.map(|crowd| crowd.request(&request));
        let answer = (!matches!(counted, Some(None))).then(|| self.service.call(request));
        let headers = self.headers.clone().filter(|_| is_web);
        Answering::new(Logged::new(Answer::new(answer, headers), line), busy, counted.flatten())
    }
}

type Builder = auto::Builder<TokioExecutor>;

/// What a connection goes through before HTTP.
struct Handshake {
    tls: Option<tls::Acceptor>,
    patience: Duration,
    life: Life,
}

/// How long a connection lives.
#[derive(Debug, Clone, Copy)]
struct Life {
    max_age: Option<Duration>,
    max_idle: Option<Duration>,
    grace: Option<Duration>,
}

impl Life {
    /// Ends when the connection is old. Each is a bit younger or older than the others, so that clients do not come
    /// back all at once.
    async fn end(self) {
        match self.max_age {
            Some(age) => tokio::time::sleep(age.mul_f64(0.9 + 0.2 * fastrand::f64())).await,
            None => std::future::pending().await,
        }
    }

    /// Ends when the connection has rested for too long.
    async fn rested(self, activity: &Activity) {
        match self.max_idle {
            Some(idle) => activity.rested(idle).await,
            None => std::future::pending().await,
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Handshake {
    async fn serve<S: HttpService>(
        self,
        stream: std::net::TcpStream,
        service: Holding<S>,
        builder: &Builder,
        stop: CancellationToken,
    ) -> Result<(), BoxError> {
        let stream = TcpStream::from_std(stream)?;
        stream.set_nodelay(true)?;
        match self.tls {
            None => converse(Patience::new(stream, self.patience), service, builder, stop, self.life).await,
            Some(tls) => {
                let stream = tokio::time::timeout(self.patience, tls.accept(stream)).await??;
                converse(Patience::new(stream, self.patience), service, builder, stop, self.life).await
            }
        }
    }
}

/// How long a connection may rest before it is closed when the process drains. Calls that were on their way when the
/// client was told arrive within that time.
const REST: Duration = Duration::from_millis(500);

/// Serves one connection to its end; once the process drains, only what is in flight.
async fn converse<S: HttpService>(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: Holding<S>,
    builder: &Builder,
    stop: CancellationToken,
    life: Life,
) -> Result<(), BoxError> {
    let activity = service.activity.clone();
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), service));
    tokio::select! {
        end = connection.as_mut() => return end,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        () = life.rested(&activity) => connection.as_mut().graceful_shutdown(),
        () = life.end() => {
            connection.as_mut().graceful_shutdown();
            if let Some(grace) = life.grace {
                return tokio::time::timeout(grace, connection).await?;
            }
        }
    }
    tokio::select! {
        end = connection => end,
        () = activity.rested(REST) => Ok(()),
    }
}

fn builder(options: &HttpOptions) -> Builder {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size((options.max_header_bytes as usize).max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.max_streams)
        .max_header_list_size(options.max_header_bytes)
        .keep_alive_interval(options.keepalive_time)
        .keep_alive_timeout(options.keepalive_timeout)
        .initial_stream_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .max_frame_size(options.max_frame)
        .max_send_buf_size(1 << 20);
    builder
}

#[cfg(test)]
mod tests;
