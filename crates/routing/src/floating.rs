//! Where executors run that nobody waits for.

use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use call::Deadline;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::Error;

/// The place for floating calls: tasks that the process waits for when it ends, a bounded number of them, each
/// for a bounded time. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    free: Arc<Semaphore>,
    limit: usize,
    allowed: Duration,
}

/// A place that is taken.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Tasks {
    /// Floating calls that may be in flight unless [`Tasks::at_most`] says otherwise; more are refused
    /// together with their requests, so that clients notice.
    pub const LIMIT: usize = 10_000;

    /// The time one is allowed unless [`Tasks::within`] says otherwise.
    pub const ALLOWED: Duration = Duration::from_secs(60 * 60);

    /// Runs floating calls on `tracker`.
    #[must_use]
    pub fn new(tracker: TaskTracker) -> Self {
        Self {
            tracker,
            free: Arc::new(Semaphore::new(Self::LIMIT)),
            limit: Self::LIMIT,
            allowed: Self::ALLOWED,
        }
    }

    /// Allows so many in flight.
    #[must_use]
    pub fn at_most(mut self, limit: usize) -> Self {
        self.limit = limit.min(Semaphore::MAX_PERMITS);
        self.free = Arc::new(Semaphore::new(self.limit));
        self
    }

    /// Allows each this much time, whatever the client allows for its answer.
    #[must_use]
    pub const fn within(mut self, allowed: Duration) -> Self {
        self.allowed = allowed;
        self
    }

    /// Takes places for the floating calls of one request.
    pub(crate) fn take(&self, n: usize) -> Result<Vec<Place>, Error> {
        let take = |_| self.free.clone().try_acquire_owned().map(|permit| Place { _permit: permit });
        (0..n).map(take).collect::<Result<_, _>>().map_err(|_full| Error::Floating { limit: self.limit })
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.allowed)
    }

    /// Runs `task`, which starts with a call to `executor`.
    pub(crate) fn spawn(
        &self,
        place: Place,
        executor: ByteString,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let allowed = self.deadline();
        let bounded = async move {
            let _place = place;
            if allowed.bound(task).await.is_none() {
                tracing::warn!(%executor, "a floating call took too long and was given up");
            }
        };
        self.tracker.spawn(bounded.in_current_span());
    }
}

impl From<TaskTracker> for Tasks {
    fn from(tracker: TaskTracker) -> Self {
        Self::new(tracker)
    }
}
