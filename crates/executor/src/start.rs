//! Making an executor of its settings.

use std::sync::Arc;

use executor_runtime::{Entry, Hosted, host};
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
    let bound = Bound::new(settings.serving)?;
    let mut hosting = settings.executor.clone();
    hosting.grpc.stop = bound.handle().token().clone();
    // Its code may block.
    let hosted = tokio::task::spawn_blocking(move || host(&entry, hosting));
    let hosted = hosted.await.map_err(|_panicked| StartError::Panicked)??;
    serve(bound, hosted, workers)
}

/// Opens the port before an executor that is made.
pub(crate) fn serve(bound: Bound, hosted: Hosted, workers: Arc<Workers>) -> Result<Running, StartError> {
    let control = info::control(Report::new(Traffic::default()), bound.health().clone(), &JINA_SERVICES);
    let services = vec![hosted.grpc(control); workers.count()];
    let served = bound.serve(services, workers)?;
    info!(address = %served.address, name = hosted.name(), executor = hosted.class(), "executor started");
    Ok(Running { served, hosted })
}
