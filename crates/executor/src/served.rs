//! A port and what goes on behind it, whoever answers there.

use std::net::SocketAddr;
use std::sync::Arc;

use grpc::server::Grpc;
use info::{Health, Latch};
use server::{Drain, DrainHandle, HttpOptions, Listener, Timing, Workers, tls};
use tokio_util::sync::DropGuard;

use crate::{PortNumber, Serving, StartError};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A port that is bound and refuses connections yet.
pub(crate) struct Bound {
    listener: Listener,
    tls: Option<tls::Acceptor>,
    http: HttpOptions,
    drain: Drain,
    timing: Timing,
    health: Health,
    latch: Latch,
}

/// A port that is served. Dropping it stops everything at once.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) health: Health,
    pub(crate) tls: Option<tls::Acceptor>,
    pub(crate) drain: Drain,
    pub(crate) timing: Timing,
    /// Only for the case that it is dropped.
    _stop: DropGuard,
    /// The threads, which must outlive what the drain finishes on them.
    _workers: Arc<Workers>,
}

impl Bound {
    pub(crate) fn new(serving: Serving) -> Result<Self, StartError> {
        let number = match serving.port.number {
            PortNumber::Fixed(number) => number,
            PortNumber::Free => 0,
        };
        let listener = Listener::bind(&serving.port.host, number, BACKLOG)?;
        let tls = serving.tls.map(|files| tls::Acceptor::new(files, &["h2"])).transpose()?;
        let drain = Drain::new();
        let health = Health::new(drain.handle().accepting());
        let latch = health.latch("the port");
        Ok(Self { listener, tls, http: serving.http, drain, timing: serving.drain, health, latch })
    }

    pub(crate) fn handle(&self) -> DrainHandle {
        self.drain.handle()
    }

    pub(crate) const fn health(&self) -> &Health {
        &self.health
    }

    /// Opens the port and lets `services`, one for each worker, answer.
    pub(crate) fn serve(self, services: Vec<Grpc>, workers: Arc<Workers>) -> Result<Served, StartError> {
        let Self { listener, tls, http, drain, timing, health, latch } = self;
        let (handle, address) = (drain.handle(), listener.address());
        let open = listener.open().map_err(|source| StartError::System { what: "an open port", source })?;
        let services = services.into_iter().map(|service| move || service.for_connection()).collect();
        let serve = server::serve(open, services, tls.clone(), http, workers.clone(), handle.clone());
        handle.spawn_critical(serve);
        latch.set();
        let stop = handle.token().clone().drop_guard();
        Ok(Served { address, health, tls, drain, timing, _stop: stop, _workers: workers })
    }
}
