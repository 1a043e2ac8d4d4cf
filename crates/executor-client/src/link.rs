//! The connections of one worker to one replica.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use grpc::client::{ConnectError, Connection, Driver, Options};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Settings;
use crate::error::Chain;
use crate::executor::Executor;
use crate::keep::keep;
use crate::replica::Replica;

/// How long a call waits for a connection to a replica that could not be reached before. One that is there
/// again is reached within this; one that does not even refuse must not hold up its callers.
const IMPATIENCE: Duration = Duration::from_millis(300);

/// Where connections are driven.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) runtime: Handle,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) settings: Arc<Settings>,
    /// Whether these connections are for discovery and probes instead of calls.
    pub(crate) control: bool,
}

/// The connections of one worker to one replica. The first is kept up as long as the replica is a member,
/// the others are made when there is need.
pub(crate) struct Link {
    pub(crate) executor: Arc<Executor>,
    pub(crate) replica: Arc<Replica>,
    pub(crate) worker: Arc<Worker>,
    /// Cancelled when the replica is no member any more, or the process stops.
    pub(crate) gone: CancellationToken,
    slots: Box<[Slot]>,
    /// Why there is no connection, since the last attempt failed.
    failure: ArcSwapOption<Arc<ConnectError>>,
}

/// A place for one connection.
pub(crate) struct Slot {
    connection: ArcSwapOption<Connection>,
    /// Whether a task keeps it.
    pub(crate) kept: AtomicBool,
    /// Asks that task to try now.
    pub(crate) knock: Notify,
    /// Tells that task that the connection was taken out because it takes no more calls.
    pub(crate) retired: Notify,
    /// Attempts begun.
    attempts: AtomicU64,
    /// How the last attempt went.
    outcomes: watch::Sender<Outcome>,
}

/// How an attempt to connect went, and its number.
#[derive(Debug, Clone)]
struct Outcome {
    attempt: u64,
    result: Result<(), Arc<ConnectError>>,
}

impl Link {
    /// No connection yet.
    pub(crate) fn new(executor: Arc<Executor>, replica: Arc<Replica>, worker: Arc<Worker>) -> Arc<Self> {
        let n_slots = if worker.control { 1 } else { worker.settings.connections_per_replica.max(1) };
        let slots = std::iter::repeat_with(Slot::new).take(n_slots).collect();
        let gone = worker.stop.child_token();
        Arc::new(Self { executor, replica, worker, gone, slots, failure: ArcSwapOption::empty() })
    }

    pub(crate) fn slot(&self, n: usize) -> &Slot {
        &self.slots[n]
    }

    /// Whether a call could begin at once.
    pub(crate) fn is_open(&self) -> bool {
        self.slots.iter().any(Slot::is_open)
    }

    /// How many connections there are.
    #[cfg(test)]
    pub(crate) fn n_open(&self) -> usize {
        self.slots.iter().filter(|slot| slot.is_open()).count()
    }

    /// Whether the last attempt to connect failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failure.load().is_some()
    }

    /// A connection that is there: the first that is not busy, so that few calls share few packets, or the
    /// one with the fewest calls. If all are busy, another one is made for the calls to come.
    pub(crate) fn open(self: &Arc<Self>) -> Option<Arc<Connection>> {
        let busy = self.worker.settings.calls_per_connection;
        let mut best: Option<(usize, Arc<Connection>)> = None;
        for slot in &self.slots {
            let Some(connection) = slot.open() else { continue };
            let calls = connection.calls();
            if calls < busy {
                return Some(connection);
            }
            if best.as_ref().is_none_or(|(fewest, _)| calls < *fewest) {
                best = Some((calls, connection));
            }
        }
        let (_, connection) = best?;
        if let Some(n) = self.slots.iter().position(|slot| !slot.kept.load(Ordering::Relaxed)) {
            self.keep(n);
        }
        Some(connection)
    }

    /// A connection; waits for one if there is none, and has it tried for at once.
    ///
    /// Cancel-safe: the attempt goes on for others.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, Arc<ConnectError>> {
        if let Some(connection) = self.open() {
            return Ok(connection);
        }
        let known = self.failure.load_full();
        let slot = &self.slots[0];
        let mut outcomes = slot.outcomes.subscribe();
        if let Some(connection) = self.open() {
            return Ok(connection);
        }
        self.keep(0);
        slot.knock.notify_one();
        let connect_timeout = self.worker.settings.options.connect_timeout;
        let patience = if known.is_some() { IMPATIENCE.min(connect_timeout) } else { connect_timeout };
        // An attempt that had begun before says nothing of a replica that has come back since.
        let begun = slot.attempts.load(Ordering::Acquire);
        let is_news = |outcome: &Outcome| outcome.result.is_ok() || outcome.attempt > begun;
        let outcome = async {
            // The sender is in the slot.
            while outcomes.changed().await.is_ok() {
                let outcome = outcomes.borrow().clone();
                if is_news(&outcome) {
                    return outcome.result;
                }
            }
            Err(Arc::new(ConnectError::Closed))
        };
        match tokio::time::timeout(patience, outcome).await {
            Ok(Ok(())) => self.open().ok_or_else(|| Arc::new(ConnectError::Closed)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(known.as_deref().cloned().unwrap_or_else(|| {
                Arc::new(ConnectError::TimedOut { address: self.replica.address, allowed: patience })
            })),
        }
    }

    /// Whether somebody waits for a connection.
    pub(crate) fn is_wanted(&self) -> bool {
        self.slots[0].outcomes.receiver_count() > 0
    }

    /// Has a connection made for a place, and kept if it is the first.
    pub(crate) fn keep(self: &Arc<Self>, n: usize) {
        if !self.slots[n].kept.swap(true, Ordering::AcqRel) {
            self.worker.tasks.spawn_on(keep(self.clone(), n), &self.worker.runtime);
        }
    }

    /// Takes out a connection that takes no more calls; those in flight are finished.
    pub(crate) fn retire(&self, connection: &Arc<Connection>) {
        for slot in &self.slots {
            let current = slot.connection.compare_and_swap(connection, None);
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
                slot.retired.notify_one();
            }
        }
    }

    // What the task of a place does and reports:

    /// Tries to connect once.
    pub(crate) async fn connect(&self, n: usize) -> Result<(Connection, Driver), ConnectError> {
        self.slots[n].attempts.fetch_add(1, Ordering::AcqRel);
        let options = &self.worker.settings.options;
        let options = Options { keepalive: self.replica.keepalive(options.keepalive), ..options.clone() };
        let target = self.worker.settings.peer.rename(&self.replica.target);
        grpc::client::connect(self.replica.address, &target, &options).await
    }

    pub(crate) fn opened(&self, n: usize, connection: Arc<Connection>) {
        self.slots[n].connection.store(Some(connection));
        self.failure.store(None);
        if self.worker.control {
            self.replica.connected();
            self.executor.reached.send_replace(Some(self.replica.clone()));
        }
        self.slots[n].finish(Ok(()));
    }

    pub(crate) fn closed(&self, n: usize) {
        self.slots[n].connection.store(None);
        // Connections that are closed because they are not needed any more are no news.
        if self.worker.control && !self.gone.is_cancelled() {
            self.replica.disconnected(None);
        }
    }

    pub(crate) fn failed(&self, n: usize, error: ConnectError) {
        let error = Arc::new(error);
        // A further connection that cannot be made says nothing while others are there.
        if n == 0 {
            self.failure.store(Some(Arc::new(error.clone())));
            if self.worker.control {
                self.replica.disconnected(Some(&Chain(error.as_ref()).to_string()));
            }
            // While some replica is there, the others may be away for a while.
            if !self.executor.members.borrow().iter().any(|replica| replica.is_reached()) {
                self.executor.resolve_now.notify_one();
            }
        }
        self.slots[n].finish(Err(error));
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            connection: ArcSwapOption::empty(),
            kept: AtomicBool::new(false),
            knock: Notify::new(),
            retired: Notify::new(),
            attempts: AtomicU64::new(0),
            outcomes: watch::Sender::new(Outcome { attempt: 0, result: Ok(()) }),
        }
    }

    fn finish(&self, result: Result<(), Arc<ConnectError>>) {
        self.outcomes.send_replace(Outcome { attempt: self.attempts.load(Ordering::Acquire), result });
    }

    /// Like [`Slot::open`], but touches no count of references.
    fn is_open(&self) -> bool {
        self.connection.load().as_ref().is_some_and(|connection| !connection.is_closed())
    }

    fn open(&self) -> Option<Arc<Connection>> {
        let connection = self.connection.load();
        connection.as_ref().filter(|connection| !connection.is_closed()).cloned()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("executor", &self.executor.name)
            .field("replica", &self.replica.label)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}
