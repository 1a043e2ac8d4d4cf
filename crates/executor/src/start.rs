//! Making an executor of its settings.

use std::sync::Arc;

use executor_runtime::{Entry, host};
use info::{JINA_SERVICES, Report, Traffic};
use server::Workers;
use tracing::info;

use crate::served::Bound;
use crate::{Running, Settings, StartError};

/// Starts an executor on the threads of `workers`. When this returns it is ready. Its port is bound first, but
/// refuses connections while the executor is made, which may take long. Cancelling waits for nothing.
///
/// # Errors
///
/// If the executor cannot be made, or the system refuses what the settings ask for.
pub async fn start(settings: Settings, entry: Entry, workers: Arc<Workers>) -> Result<Running, StartError> {
    let facts = settings.serving.facts(settings.executor.limits, &settings.executor.grpc);
    let bound = Bound::new(settings.serving)?;
    let mut hosting = settings.executor.clone();
    hosting.grpc.stop = bound.handle().token().clone();
    // Its code may block.
    let hosted = tokio::task::spawn_blocking(move || host(&entry, hosting));
    let hosted = hosted.await.map_err(|_panicked| StartError::Panicked)??;

    let control =
        info::control(Report::of_executor(Traffic::default(), facts), bound.health().clone(), &JINA_SERVICES);
    let services = vec![hosted.grpc(control); workers.count()];
    let served = bound.serve(services, workers)?;
    info!(executor = entry.class(), "start server bound to {}", served.address);
    Ok(Running { served, hosted })
}
