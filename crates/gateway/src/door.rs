//! A port and the front end behind it.

use std::sync::Arc;

use server::{DrainHandle, HttpOptions, Listener, Open, Workers, tls};
use tracing::info;

use crate::shared_port::SharedPort;
use crate::{Protocol, StartError};

/// A port that is bound, and who will answer it.
pub(crate) struct Door {
    pub(crate) listener: Listener,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) services: Services,
}

/// A front end, one service for each worker.
pub(crate) enum Services {
    Grpc(Vec<grpc::server::Grpc>),
    Http(Vec<frontend_http::Http>),
    WebSocket(Vec<frontend_websocket::Port>),
    Several(Vec<SharedPort>),
}

/// What all ports of the process share.
pub(crate) struct Opener {
    pub(crate) tls: Option<tls::Acceptor>,
    pub(crate) http: HttpOptions,
    pub(crate) workers: Arc<Workers>,
    pub(crate) drain: DrainHandle,
}

impl Door {
    /// Accepts connections until the process drains.
    pub(crate) fn open(self, opener: &Opener) -> Result<(), StartError> {
        let Self { listener, protocols, services } = self;
        let address = listener.address();
        let open: Open =
            listener.open().map_err(|source| StartError::System { what: "an open port", source })?;
        let Opener { tls, http, workers, drain } = opener;
        let (tls, http, workers) = (tls.clone(), http.clone(), workers.clone());
        match services {
            Services::Grpc(services) => {
                let services = server::for_connections(services, grpc::server::Grpc::for_connection);
                drain.spawn_critical(server::serve(open, services, tls, http, workers, drain.clone()));
            }
            Services::Http(services) => {
                let services = server::for_connections(services, frontend_http::Http::for_connection);
                drain.spawn_critical(server::serve(open, services, tls, http, workers, drain.clone()));
            }
            // A connection of WebSocket counts for itself when it is opened.
            Services::WebSocket(services) => {
                let services = server::for_connections(services, Clone::clone);
                drain.spawn_critical(server::serve(open, services, tls, http, workers, drain.clone()));
            }
            Services::Several(services) => {
                let services = server::for_connections(services, SharedPort::for_connection);
                drain.spawn_critical(server::serve(open, services, tls, http, workers, drain.clone()));
            }
        }
        info!(?protocols, "start server bound to {address}");
        Ok(())
    }
}
