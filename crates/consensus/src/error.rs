//! What can go wrong.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use call::ErrorCode;

/// A replica cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its directory cannot be used.
    #[error("the directory {directory} of the replica's log cannot be used")]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the log is not one.
    #[error("{file} is not a log of this program; logs of Jina cannot be taken over: use another workspace")]
    Foreign {
        /// Which.
        file: PathBuf,
    },
    /// The log cannot be used.
    #[error("the log {file} cannot be opened")]
    Log {
        /// Which.
        file: PathBuf,
        /// Why.
        source: Box<redb::Error>,
    },
    /// Another process uses it.
    #[error("the log {file} is used by another process: each replica needs a number of its own")]
    InUse {
        /// Which.
        file: PathBuf,
    },
    /// The settings do not fit each other.
    #[error("the settings of consensus do not fit each other")]
    Settings(#[from] Box<openraft::ConfigError>),
    /// The others cannot be reached over TLS.
    #[error("replica {address} cannot be called")]
    Tls {
        /// Which.
        address: executor_client::Address,
        /// Why.
        source: executor_client::TlsError,
    },
    /// The library does not begin.
    #[error("consensus cannot begin: {0}")]
    Raft(String),
    /// The snapshot of the last time cannot be restored.
    #[error("the snapshot {file} cannot be restored: {why}")]
    Restore {
        /// Which.
        file: PathBuf,
        /// What the executor says.
        why: String,
    },
}

/// Why a write was not made, or not answered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// Nobody leads.
    #[error(
        "no leader was found among the {replicas} replicas within {waited:?}: a majority of them must reach each other"
    )]
    NoLeader {
        /// How many there are.
        replicas: usize,
        /// How long it was waited.
        waited: Duration,
    },
    /// The leader has no majority behind it.
    #[error(
        "no majority of the {replicas} replicas has confirmed the write within {waited:?}; it may still be made later"
    )]
    NoMajority {
        /// How many there are.
        replicas: usize,
        /// How long it was waited.
        waited: Duration,
    },
    /// The caller's time is over.
    #[error("the deadline passed before the write was confirmed; it may still be made")]
    TooLate,
    /// Too many wait.
    #[error("{waiting} writes wait already")]
    Overloaded {
        /// How many.
        waiting: usize,
    },
    /// It was made, and the answer is lost.
    #[error("the write was made, but the leader was lost before it answered")]
    AnswerLost,
    /// The executor's process did not survive it.
    #[error("the process of the executor was lost over this write, twice; it is left out from now on")]
    Fatal,
    /// The replica is being stopped.
    #[error("the replica is being stopped")]
    Stopping,
    /// The leader refused.
    #[error("{0}")]
    Refused(Arc<str>, ErrorCode),
}

impl WriteError {
    /// What the caller can do about it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            // Never begun: it may be tried elsewhere.
            Self::NoLeader { .. } | Self::Stopping => ErrorCode::Unavailable,
            // It may have been made, so nobody should just try it again.
            Self::NoMajority { .. } | Self::TooLate => ErrorCode::DeadlineExceeded,
            Self::Overloaded { .. } => ErrorCode::Overloaded,
            Self::AnswerLost | Self::Fatal => ErrorCode::Internal,
            Self::Refused(_, code) => *code,
        }
    }
}

impl From<WriteError> for call::Error {
    fn from(error: WriteError) -> Self {
        Self::new(error.code(), error)
    }
}
