//! Making an executor of its settings.

use std::sync::Arc;

use executor_runtime::{Entry, host};
use info::Report;
use server::Workers;
use tracing::info;

use crate::front_ends::{FrontEnds, Process};
use crate::served::Bound;
use crate::{Running, Settings, StartError};

/// Starts an executor on the threads of `workers`. When this returns it is ready. Its ports are bound first, but
/// refuse connections while the executor is made, which may take long. Cancelling waits for nothing.
///
/// # Errors
///
/// If the executor cannot be made, or the system refuses what the settings ask for.
pub async fn start(settings: Settings, entry: Entry, workers: Arc<Workers>) -> Result<Running, StartError> {
    let facts = settings.serving.facts(settings.executor.limits, &settings.executor.grpc);
    let protocols: Vec<_> = settings.serving.ports.iter().map(|port| port.protocol).collect();
    let bound = Bound::new(settings.serving)?;
    let mut hosting = settings.executor.clone();
    hosting.grpc.stop = bound.handle().token().clone();
    // Its code may block.
    let hosted = tokio::task::spawn_blocking(move || host(&entry, hosting));
    let hosted = hosted.await.map_err(|_panicked| StartError::Panicked)??;

    let report = Report::of_executor(hosted.traffic().clone(), facts);
    let process = Process { report, health: bound.health().clone(), drain: &bound.handle() };
    let front_ends = FrontEnds::new(hosted.clone(), settings.rest, process);
    let services = protocols.iter().map(|protocol| front_ends.services(*protocol, workers.count()));
    let served = bound.serve(services.collect(), workers)?;
    for (address, protocol) in served.addresses.iter().zip(&protocols) {
        info!(?protocol, executor = entry.class(), "start server bound to {address}");
    }
    Ok(Running { served, hosted })
}
