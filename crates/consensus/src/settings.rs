//! How replicas are kept consistent.

use std::path::PathBuf;
use std::time::Duration;

use executor_client::Address;

/// How replicas are kept consistent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The number of this replica, from 0.
    pub replica: u32,
    /// Where all replicas are, this one included, in the order of their numbers.
    pub peers: Vec<Address>,
    /// How the others are called.
    pub client: executor_client::Settings,
    /// Where log and snapshots are kept; made if it is not there.
    pub directory: PathBuf,
    /// A replica that hears nothing of the leader for this long wants to become it.
    pub heartbeat_timeout: Duration,
    /// How much longer it waits at most, chosen by chance.
    pub election_timeout: Duration,
    /// Entries of the log that are sent to a replica at once.
    pub max_append_entries: u64,
    /// Entries that are kept although a snapshot has them.
    pub trailing_logs: u64,
    /// How often it is looked whether a snapshot is due.
    pub snapshot_interval: Duration,
    /// Entries since the last snapshot that make the next one due.
    pub snapshot_threshold: u64,
    /// Whether an executor that starts again has the state of the last snapshot by itself.
    pub keeps_itself: bool,
    /// How long an answer waits for the replicas that can be reached to have made the write, too.
    pub replicas_timeout: Duration,
    /// Writes that wait to be entered into the log; more are refused.
    pub max_waiting: usize,
}

impl Settings {
    /// How often the leader gives a sign of life.
    pub(crate) fn heartbeat_interval(&self) -> Duration {
        (self.heartbeat_timeout / 10).max(Duration::from_millis(1))
    }

    /// How long a write waits for a leader, and for a majority, before it is refused.
    pub(crate) fn patience(&self) -> Duration {
        (self.heartbeat_timeout + self.election_timeout) * 5
    }

    /// For the library.
    pub(crate) fn raft(&self, name: String) -> Result<openraft::Config, Box<openraft::ConfigError>> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let shortest = millis(self.heartbeat_timeout).max(2);
        openraft::Config {
            cluster_name: name,
            heartbeat_interval: millis(self.heartbeat_interval()),
            election_timeout_min: shortest,
            election_timeout_max: shortest + millis(self.election_timeout).max(1),
            max_payload_entries: self.max_append_entries,
            max_in_snapshot_log_to_keep: self.trailing_logs,
            // When the executor is asked for one is decided here: it may refuse, which is no fault of the log.
            snapshot_policy: openraft::SnapshotPolicy::Never,
            ..openraft::Config::default()
        }
        .validate()
        .map_err(Box::new)
    }
}
