//! What is kept consistent.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use proto::consensus::Request;

/// The executor behind a replica. Its state must come of its writes alone: it begins empty, or with what
/// [`Replicated::load`] gives it, and every replica makes the same writes in the same order, one after the other.
pub trait Replicated: Send + Sync + 'static {
    /// Makes a write and returns the answer, which may report a failure: that is an answer like any other.
    fn apply(&self, write: Request) -> BoxFuture<'_, Result<Bytes, Lost>>;

    /// Writes the state to a file that does not exist yet. No write is made meanwhile.
    fn save(&self, file: PathBuf) -> BoxFuture<'_, Result<(), NotKept>>;

    /// Takes the state from a file, which stays. No write is made meanwhile.
    fn load(&self, file: PathBuf) -> BoxFuture<'_, Result<(), NotKept>>;

    /// Counts how often the executor began anew, and empty, while this process went on.
    fn generation(&self) -> u64 {
        0
    }

    /// Returns when the executor is there and [`Replicated::generation`] is no longer `lost`; false if it never will be.
    fn revived(&self, lost: u64) -> BoxFuture<'_, bool> {
        let _ = lost;
        Box::pin(std::future::ready(false))
    }
}

/// The executor's state is gone, with the process that it was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the executor's process was lost")]
pub struct Lost;

/// The state could not be written or taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The executor cannot do such a thing at all.
    #[error("{0}")]
    Unsupported(String),
    /// It tried.
    #[error("{0}")]
    Failed(String),
}

impl fmt::Debug for dyn Replicated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replicated")
    }
}
