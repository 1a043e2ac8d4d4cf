//! A gateway that has been started.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use docarray::discovery::Catalog;
use executor_client::Cluster;
use info::{Health, Report};
use server::{Drain, Outcome, Timing, Workers, tls};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::StartError;

/// A gateway that has been started. Dropping it stops everything at once; [`Running::stop`] lets it finish.
#[derive(Debug)]
pub struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) health: Health,
    pub(crate) report: Report,
    pub(crate) catalog: Catalog,
    pub(crate) tls: Option<tls::Acceptor>,
    pub(crate) drain: Drain,
    pub(crate) timing: Timing,
    pub(crate) failure: Failure,
    pub(crate) connections: Connections,
    /// Only for the case that it is dropped.
    pub(crate) _stop: DropGuard,
    /// The threads, which must outlive what the drain finishes on them.
    pub(crate) _workers: Arc<Workers>,
}

/// Why the gateway ended by itself, if it has.
pub(crate) type Failure = Arc<OnceLock<StartError>>;

/// The connections to executors. They outlive the drain, because calls in flight need them.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) cluster: Cluster,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// Connections have nothing left to do when they are closed.
const CLOSING: Duration = Duration::from_secs(1);

impl Running {
    /// The ports in the order of the settings. Until the gateway is ready they refuse connections.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether it is ready.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// What it says of itself.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// What the Flow takes and returns.
    #[must_use]
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What is known of the executors, for those who ask why the gateway is not ready.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.connections.cluster
    }

    /// Waits until it serves; false if it never will, which [`Running::run`] explains.
    pub async fn ready(&self) -> bool {
        let drain = self.drain.handle();
        let mut watch = self.health.watch();
        tokio::select! {
            ready = watch.ready() => ready,
            () = drain.token().cancelled() => false,
        }
    }

    /// Certificates towards clients, if there are any; to be reloaded when their files change.
    #[must_use]
    pub const fn tls(&self) -> Option<&tls::Acceptor> {
        self.tls.as_ref()
    }

    /// Serves until `signal`, then drains.
    ///
    /// # Errors
    ///
    /// If it could not start, or could not go on.
    pub async fn run(self, signal: impl Future<Output = ()>) -> Result<Outcome, StartError> {
        let Self { drain, timing, failure, connections, .. } = self;
        let outcome = drain.run(signal, timing).await;
        let Connections { cluster, tasks, stop } = connections;
        drop(cluster);
        stop.cancel();
        tasks.close();
        if tokio::time::timeout(CLOSING, tasks.wait()).await.is_err() {
            tracing::debug!(tasks = tasks.len(), "connections to executors are cut off");
        }
        match Arc::into_inner(failure).and_then(OnceLock::into_inner) {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }

    /// Drains at once.
    ///
    /// # Errors
    ///
    /// If it had not started, or had ended before.
    pub async fn stop(self) -> Result<Outcome, StartError> {
        self.run(std::future::ready(())).await
    }
}
