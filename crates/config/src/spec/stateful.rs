//! Replicas of an executor that are kept consistent by consensus.

use std::time::Duration;

use indexmap::IndexMap;

use super::Address;

/// How the replicas of an executor are kept consistent.
#[derive(Debug, Clone, PartialEq)]
pub struct Stateful {
    /// Where the replicas are.
    pub peers: Peers,
    /// The number of this replica, if it was said.
    pub replica: Option<u32>,
    /// What consensus allows itself.
    pub raft: RaftOptions,
}

/// Where the replicas of an executor are, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peers {
    /// Shard → ports of this machine; any free ones for shards that are not named.
    Ports(IndexMap<u32, Vec<u16>>),
    /// The replicas of this shard, wherever they are.
    Addresses(Vec<Address>),
}

/// What consensus allows itself; see reference/executor.md 5.3 for the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RaftOptions {
    /// A replica that hears nothing of the leader for this long wants to become it.
    pub heartbeat_timeout: Duration,
    /// How much longer it waits at most, chosen by chance, so that not all want it at the same time.
    pub election_timeout: Duration,
    /// Writes that are sent to a replica at once.
    pub max_append_entries: u64,
    /// Writes that are kept in the log although a snapshot has them, for replicas that were away for a moment.
    pub trailing_logs: u64,
    /// How often it is looked whether a snapshot is due.
    pub snapshot_interval: Duration,
    /// Writes since the last snapshot that make the next one due.
    pub snapshot_threshold: u64,
    /// Whether an executor that starts again keeps its state by itself, so that no snapshot is restored.
    pub no_snapshot_restore_on_start: bool,
    /// How long the answer to a write waits for the replicas that can be reached to have it, too.
    pub replicas_timeout: Duration,
}

impl Default for RaftOptions {
    fn default() -> Self {
        Self {
            heartbeat_timeout: Duration::from_secs(1),
            election_timeout: Duration::from_secs(1),
            max_append_entries: 64,
            trailing_logs: 10_240,
            snapshot_interval: Duration::from_secs(120),
            snapshot_threshold: 8192,
            no_snapshot_restore_on_start: false,
            replicas_timeout: Duration::from_secs(1),
        }
    }
}
