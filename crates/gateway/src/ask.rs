//! Asking executors what they take and return, without a gateway before them.

use std::sync::Arc;
use std::time::Duration;

use call::{Deadline, ExecutorName};
use docarray::discovery::Discovery;
use executor_client::{Cluster, InvalidTarget, Report, Target};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Settings;

/// How long connections have to close.
const CLOSING: Duration = Duration::from_secs(1);

/// Asks each of `names` for its endpoints and schemas, all at the same time, as a gateway with these settings would.
/// Those that have said nothing when the time is over are reported.
///
/// # Errors
///
/// If one of them can never be called.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn ask(
    settings: &Settings,
    names: &[ExecutorName],
    allowed: Duration,
) -> Result<Vec<Result<Arc<Discovery>, Report>>, InvalidTarget> {
    let deadline = Deadline::after(allowed);
    let target = |name: &ExecutorName| {
        let executor = settings.executors.get(name.as_str()).cloned().unwrap_or_default();
        Target { name: name.clone(), addresses: executor.addresses, metadata: executor.metadata }
    };
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let targets = names.iter().map(target).collect();
    let cluster = Cluster::new(targets, settings.client.clone(), &stop, tasks.clone())?;
    let mut discoveries = cluster.discoveries();
    let all = async { discoveries.wait_for(|told| told.iter().all(Option::is_some)).await.is_ok() };
    // Whoever has told something by then is in the list, whether or not all others have.
    let _all_or_late = deadline.bound(all).await;
    let reports = cluster.report();
    let told = discoveries.borrow().clone();
    let answers = told.iter().zip(reports).map(|(told, report)| told.clone().ok_or(report)).collect();
    drop(cluster);
    stop.cancel();
    tasks.close();
    // What does not close in time ends with the runtime.
    let _closed = tokio::time::timeout(CLOSING, tasks.wait()).await;
    Ok(answers)
}
