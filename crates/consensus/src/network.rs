//! The way to the other replicas.

mod heard;
mod transfer;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use call::{Deadline, Payload};
use executor_client::{Direct, Failure};
use futures_util::stream;
use http::uri::PathAndQuery;
use openraft::error::{
    Fatal, InstallSnapshotError, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError,
    Unreachable,
};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, EmptyNode, OptionalSend, Snapshot, SnapshotMeta, Vote};
use prost::Message as _;
use proto::consensus::{Packed, Piece};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio_util::task::TaskTracker;

pub(crate) use self::heard::Heard;
use self::transfer::Transfers;
use crate::types::{NodeId, Types, WriteId};
use crate::wire::{pack, unpack};

/// Bytes of a snapshot in one message.
const PIECE: usize = 1 << 20;
/// How long a replica may take for a snapshot as a whole, which its executor must read.
const INSTALL: Duration = Duration::from_secs(600);

pub(crate) type Peers = Arc<BTreeMap<NodeId, Direct>>;

/// Calls the other replicas.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) peers: Peers,
    pub(crate) heard: Arc<Heard>,
    pub(crate) tasks: TaskTracker,
}

/// Calls one replica.
#[derive(Debug)]
pub(crate) struct Link {
    /// `None` for one that the configuration does not know.
    peer: Option<Direct>,
    /// Entries that are on their way for longer than the library waits.
    transfers: Transfers,
}

/// What a snapshot is, before its pieces.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotHead {
    pub(crate) vote: Vote<NodeId>,
    pub(crate) meta: SnapshotMeta<NodeId, EmptyNode>,
    pub(crate) recent: Arc<Vec<WriteId>>,
    /// Bytes of the file.
    pub(crate) size: u64,
}

type CallError<E> = RPCError<NodeId, EmptyNode, RaftError<NodeId, E>>;

impl RaftNetworkFactory<Types> for Network {
    type Network = Link;

    async fn new_client(&mut self, target: NodeId, _: &EmptyNode) -> Link {
        let heard = self.heard.clone();
        let heard: Box<dyn Fn() + Send + Sync> = Box::new(move || heard.note(target));
        Link { peer: self.peers.get(&target).cloned(), transfers: Transfers::new(self.tasks.clone(), heard) }
    }
}

impl Link {
    fn peer(&self) -> Result<&Direct, NetworkError> {
        let unknown = || NetworkError::new(&io::Error::other("the configuration names no such replica"));
        self.peer.as_ref().ok_or_else(unknown)
    }
}

impl RaftNetwork<Types> for Link {
    /// The library waits for an answer no longer than until the next sign of life. What is larger than that goes on
    /// being sent: the same entries, asked for again, are those that are on their way.
    async fn append_entries(
        &mut self,
        entries: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<NodeId>, CallError<openraft::error::Infallible>> {
        let peer = self.peer().map_err(RPCError::Network)?.clone();
        self.transfers.append(&peer, entries, option.hard_ttl()).await
    }

    async fn install_snapshot(
        &mut self,
        _: InstallSnapshotRequest<Types>,
        _: RPCOption,
    ) -> Result<InstallSnapshotResponse<NodeId>, CallError<InstallSnapshotError>> {
        let unused = io::Error::other("snapshots are sent as a whole");
        Err(RPCError::Network(NetworkError::new(&unused)))
    }

    async fn vote(
        &mut self,
        vote: VoteRequest<NodeId>,
        option: RPCOption,
    ) -> Result<VoteResponse<NodeId>, CallError<openraft::error::Infallible>> {
        let peer = self.peer().map_err(RPCError::Network)?;
        let deadline = Deadline::after(option.hard_ttl());
        let answered = ask(peer, "/flowgate.consensus.Replica/vote", &vote, deadline).await;
        if answered.is_ok() {
            (self.transfers.heard)();
        }
        answered
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote<NodeId>,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal<NodeId>>> {
        let peer = self.peer().map_err(StreamingError::Network)?;
        let Snapshot { meta, snapshot } = snapshot;
        let file = tokio::fs::File::open(&snapshot.path).await.map_err(|error| NetworkError::new(&error))?;
        let size = file.metadata().await.map_err(|error| NetworkError::new(&error))?.len();
        let head = SnapshotHead { vote, meta, recent: snapshot.recent.clone(), size };
        let head = pack(&head).map_err(|error| NetworkError::new(&error))?;
        let path = PathAndQuery::from_static("/flowgate.consensus.Replica/install");
        let sent = peer.send(path, Deadline::after(INSTALL), pieces(head.into(), file));
        tokio::select! {
            closed = cancel => Err(closed.into()),
            sent = sent => {
                let wire = sent.map_err(|failure| NetworkError::new(&Called(failure)))?;
                let answered: Result<SnapshotResponse<NodeId>, String> =
                    read(wire).map_err(|error| NetworkError::new(&error))?;
                answered.map_err(|why| NetworkError::new(&io::Error::other(why)).into())
            }
        }
    }
}

/// A snapshot piece by piece. If it cannot be read any more it ends early, which the other side finds out.
fn pieces(head: Bytes, file: tokio::fs::File) -> impl futures_util::Stream<Item = Payload> {
    let first = Piece { head, content: Bytes::new() };
    stream::unfold((Some(first), file), |(first, mut file)| async move {
        let piece = match first {
            Some(first) => first,
            None => {
                let mut content = vec![0; PIECE];
                let len = file.read(&mut content).await.ok().filter(|len| *len > 0)?;
                content.truncate(len);
                Piece { head: Bytes::new(), content: content.into() }
            }
        };
        Some((Payload::from(Bytes::from(piece.encode_to_vec())), (None, file)))
    })
}

/// Asks a replica something, in the library's words.
async fn ask<A, T, E>(
    peer: &Direct,
    path: &'static str,
    message: &A,
    deadline: Deadline,
) -> Result<T, CallError<E>>
where
    A: Serialize,
    T: DeserializeOwned,
    E: std::error::Error + DeserializeOwned,
{
    let message = pack(message).map_err(|error| RPCError::Network(NetworkError::new(&error)))?;
    let message = Packed { message: message.into() }.encode_to_vec();
    let path = PathAndQuery::from_static(path);
    let wire = peer.call(path, deadline, Bytes::from(message).into()).await;
    let wire = wire.map_err(|failure| match failure {
        Failure::Connect(_) | Failure::Unresolved { .. } => {
            RPCError::Unreachable(Unreachable::new(&Called(failure)))
        }
        Failure::TimedOut { .. } | Failure::Call(_) | Failure::Malformed(_) => {
            RPCError::Network(NetworkError::new(&Called(failure)))
        }
    })?;
    let answered: Result<T, String> =
        read(wire).map_err(|error| RPCError::Network(NetworkError::new(&error)))?;
    // The other side stopped at an error of its own, which may pass.
    answered.map_err(|why| RPCError::Unreachable(Unreachable::new(&io::Error::other(why))))
}

fn read<T: DeserializeOwned>(wire: Payload) -> Result<T, AnyError> {
    let packed = Packed::decode(wire.into_bytes()).map_err(|error| AnyError::new(&error))?;
    unpack(&packed.message).map_err(|error| AnyError::new(&error))
}

/// Why a call failed, as an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Called(Failure);
