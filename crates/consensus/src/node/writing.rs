//! The way of a write from the replica that was asked to the one that leads.

use std::time::Duration;

use bytes::Bytes;
use call::{Deadline, ErrorCode};
use executor_client::{Direct, Failure};
use http::uri::PathAndQuery;
use prost::Message as _;
use proto::consensus::{Request, Write, Written};
use tokio::time::Instant;
use tonic::Code;

use super::{Node, Proposed, Shared};
use crate::WriteError;
use crate::service::NOT_THE_LEADER;
use crate::types::WriteId;

/// Before the next try.
const PAUSE: Duration = Duration::from_millis(20);

/// How far a write came.
enum Tried {
    Made {
        answer: Bytes,
        index: u64,
    },
    /// It has not reached the leader.
    NotSent,
    /// It may have.
    Unknown,
}

impl Node {
    /// Has a write made on all replicas, whichever leads, and returns its answer. It is made once, even if the leader is
    /// lost meanwhile. When this returns, this replica has made it, and so have the others that can be reached, unless
    /// they are too slow.
    ///
    /// Cancel-safe in so far that a write that was begun may be made although nobody waits for it.
    ///
    /// # Errors
    ///
    /// If there is no leader, or no majority behind it, for too long, or the deadline passes.
    pub async fn write(&self, request: &Request, deadline: Deadline) -> Result<Bytes, WriteError> {
        let request = Bytes::from(request.encode_to_vec());
        let id = uuid::Uuid::new_v4().as_u128();
        let written = deadline.bound(self.shared.try_until_made(id, request, deadline)).await;
        let (answer, index) = written.unwrap_or(Err(WriteError::TooLate))?;
        let mut next = self.next();
        let made = deadline.min(Deadline::after(self.shared.settings.replicas_timeout));
        // A replica that is behind will have it later.
        let _late = made.bound(next.wait_for(|next| *next > index)).await;
        Ok(answer)
    }
}

impl Shared {
    async fn try_until_made(
        &self,
        id: WriteId,
        request: Bytes,
        deadline: Deadline,
    ) -> Result<(Bytes, u64), WriteError> {
        let (begun, mut was_sent) = (Instant::now(), false);
        let mut metrics = self.raft.metrics();
        loop {
            let leader = metrics.borrow_and_update().current_leader;
            let tried = match leader {
                Some(leader) if leader == self.me() => match self.lead(id, request.clone()).await? {
                    Proposed::Made { answer, index } => Tried::Made { answer, index },
                    Proposed::NotTheLeader => Tried::Unknown,
                },
                Some(leader) => match self.peers.get(&leader) {
                    Some(peer) => hand_over(peer, id, request.clone(), deadline).await?,
                    None => Tried::NotSent,
                },
                None => Tried::NotSent,
            };
            match tried {
                Tried::Made { answer, index } => return Ok((answer, index)),
                Tried::Unknown => was_sent = true,
                Tried::NotSent => {}
            }
            let (waited, replicas) = (begun.elapsed(), self.numbers().len());
            if waited > self.settings.patience() {
                return Err(if was_sent {
                    WriteError::NoMajority { replicas, waited }
                } else {
                    WriteError::NoLeader { replicas, waited }
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Sends a write to the leader.
async fn hand_over(
    leader: &Direct,
    id: WriteId,
    request: Bytes,
    deadline: Deadline,
) -> Result<Tried, WriteError> {
    if !leader.is_connected() {
        return Ok(Tried::NotSent);
    }
    let write = Write { id: Bytes::copy_from_slice(&id.to_be_bytes()), request };
    let path = PathAndQuery::from_static("/flowgate.consensus.Replica/write");
    let failure = match leader.call(path, deadline, Bytes::from(write.encode_to_vec()).into()).await {
        Ok(wire) => {
            let made = Written::decode(wire.into_bytes());
            return Ok(made.map_or(Tried::Unknown, |Written { answer, index }| Tried::Made { answer, index }));
        }
        Err(failure) => failure,
    };
    let refused = |code| match &failure {
        Failure::Call(grpc_error) => Err(WriteError::Refused(grpc_error.to_string().into(), code)),
        other => Err(WriteError::Refused(other.to_string().into(), code)),
    };
    match failure.code() {
        Code::DeadlineExceeded => refused(ErrorCode::DeadlineExceeded),
        Code::ResourceExhausted => refused(ErrorCode::Overloaded),
        Code::Internal => refused(ErrorCode::Internal),
        code if code == NOT_THE_LEADER => Ok(Tried::Unknown),
        _ => match failure {
            Failure::Connect(_) | Failure::Unresolved { .. } => Ok(Tried::NotSent),
            Failure::TimedOut { .. } | Failure::Call(_) | Failure::Malformed(_) => Ok(Tried::Unknown),
        },
    }
}
