//! Entries on their way to a replica.

use std::time::Duration;

use call::Deadline;
use executor_client::Direct;
use openraft::error::{Infallible, NetworkError, RPCError};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{CallError, ask};
use crate::types::{Index, NodeId, Types};

const PATH: &str = "/flowgate.consensus.Replica/append";

/// How long entries may take that are large, or go to a slow disk.
const LONG: Duration = Duration::from_secs(60);

type Answered = Result<AppendEntriesResponse<NodeId>, CallError<Infallible>>;

/// Sends entries to one replica, one request at a time.
pub(super) struct Transfers {
    tasks: TaskTracker,
    /// Called at every answer.
    pub(super) heard: Box<dyn Fn() + Send + Sync>,
    /// The request that is on its way.
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    /// What is sent.
    key: Key,
    answer: JoinHandle<Answered>,
    /// Ends it when it is dropped.
    _stop: DropGuard,
}

/// What tells two requests apart: who sends them, and from where to where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    vote: openraft::Vote<NodeId>,
    before: Option<Index>,
    first: Option<Index>,
    last: Option<Index>,
}

impl Transfers {
    pub(super) const fn new(tasks: TaskTracker, heard: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { tasks, heard, under_way: None }
    }

    /// Sends `entries`, or goes on waiting for the answer if they are on their way. Cancel-safe.
    pub(super) async fn append(
        &mut self,
        peer: &Direct,
        entries: AppendEntriesRequest<Types>,
        allowed: Duration,
    ) -> Answered {
        if entries.entries.is_empty() {
            let answered = ask(peer, PATH, &entries, Deadline::after(allowed)).await;
            note(&self.heard, &answered);
            return answered;
        }
        let key = Key {
            vote: entries.vote,
            before: entries.prev_log_id,
            first: entries.entries.first().map(|entry| entry.log_id),
            last: entries.entries.last().map(|entry| entry.log_id),
        };
        let goes_on = self.under_way.as_ref().is_some_and(|under_way| under_way.key == key);
        let sign = AppendEntriesRequest::<Types> {
            vote: entries.vote,
            prev_log_id: None,
            entries: Vec::new(),
            leader_commit: None,
        };
        if !goes_on {
            self.under_way = Some(self.send(peer.clone(), key, entries));
        }
        let heard = &self.heard;
        let Some(under_way) = &mut self.under_way else {
            let lost = std::io::Error::other("nothing is on its way");
            return Err(RPCError::Network(NetworkError::new(&lost)));
        };
        let answered = if goes_on {
            // Who waits for large entries should not take the leader for gone.
            let living = async {
                let answered: Answered = ask(peer, PATH, &sign, Deadline::after(allowed)).await;
                note(heard, &answered);
            };
            tokio::join!(&mut under_way.answer, living).0
        } else {
            (&mut under_way.answer).await
        };
        self.under_way = None;
        match answered {
            Ok(answered) => {
                note(heard, &answered);
                answered
            }
            Err(lost) => Err(RPCError::Network(NetworkError::new(&lost))),
        }
    }

    fn send(&self, peer: Direct, key: Key, entries: AppendEntriesRequest<Types>) -> UnderWay {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let answer = self.tasks.spawn(async move {
            let sending = ask(&peer, PATH, &entries, Deadline::after(LONG));
            tokio::select! {
                () = stopped.cancelled() => {
                    let given_up = std::io::Error::other("something else is to be sent");
                    Err(RPCError::Network(NetworkError::new(&given_up)))
                }
                answered = sending => answered,
            }
        });
        UnderWay { key, answer, _stop: stop.drop_guard() }
    }
}

fn note(heard: &(dyn Fn() + Send + Sync), answered: &Answered) {
    if answered.is_ok() {
        heard();
    }
}

impl std::fmt::Debug for Transfers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfers").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}
