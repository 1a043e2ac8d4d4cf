//! Somebody to talk to, and something to say.

use std::net::SocketAddr;
use std::ops::Range;

use call::{Admission, Handler, Limits, Payload, Request, Response};
use docarray::{Doc, DocList, Id};
use grpc::server::{DataCalls, Grpc, Offers, Settings};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

/// A gRPC server on a loopback port; gone when dropped.
pub(super) struct Peer {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Peer {
    pub(super) fn start<F>(answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, call::Error>> + Send + 'static,
    {
        Self::start_with(answer, Settings::default())
    }

    pub(super) fn start_with<F>(
        answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
        settings: Settings,
    ) -> Self
    where
        F: Future<Output = Result<Response, call::Error>> + Send + 'static,
    {
        Self::serve(0, grpc(answer, settings, Routes::default()), None)
    }

    pub(super) fn start_at<F>(
        port: u16,
        answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, call::Error>> + Send + 'static,
    {
        Self::serve(port, grpc(answer, Settings::default(), Routes::default()), None)
    }

    pub(super) fn serve(port: u16, grpc: Grpc, tls: Option<TlsAcceptor>) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let accepting = accept(listener, grpc, tls, stop.clone(), tasks.clone());
        tasks.spawn(accepting);
        Self { address, stop, tasks }
    }

    pub(super) fn address(&self) -> String {
        format!("grpc://{}", self.address)
    }

    pub(super) const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes the port and all connections.
    pub(super) async fn stop(self) -> u16 {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.address.port()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) fn grpc<F>(
    answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
    settings: Settings,
    control: Routes,
) -> Grpc
where
    F: Future<Output = Result<Response, call::Error>> + Send + 'static,
{
    let handler: Handler = BoxCloneSyncService::new(service_fn(answer));
    let calls = DataCalls::new(handler, Admission::new(Limits::default()), settings);
    Grpc::new(calls, Offers { single: true, list: true, stream: true }, control)
}

async fn accept(
    listener: TcpListener,
    grpc: Grpc,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted.unwrap().0,
        };
        let (grpc, tls, stop) = (grpc.clone(), tls.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = converse(stream, grpc, tls) => {}
            }
        });
    }
}

async fn converse(stream: TcpStream, grpc: Grpc, tls: Option<TlsAcceptor>) {
    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // How a connection ends is the client's to notice.
    let _end = match tls {
        None => http.serve_connection(TokioIo::new(stream), grpc).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => http.serve_connection(TokioIo::new(stream), grpc).await,
            Err(_not_trusted) => return,
        },
    };
}

pub(super) async fn echo(request: Request) -> Result<Response, call::Error> {
    Ok(Response::One(request.message))
}

/// A document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Doc)]
pub(super) struct Text {
    pub(super) id: Id,
    pub(super) text: String,
}

pub(super) fn texts(numbers: Range<usize>) -> Vec<Text> {
    numbers.map(|n| Text { id: format!("id-{n}").into(), text: n.to_string() }).collect()
}

pub(super) fn encode(text: &Text) -> Payload {
    let mut wire = Vec::new();
    text.write(&mut wire);
    wire.into()
}

pub(super) fn content(texts: &[Text]) -> Payload {
    texts.iter().cloned().collect::<DocList<_>>().write()
}
