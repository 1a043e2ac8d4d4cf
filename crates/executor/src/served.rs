//! Ports and what goes on behind them, whoever answers there.

use std::net::SocketAddr;
use std::sync::Arc;

use grpc::server::Grpc;
use info::{Health, Latch};
use server::{Drain, DrainHandle, HttpOptions, Listener, Timing, Workers, tls};
use tokio_util::sync::DropGuard;

use crate::{Port, PortNumber, Serving, StartError};

/// What TLS clients may choose from, on every port: one acceptor, and one reload, serves them all.
const ALPN: [&str; 2] = ["h2", "http/1.1"];

/// Ports that are bound and refuse connections yet.
pub(crate) struct Bound {
    listeners: Vec<Listener>,
    tls: Option<tls::Acceptor>,
    http: HttpOptions,
    drain: Drain,
    timing: Timing,
    health: Health,
    latch: Latch,
}

/// Ports that are served. Dropping it stops everything at once.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) health: Health,
    pub(crate) tls: Option<tls::Acceptor>,
    pub(crate) drain: Drain,
    pub(crate) timing: Timing,
    /// Only for the case that it is dropped.
    _stop: DropGuard,
    /// The threads, which must outlive what the drain finishes on them.
    _workers: Arc<Workers>,
}

/// Who answers a port, one service for each worker.
pub(crate) enum Services {
    Grpc(Vec<Grpc>),
    Http(Vec<frontend_http::Http>),
    WebSocket(Vec<frontend_websocket::Port>),
}

impl Bound {
    pub(crate) fn new(serving: Serving) -> Result<Self, StartError> {
        let bind = |port: &Port| {
            let number = match port.number {
                PortNumber::Fixed(number) => number,
                PortNumber::Free => 0,
            };
            Listener::bind(&port.host, number, serving.backlog)
        };
        let listeners = serving.ports.iter().map(bind).collect::<Result<_, _>>()?;
        let tls = serving.tls.map(|files| tls::Acceptor::new(files, &ALPN)).transpose()?;
        let drain = Drain::new();
        let health = Health::new(drain.handle().accepting());
        let latch = health.latch("the ports");
        Ok(Self { listeners, tls, http: serving.http, drain, timing: serving.drain, health, latch })
    }

    pub(crate) fn handle(&self) -> DrainHandle {
        self.drain.handle()
    }

    pub(crate) const fn health(&self) -> &Health {
        &self.health
    }

    /// Opens the ports and lets `services`, one entry for each port, answer.
    pub(crate) fn serve(self, services: Vec<Services>, workers: Arc<Workers>) -> Result<Served, StartError> {
        let Self { listeners, tls, http, drain, timing, health, latch } = self;
        let handle = drain.handle();
        let addresses = listeners.iter().map(Listener::address).collect();
        for (listener, services) in listeners.into_iter().zip(services) {
            let open =
                listener.open().map_err(|source| StartError::System { what: "an open port", source })?;
            let (tls, http, workers) = (tls.clone(), http.clone(), workers.clone());
            let drain = handle.clone();
            match services {
                Services::Grpc(services) => {
                    let services = server::for_connections(services, Grpc::for_connection);
                    handle.spawn_critical(server::serve(open, services, tls, http, workers, drain));
                }
                Services::Http(services) => {
                    let services = server::for_connections(services, frontend_http::Http::for_connection);
                    handle.spawn_critical(server::serve(open, services, tls, http, workers, drain));
                }
                Services::WebSocket(services) => {
                    let services = server::for_connections(services, Clone::clone);
                    handle.spawn_critical(server::serve(open, services, tls, http, workers, drain));
                }
            }
        }
        latch.set();
        let stop = handle.token().clone().drop_guard();
        Ok(Served { addresses, health, tls, drain, timing, _stop: stop, _workers: workers })
    }
}
