//! Making an executor of its settings.

use std::sync::Arc;

use executor_runtime::{Entry, ExecutorSettings, Hosted, host};
use info::{Facts, Report};
use server::Workers;
use tokio::sync::watch;
use tracing::{Span, info, warn};

use crate::front_ends::{Faces, FrontEnds, Process};
use crate::served::Bound;
use crate::stateful::{follow, replicate};
use crate::{Protocol, Running, Settings, StartError};

/// Starts an executor on the threads of `workers`. When this returns it is ready. Its ports are bound first, but
/// refuse connections while the executor is made, which may take long. Cancelling waits for nothing.
///
/// # Errors
///
/// If the executor cannot be made, or the system refuses what the settings ask for.
pub async fn start(settings: Settings, entry: Entry, workers: Arc<Workers>) -> Result<Running, StartError> {
    let (closed, hosting) = Closed::bind(settings)?;
    // Its code may block.
    let span = Span::current();
    let hosted = tokio::task::spawn_blocking(move || span.in_scope(|| host(&entry, hosting)));
    let hosted = hosted.await.map_err(|_panicked| StartError::Panicked)??;
    closed.open(hosted, workers, None).await
}

/// The ports of an executor that is still to be made.
pub(crate) struct Closed {
    pub(crate) bound: Bound,
    facts: Facts,
    protocols: Vec<Protocol>,
    faces: Faces,
    stateful: Option<consensus::Settings>,
}

impl Closed {
    /// Binds the ports; returned beside them is how the executor is to be hosted.
    pub(crate) fn bind(settings: Settings) -> Result<(Self, ExecutorSettings), StartError> {
        let facts = settings.serving.facts(settings.executor.limits, &settings.executor.grpc);
        let protocols = settings.serving.ports.iter().map(|port| port.protocol).collect();
        let bound = Bound::new(settings.serving)?;
        let mut hosting = settings.executor;
        hosting.grpc.stop = bound.handle().token().clone();
        let faces = Faces { rest: settings.rest, websocket_ping: settings.websocket_ping };
        Ok((Self { bound, facts, protocols, faces, stateful: settings.stateful }, hosting))
    }

    /// Opens the ports before the executor. `restarts` counts how often its code began anew in other processes.
    pub(crate) async fn open(
        self,
        hosted: Hosted,
        workers: Arc<Workers>,
        restarts: Option<watch::Receiver<u64>>,
    ) -> Result<Running, StartError> {
        let Self { bound, facts, protocols, faces, stateful } = self;
        let (hosted, node) = match stateful {
            None => (hosted, None),
            Some(settings) => {
                let replicated = Box::pin(replicate(hosted, settings, workers.clone(), restarts));
                let (hosted, node) = replicated.await?;
                follow(&bound.handle(), bound.health(), &node);
                (hosted, Some(node))
            }
        };
        let report = Report::of_executor(hosted.traffic().clone(), facts);
        let process = Process { report, health: bound.health().clone(), drain: &bound.handle() };
        if faces.rest.cors && protocols.contains(&Protocol::Http) {
            warn!("CORS is enabled: web pages of any origin can call this executor");
        }
        let front_ends = FrontEnds::new(hosted.clone(), faces, process, node.as_ref());
        let services = protocols.iter().map(|protocol| front_ends.services(*protocol, workers.count()));
        let served = bound.serve(services.collect(), workers)?;
        for (address, protocol) in served.addresses.iter().zip(&protocols) {
            info!(?protocol, executor = hosted.class(), "start server bound to {address}");
        }
        Ok(Running { served, hosted, node })
    }
}
