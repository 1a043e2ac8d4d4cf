//! What the consensus library calls things by.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use openraft::{EmptyNode, LogId, StoredMembership};
use serde::{Deserialize, Serialize};

/// The number of a replica.
pub(crate) type NodeId = u64;

openraft::declare_raft_types!(
    /// The types of the log and of what is made of it.
    pub(crate) Types:
        D = Entered,
        R = Answers,
        NodeId = NodeId,
        Node = EmptyNode,
        SnapshotData = SnapshotFile,
);

pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type Index = LogId<NodeId>;
pub(crate) type Membership = StoredMembership<NodeId, EmptyNode>;
pub(crate) type StorageError = openraft::StorageError<NodeId>;

/// The writes of an entry: an encoded `Batch`, or nothing if they are to be looked up in the log, which may be much
/// larger than the memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entered(pub(crate) Option<Bytes>);

/// What became of the writes of an entry, one answer for each; none for entries without writes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Answers(pub(crate) Vec<Answer>);

/// What became of a write.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The executor's answer.
    Given(Bytes),
    /// It was made before, and what was answered then is not known any more.
    Forgotten,
    /// The process of the executor's code was lost over it, again and again.
    Fatal,
}

/// The state of the executor as a whole.
#[derive(Debug)]
pub(crate) struct SnapshotFile {
    /// What the executor wrote.
    pub(crate) path: PathBuf,
    /// Names of the last writes in it.
    pub(crate) recent: Arc<Vec<WriteId>>,
}

/// What a write is known by if it is sent again.
pub(crate) type WriteId = u128;
