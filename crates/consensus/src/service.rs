//! What the other replicas ask.

use std::io;
use std::time::Duration;

use call::ErrorCode;
use openraft::Vote;
use proto::consensus::replica_server::{Replica, ReplicaServer};
use proto::consensus::{Empty, Packed, Piece, Position, State, Write, Written};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::Node;
use crate::network::SnapshotHead;
use crate::node::Proposed;
use crate::snapshots::Head;
use crate::types::WriteId;
use crate::wire::{pack, unpack};

/// How long another replica may wait for a write to be made here.
const WAIT: Duration = Duration::from_secs(60);

/// How a replica that does not lead says so.
pub(crate) const NOT_THE_LEADER: Code = Code::Aborted;

impl Node {
    /// Answers the other replicas, beside what else the port answers.
    #[must_use]
    pub fn service(&self) -> ReplicaServer<impl Replica + use<>> {
        // Entries are as large as the requests that are in them, which were let in elsewhere.
        ReplicaServer::new(Answering(self.clone()))
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX)
    }
}

struct Answering(Node);

#[tonic::async_trait]
impl Replica for Answering {
    async fn append(&self, asked: Request<Packed>) -> Result<Response<Packed>, Status> {
        answered(&self.0.raft().append_entries(read(&asked.into_inner())?).await)
    }

    async fn vote(&self, asked: Request<Packed>) -> Result<Response<Packed>, Status> {
        answered(&self.0.raft().vote(read(&asked.into_inner())?).await)
    }

    async fn install(&self, asked: Request<Streaming<Piece>>) -> Result<Response<Packed>, Status> {
        let mut pieces = asked.into_inner();
        let first =
            pieces.message().await?.ok_or_else(|| Status::invalid_argument("no snapshot was sent"))?;
        let SnapshotHead { vote, meta, recent, size } = decoded(&first.head)?;
        // Who does not lead any more need not send it at all.
        if self.0.is_older(&vote) {
            return Err(Status::aborted("there is another leader"));
        }
        let unwritten = |error: io::Error| Status::internal(format!("a snapshot cannot be written: {error}"));
        let _alone = self.0.installing().await;
        let path = self.0.machine().receive().await.map_err(unwritten)?;
        let mut file = tokio::fs::File::create(&path).await.map_err(unwritten)?;
        let mut received = 0;
        while let Some(Piece { content, .. }) = pieces.message().await? {
            received += content.len() as u64;
            file.write_all(&content).await.map_err(unwritten)?;
        }
        file.flush().await.map_err(unwritten)?;
        if received != size {
            return Err(Status::data_loss(format!("{received} of {size} bytes of a snapshot were sent")));
        }
        let head = Head { last: meta.last_log_id, membership: meta.last_membership, recent };
        let snapshot = self.0.machine().received(&path, head).await.map_err(unwritten)?;
        answered(&self.0.raft().install_full_snapshot(vote, snapshot).await)
    }

    async fn write(&self, asked: Request<Write>) -> Result<Response<Written>, Status> {
        let Write { id, request } = asked.into_inner();
        let id = <[u8; 16]>::try_from(&*id).map(WriteId::from_be_bytes);
        let id = id.map_err(|_| Status::invalid_argument("the name of a write has 16 bytes"))?;
        match self.0.lead(id, request).await {
            Ok(Proposed::Made { answer, index }) => Ok(Response::new(Written { answer, index })),
            Ok(Proposed::NotTheLeader) => Err(Status::new(NOT_THE_LEADER, "this replica does not lead")),
            Err(error) => {
                let code = match error.code() {
                    // The one who asks would try again where nobody knows what became of it.
                    ErrorCode::Unavailable => Code::Unavailable,
                    ErrorCode::DeadlineExceeded => Code::DeadlineExceeded,
                    ErrorCode::Overloaded => Code::ResourceExhausted,
                    ErrorCode::InvalidRequest
                    | ErrorCode::NotFound
                    | ErrorCode::Unimplemented
                    | ErrorCode::Cancelled
                    | ErrorCode::Internal => Code::Internal,
                };
                Err(Status::new(code, error.to_string()))
            }
        }
    }

    async fn wait(&self, asked: Request<Position>) -> Result<Response<Position>, Status> {
        let Position { index } = asked.into_inner();
        let mut next = self.0.next();
        let made = tokio::time::timeout(WAIT, next.wait_for(|next| *next > index)).await;
        match made {
            Ok(Ok(next)) => Ok(Response::new(Position { index: next.saturating_sub(1) })),
            Ok(Err(_)) => Err(Status::unavailable("the replica is being stopped")),
            Err(_) => Err(Status::deadline_exceeded("the write has not been made here yet")),
        }
    }

    async fn state(&self, _: Request<Empty>) -> Result<Response<State>, Status> {
        let raft = self.0.raft();
        let begun = raft.is_initialized().await.map_err(|error| Status::unavailable(error.to_string()))?;
        if self.0.leads() {
            // A new leader may not have made yet what it knows to be decided.
            raft.ensure_linearizable().await.map_err(|error| Status::unavailable(error.to_string()))?;
        }
        Ok(Response::new(State { begun, next: *self.0.next().borrow() }))
    }
}

impl Node {
    /// Whether somebody has been voted for since.
    fn is_older(&self, vote: &Vote<u64>) -> bool {
        self.raft().metrics().borrow().vote > *vote
    }
}

fn read<T: DeserializeOwned>(asked: &Packed) -> Result<T, Status> {
    decoded(&asked.message)
}

fn decoded<T: DeserializeOwned>(wire: &[u8]) -> Result<T, Status> {
    unpack(wire)
        .map_err(|error| Status::invalid_argument(format!("this is no message of a replica: {error}")))
}

fn answered<T: Serialize, E: std::error::Error>(answer: &Result<T, E>) -> Result<Response<Packed>, Status> {
    let answer = answer.as_ref().map_err(|error| error.to_string());
    let message = pack(&answer).map_err(|error| Status::internal(error.to_string()))?;
    Ok(Response::new(Packed { message: message.into() }))
}
