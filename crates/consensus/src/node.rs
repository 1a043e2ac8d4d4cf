//! A replica: the log, the executor, and the way of a write through them.

mod followers;
mod keeping;
mod proposing;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use executor_client::Direct;
use tokio::sync::{Mutex, MutexGuard, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::followers::Follower;
use self::proposing::Proposal;
use crate::log::Log;
use crate::machine::Machine;
use crate::network::{Heard, Network, Peers};
use crate::snapshots::Snapshots;
use crate::types::{NodeId, Raft, WriteId};
use crate::{Replicated, Settings, StartError, WriteError};

pub(crate) use proposing::Proposed;

/// How long whoever had the log before may need to let go of it.
const ENDING: Duration = Duration::from_secs(5);

/// A replica. Clones are handles to the same.
#[derive(Debug, Clone)]
pub struct Node {
    shared: Arc<Shared>,
    /// Ends the tasks of a replica that nobody holds any more.
    _alive: Arc<DropGuard>,
}

/// What the tasks of a replica share.
struct Shared {
    settings: Settings,
    raft: Raft,
    machine: Machine,
    executor: Arc<dyn Replicated>,
    /// The other replicas.
    peers: Peers,
    heard: Arc<Heard>,
    followers: BTreeMap<NodeId, Follower>,
    proposals: mpsc::Sender<Proposal>,
    /// One snapshot is received at a time.
    installing: Mutex<()>,
    /// Whether the executor has the state that the others have.
    is_ready: watch::Sender<bool>,
    /// Cancelled when the replica cannot go on.
    failed: CancellationToken,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Node {
    /// Begins where the log ends. Returns before the others are there: see [`Node::ready`].
    ///
    /// # Errors
    ///
    /// If the log, or a snapshot, cannot be read, or the settings do not fit each other.
    pub async fn start(settings: Settings, executor: Arc<dyn Replicated>) -> Result<Self, StartError> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let alive = Arc::new(stop.clone().drop_guard());
        let me = NodeId::from(settings.replica);
        let mut peers = BTreeMap::new();
        for (number, address) in (0..).zip(&settings.peers).filter(|(number, _)| *number != me) {
            let peer = Direct::new(address.clone(), &settings.client, &tasks, stop.clone());
            let peer = peer.map_err(|source| StartError::Tls { address: address.clone(), source })?;
            peers.insert(number, peer);
        }
        let peers = Arc::new(peers);
        let log = open(&settings.directory).await?;
        let snapshots = Snapshots::new(&settings.directory);
        let machine = Machine::open(executor.clone(), log.clone(), snapshots, settings.keeps_itself).await?;
        let config = Arc::new(settings.raft(settings.directory.display().to_string())?);
        let heard = Arc::new(Heard::new(peers.keys().copied()));
        let network = Network { peers: peers.clone(), heard: heard.clone(), tasks: tasks.clone() };
        let raft = Raft::new(me, config, network, log, machine.clone()).await;
        let raft = raft.map_err(|fatal| StartError::Raft(fatal.to_string()))?;
        let (proposals, proposed) = mpsc::channel(settings.max_waiting.max(1));
        let followers = peers.iter().map(|(number, peer)| {
            (*number, Follower::new(peer.clone(), settings.replicas_timeout, &tasks, stop.clone()))
        });
        let shared = Arc::new(Shared {
            followers: followers.collect(),
            settings,
            raft,
            machine,
            executor,
            peers,
            heard,
            proposals,
            installing: Mutex::default(),
            is_ready: watch::Sender::new(false),
            failed: CancellationToken::new(),
            tasks,
            stop,
        });
        shared.propose_until_stop(proposed);
        shared.keep_until_stop();
        Ok(Self { shared, _alive: alive })
    }

    /// Whether the executor has the state that the others have, or had when it asked. False at first.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.shared.is_ready.subscribe()
    }

    /// Cancelled when the replica cannot go on: its log cannot be written, or its executor does not take the state.
    #[must_use]
    pub fn failed(&self) -> &CancellationToken {
        &self.shared.failed
    }

    /// The number of the replica that leads, if this one knows of any.
    #[must_use]
    pub fn leader(&self) -> Option<u32> {
        let leader = self.shared.raft.metrics().borrow().current_leader;
        leader.and_then(|leader| u32::try_from(leader).ok())
    }

    /// Leaves the others. Writes that are under way are not answered any more, so none should be.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        if let Err(error) = self.shared.raft.shutdown().await {
            tracing::warn!(%error, "consensus did not end well");
        }
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    /// Whether this replica leads.
    pub(crate) fn leads(&self) -> bool {
        self.leader() == Some(self.shared.settings.replica)
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.shared.machine
    }

    /// Held by the one who receives a snapshot.
    pub(crate) async fn installing(&self) -> MutexGuard<'_, ()> {
        self.shared.installing.lock().await
    }

    pub(crate) fn raft(&self) -> &Raft {
        &self.shared.raft
    }

    /// Follows the number of the next entry that will be made here.
    pub(crate) fn next(&self) -> watch::Receiver<u64> {
        self.shared.next()
    }

    /// See [`Shared::lead`].
    pub(crate) async fn lead(&self, id: WriteId, request: Bytes) -> Result<Proposed, WriteError> {
        self.shared.lead(id, request).await
    }
}

impl Shared {
    /// Follows the number of the next entry that will be made here.
    fn next(&self) -> watch::Receiver<u64> {
        self.machine.next()
    }

    /// All replicas, as configured.
    fn numbers(&self) -> BTreeSet<NodeId> {
        (0..).zip(&self.settings.peers).map(|(number, _)| number).collect()
    }

    fn me(&self) -> NodeId {
        self.settings.replica.into()
    }

    /// Runs `task` until the replica is closed.
    fn spawn_until_stop(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}

/// Opens the log. A process that is about to end, or a replica of this process that was closed, may still have it.
async fn open(directory: &Path) -> Result<Log, StartError> {
    let began = Instant::now();
    loop {
        let directory = directory.to_owned();
        // An error is large, and goes from one thread to another.
        let opened = tokio::task::spawn_blocking(move || Log::open(&directory).map_err(Box::new)).await;
        match opened.map_err(|lost| StartError::Raft(lost.to_string()))? {
            Ok(log) => return Ok(log),
            Err(in_use) if matches!(*in_use, StartError::InUse { .. }) && began.elapsed() < ENDING => {
                tokio::time::sleep(ENDING / 100).await;
            }
            Err(error) => return Err(*error),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}
