//! An executor that has been started.

use std::net::SocketAddr;

use consensus::Node;
use executor_runtime::Hosted;
use info::Health;
use server::{Outcome, tls};

use tokio_util::sync::CancellationToken;

use crate::StartError;
use crate::served::Served;

/// An executor that has been started. Dropping it stops everything at once; [`Running::stop`] lets it finish.
#[derive(Debug)]
pub struct Running {
    pub(crate) served: Served,
    pub(crate) hosted: Hosted,
    /// What keeps it consistent with other replicas.
    pub(crate) node: Option<Node>,
}

impl Running {
    /// Where it listens first.
    ///
    /// # Panics
    ///
    /// If it was given no port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.served.addresses[0]
    }

    /// Where it listens, in the order of the settings.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.served.addresses
    }

    /// Whether it is ready.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.served.health
    }

    /// The executor itself, for those who call it without a connection.
    #[must_use]
    pub const fn hosted(&self) -> &Hosted {
        &self.hosted
    }

    /// Certificates towards clients, if there are any; to be reloaded when their files change.
    #[must_use]
    pub const fn tls(&self) -> Option<&tls::Acceptor> {
        self.served.tls.as_ref()
    }

    /// Serves until `signal`, or an error that ends the process; then finishes the calls in flight and closes
    /// the executor.
    ///
    /// # Errors
    ///
    /// If the executor's code fails to close.
    pub async fn run(self, signal: impl Future<Output = ()>) -> Result<Outcome, StartError> {
        let Self { hosted, served, node } = self;
        let exit = hosted.exit().clone();
        let failed = node.as_ref().map_or_else(CancellationToken::new, |node| node.failed().clone());
        let signal = async {
            tokio::select! {
                () = signal => {}
                () = exit.cancelled() => {}
                () = failed.cancelled() => {}
            }
        };
        let timing = served.timing;
        let outcome = tokio::select! {
            outcome = served.drain.run(signal, timing) => outcome,
            never = hosted.watch() => match never {},
        };
        if let Some(node) = node {
            // Its writes are answered.
            let closed = tokio::time::timeout(timing.grace, node.close()).await;
            if failed.is_cancelled() {
                return Err(StartError::Replica);
            }
            if closed.is_err() {
                return Ok(Outcome::CutOff { tasks: 1 });
            }
        }
        match tokio::time::timeout(timing.grace, hosted.close()).await {
            Ok(closed) => closed.map(|()| outcome).map_err(StartError::Close),
            Err(_) => Ok(Outcome::CutOff { tasks: 1 }),
        }
    }

    /// Drains at once.
    ///
    /// # Errors
    ///
    /// If the executor's code fails to close.
    pub async fn stop(self) -> Result<Outcome, StartError> {
        self.run(std::future::ready(())).await
    }
}
