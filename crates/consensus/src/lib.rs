//! Keeps the replicas of an executor consistent: every write goes into a log that a majority of them has, and each
//! makes what is in the log, in the same order.
//!
//! A [`Node`] is one replica. It is given an executor ([`Replicated`]) and the addresses of all replicas, takes writes
//! ([`Node::write`]) wherever they arrive, and answers the other replicas ([`Node::service`]) on the port that the
//! executor has anyway. The algorithm is Raft, as [`openraft`] has it; here are the log on disk, the snapshots, the way
//! between replicas, and when which of them does what.
//!
//! What Jina does: reference/executor.md §5.3.

mod error;
mod executor;
mod log;
mod machine;
mod network;
mod node;
mod service;
mod settings;
mod snapshots;
mod types;
mod wire;

pub use error::{StartError, WriteError};
pub use executor::{Lost, NotKept, Replicated};
pub use node::Node;
pub use settings::Settings;

#[cfg(test)]
mod tests;
