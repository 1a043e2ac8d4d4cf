//! The leader's part: writes become entries of the log, several at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::error::{ClientWriteError, RaftError};
use prost::Message as _;
use proto::consensus::{Batch, Write};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::Shared;
use crate::WriteError;
use crate::types::{Answer, Entered, WriteId};

/// Entries on their way at the same time; writes that come meanwhile share the next one.
const UNDER_WAY: usize = 4;
/// Writes in one entry.
const AT_ONCE: usize = 256;
/// Bytes of writes in one entry; one write may be larger.
const BYTES: usize = 4 << 20;

/// A write that waits to be entered.
#[derive(Debug)]
pub(super) struct Proposal {
    id: WriteId,
    request: Bytes,
    tell: oneshot::Sender<Ended>,
}

/// What became of it.
#[derive(Debug)]
enum Ended {
    Made { answer: Answer, index: u64 },
    NotTheLeader,
    Stopping,
}

/// What came of asking this replica to lead a write.
#[derive(Debug)]
pub(crate) enum Proposed {
    /// It was made.
    Made {
        /// The executor's answer.
        answer: Bytes,
        /// The entry that it is in.
        index: u64,
    },
    /// Another one leads, or none; whether it will be made is not known.
    NotTheLeader,
}

impl Shared {
    /// Enters a write as the leader, waits for a majority to have it, and for the replicas that can be reached to have
    /// made it.
    pub(crate) async fn lead(&self, id: WriteId, request: Bytes) -> Result<Proposed, WriteError> {
        let (patience, replicas) = (self.settings.patience(), self.numbers().len());
        let waited = self.heard.silence();
        if waited > patience {
            return Err(WriteError::NoLeader { replicas, waited });
        }
        let (tell, told) = oneshot::channel();
        self.proposals.try_send(Proposal { id, request, tell }).map_err(|error| match error {
            TrySendError::Full(_) => WriteError::Overloaded { waiting: self.settings.max_waiting },
            TrySendError::Closed(_) => WriteError::Stopping,
        })?;
        let ended = tokio::select! {
            ended = told => ended.unwrap_or(Ended::Stopping),
            waited = self.majority_is_lost() => {
                return Err(WriteError::NoMajority { replicas, waited });
            }
        };
        let (answer, index) = match ended {
            Ended::Made { answer, index } => (answer, index),
            Ended::NotTheLeader => return Ok(Proposed::NotTheLeader),
            Ended::Stopping => return Err(WriteError::Stopping),
        };
        let answer = match answer {
            Answer::Given(answer) => answer,
            Answer::Forgotten => return Err(WriteError::AnswerLost),
            Answer::Fatal => return Err(WriteError::Fatal),
        };
        let all = futures_util::future::join_all(self.followers.values().map(|follower| follower.has(index)));
        // Those that are late will have it later.
        let _late = tokio::time::timeout(self.settings.replicas_timeout, all).await;
        Ok(Proposed::Made { answer, index })
    }

    /// Returns when no majority has answered for too long, and for how long that was.
    async fn majority_is_lost(&self) -> Duration {
        let patience = self.settings.patience();
        let pause = self.settings.heartbeat_interval().max(Duration::from_millis(10));
        loop {
            tokio::time::sleep(pause).await;
            let silence = self.heard.silence();
            if silence > patience {
                return silence;
            }
        }
    }

    /// Enters what is proposed.
    pub(super) fn propose_until_stop(&self, mut proposed: mpsc::Receiver<Proposal>) {
        let raft = self.raft.clone();
        self.spawn_until_stop(async move {
            let places = Arc::new(Semaphore::new(UNDER_WAY));
            let mut under_way = JoinSet::new();
            while let Some(first) = proposed.recv().await {
                let Ok(place) = places.clone().acquire_owned().await else { return };
                while under_way.try_join_next().is_some() {}
                let proposals = gather(first, &mut proposed);
                let raft = raft.clone();
                under_way.spawn(async move {
                    let _place = place;
                    enter(&raft, proposals).await;
                });
            }
        });
    }
}

/// What waits, as far as it goes into one entry.
fn gather(first: Proposal, proposed: &mut mpsc::Receiver<Proposal>) -> Vec<Proposal> {
    let mut bytes = first.request.len();
    let mut proposals = vec![first];
    while proposals.len() < AT_ONCE && bytes < BYTES {
        let Ok(next) = proposed.try_recv() else { break };
        bytes += next.request.len();
        proposals.push(next);
    }
    proposals
}

async fn enter(raft: &crate::types::Raft, proposals: Vec<Proposal>) {
    // Nobody waits for these any more.
    let wanted = proposals.into_iter().filter(|proposal| !proposal.tell.is_closed());
    let (writes, tell): (Vec<_>, Vec<_>) = wanted
        .map(|Proposal { id, request, tell }| {
            (Write { id: Bytes::copy_from_slice(&id.to_be_bytes()), request }, tell)
        })
        .unzip();
    if writes.is_empty() {
        return;
    }
    let entered = Entered(Some(Batch { writes }.encode_to_vec().into()));
    match raft.client_write(entered).await {
        Ok(made) => {
            let index = made.log_id.index;
            for (tell, answer) in tell.into_iter().zip(made.data.0) {
                // Who asked may have left.
                let _left = tell.send(Ended::Made { answer, index });
            }
        }
        Err(error) => {
            let is_elsewhere = matches!(error, RaftError::APIError(ClientWriteError::ForwardToLeader(_)));
            for tell in tell {
                let _left = tell.send(if is_elsewhere { Ended::NotTheLeader } else { Ended::Stopping });
            }
        }
    }
}
