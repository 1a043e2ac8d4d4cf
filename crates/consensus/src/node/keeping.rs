//! What a replica does by itself: founding, following the configuration, snapshots, and telling how it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use call::Deadline;
use executor_client::Direct;
use http::uri::PathAndQuery;
use openraft::{ChangeMembers, ServerState};
use prost::Message as _;
use proto::consensus::{Empty, State};
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::Shared;
use crate::executor::NotKept;
use crate::types::NodeId;

/// Between two looks at what is not told.
const PAUSE: Duration = Duration::from_millis(200);
/// How long another replica may take to say how far it is.
const ASK: Duration = Duration::from_secs(2);
/// How often it is said that somebody is missing.
const REMIND: Duration = Duration::from_secs(10);
/// How long changing who the replicas are may take.
const CHANGE: Duration = Duration::from_secs(30);

impl Shared {
    pub(super) fn keep_until_stop(self: &Arc<Self>) {
        self.spawn_until_stop(self.clone().found());
        self.spawn_until_stop(self.clone().tell());
        self.spawn_until_stop(self.clone().catch_up());
        self.spawn_until_stop(self.clone().follow_configuration());
        self.spawn_until_stop(self.clone().keep_snapshots());
    }

    /// Begins the log, if no replica has one. The first replica does that, and only once it has heard of all others that
    /// they have none: one of them may know of a cluster that this one has forgotten.
    async fn found(self: Arc<Self>) {
        let is_founded = self.raft.is_initialized().await;
        if is_founded.unwrap_or(true) || self.me() != 0 {
            return;
        }
        let mut reminded = Instant::now();
        loop {
            let states = self.peers.values().map(ask);
            let states = futures_util::future::join_all(states).await;
            if states.iter().flatten().any(|state| state.begun) {
                info!("the other replicas have a log: it is taken from them");
                return;
            }
            if states.iter().all(Option::is_some) {
                match self.raft.initialize(self.numbers()).await {
                    Ok(()) => info!(replicas = self.numbers().len(), "the log of the replicas begins"),
                    Err(error) => warn!(%error, "the log of the replicas was begun by another one"),
                }
                return;
            }
            if reminded.elapsed() > REMIND {
                reminded = Instant::now();
                let silent = self.peers.values().zip(&states).filter(|(_, state)| state.is_none());
                let silent: Vec<_> = silent.map(|(peer, _)| peer.address().to_string()).collect();
                warn!(?silent, "replicas are missing; their log begins when all are there");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says who leads, and that consensus has failed.
    async fn tell(self: Arc<Self>) {
        let mut metrics = self.raft.metrics();
        let mut known = None;
        loop {
            let (leader, state) = {
                let metrics = metrics.borrow_and_update();
                (metrics.current_leader, metrics.running_state.clone())
            };
            if let Err(fatal) = state {
                error!(%fatal, "consensus cannot go on; the replica ends");
                self.failed.cancel();
                return;
            }
            if leader != known
                && let Some(leader) = leader
            {
                info!(leader, this = leader == self.me(), "a replica leads");
                known = Some(leader);
            }
            if metrics.changed().await.is_err() {
                error!("consensus has ended; the replica ends");
                self.failed.cancel();
                return;
            }
        }
    }

    /// Keeps `is_ready`: the executor has everything that the leader had when it was asked, and has not lost it.
    async fn catch_up(self: Arc<Self>) {
        while !self.has_caught_up().await {
            tokio::time::sleep(PAUSE / 4).await;
        }
        info!(entries = *self.next().borrow(), "the replica has what the others have");
        self.is_ready.send_replace(true);
        loop {
            let known = self.machine.generation().await;
            if !self.executor.revived(known).await {
                return;
            }
            self.is_ready.send_replace(false);
            if let Err(error) = self.machine.recover().await {
                error!(%error, "the executor cannot be brought to its state again; the replica ends");
                self.failed.cancel();
                return;
            }
            self.is_ready.send_replace(true);
        }
    }

    async fn has_caught_up(&self) -> bool {
        let leader = self.raft.metrics().borrow().current_leader;
        match leader {
            None => false,
            Some(leader) if leader == self.me() => {
                let sure = tokio::time::timeout(ASK, self.raft.ensure_linearizable()).await;
                sure.is_ok_and(|sure| sure.is_ok())
            }
            Some(leader) => {
                let Some(state) = (match self.peers.get(&leader) {
                    Some(peer) => ask(peer).await,
                    None => None,
                }) else {
                    return false;
                };
                let mut next = self.next();
                let made = next.wait_for(|next| *next >= state.next);
                tokio::time::timeout(ASK, made).await.is_ok_and(|made| made.is_ok())
            }
        }
    }

    /// Makes those the replicas that the configuration names. The leader does that.
    async fn follow_configuration(self: Arc<Self>) {
        let wanted = self.numbers();
        loop {
            tokio::time::sleep(PAUSE * 5).await;
            let (leads, voters) = {
                let metrics = self.raft.metrics();
                let metrics = metrics.borrow();
                let voters: BTreeSet<NodeId> = metrics.membership_config.membership().voter_ids().collect();
                (metrics.state == ServerState::Leader, voters)
            };
            if !leads || voters.is_empty() || voters == wanted {
                continue;
            }
            info!(?voters, ?wanted, "the replicas become those that are configured");
            match tokio::time::timeout(CHANGE, self.change(&voters, &wanted)).await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => warn!(why, "the replicas could not be changed"),
                Err(_) => warn!("changing the replicas takes long; the new ones may be missing"),
            }
        }
    }

    async fn change(&self, voters: &BTreeSet<NodeId>, wanted: &BTreeSet<NodeId>) -> Result<(), String> {
        let raft = &self.raft;
        for new in wanted.difference(voters) {
            raft.add_learner(*new, openraft::EmptyNode {}, true).await.map_err(|error| error.to_string())?;
        }
        let change = ChangeMembers::ReplaceAllVoters(wanted.clone());
        raft.change_membership(change, false).await.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Has the executor write its state now and then, so that the log does not grow for ever.
    async fn keep_snapshots(self: Arc<Self>) {
        let settings = &self.settings;
        let mut interval = tokio::time::interval(settings.snapshot_interval);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            match self.machine.since_snapshot().await {
                Ok(entries) if entries < settings.snapshot_threshold => continue,
                Ok(entries) => info!(entries, "the executor is asked for its state"),
                Err(error) => {
                    warn!(%error, "the snapshots cannot be read");
                    continue;
                }
            }
            match self.machine.keep().await {
                // The log gets shorter by what is in it.
                Ok(()) => {
                    if let Err(error) = self.raft.trigger().snapshot().await {
                        warn!(%error, "a snapshot was made that the log does not know of");
                    }
                }
                Err(NotKept::Unsupported(why)) => {
                    warn!(why, "the log of writes grows without end: the executor cannot write its state");
                    return;
                }
                Err(NotKept::Failed(why)) => warn!(why, "the executor did not write its state"),
            }
        }
    }
}

/// Asks another replica how far it is.
async fn ask(peer: &Direct) -> Option<State> {
    let path = PathAndQuery::from_static("/flowgate.consensus.Replica/state");
    let asked = Bytes::from(Empty {}.encode_to_vec());
    let wire = peer.call(path, Deadline::after(ASK), asked.into()).await.ok()?;
    State::decode(wire.into_bytes()).ok()
}
