//! One executor, as one worker sees it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use call::Deadline;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::balance::Choice;
use crate::error::Failure;
use crate::executor::{Executor, Members};
use crate::link::{Link, Worker};
use crate::probe;
use crate::replica::Replica;

/// One executor, as one worker sees it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) executor: Arc<Executor>,
    pub(crate) worker: Arc<Worker>,
    links: ArcSwap<Vec<Arc<Link>>>,
    /// Tells that `links` are others.
    changed: Notify,
}

impl Node {
    /// Connects to the replicas that are known.
    pub(crate) fn new(executor: Arc<Executor>, worker: Arc<Worker>) -> Self {
        let node = Self { executor, worker, links: ArcSwap::default(), changed: Notify::new() };
        let members = node.executor.members.borrow().clone();
        node.set(&members);
        node
    }

    /// Follows the replicas until the process stops.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut members = self.executor.members.subscribe();
        loop {
            let now = members.borrow_and_update().clone();
            self.set(&now);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = members.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Connects to those that are new and lets go of those that have left.
    fn set(&self, members: &Members) {
        let before = self.links.load_full();
        let known = |replica: &Arc<Replica>| before.iter().find(|link| Arc::ptr_eq(&link.replica, replica));
        let links =
            members.iter().map(|replica| known(replica).cloned().unwrap_or_else(|| self.link(replica)));
        self.links.store(Arc::new(links.collect()));
        self.changed.notify_waiters();
        for link in before.iter() {
            if !members.iter().any(|replica| Arc::ptr_eq(&link.replica, replica)) {
                link.gone.cancel();
            }
        }
    }

    fn link(&self, replica: &Arc<Replica>) -> Arc<Link> {
        let link = Link::new(self.executor.clone(), replica.clone(), self.worker.clone());
        link.keep(0);
        if self.worker.control {
            self.worker.tasks.spawn_on(probe::watch(link.clone()), &self.worker.runtime);
        }
        link
    }

    /// How many replicas there are.
    pub(crate) fn n_replicas(&self) -> usize {
        self.links.load().len()
    }

    /// How many replicas are connected, and by how many connections.
    #[cfg(test)]
    pub(crate) fn n_open(&self) -> (usize, usize) {
        let links = self.links.load();
        (links.iter().filter(|link| link.is_open()).count(), links.iter().map(|link| link.n_open()).sum())
    }

    /// The connections to one replica.
    pub(crate) fn link_to(&self, replica: &Arc<Replica>) -> Option<Arc<Link>> {
        self.links.load().iter().find(|link| Arc::ptr_eq(&link.replica, replica)).cloned()
    }

    /// Chooses a replica. `failed` says how often a call has failed there already, `None` that there is no
    /// use in trying again.
    pub(crate) fn choose(&self, failed: impl Fn(&Arc<Replica>) -> Option<usize>) -> Option<Arc<Link>> {
        let links = self.links.load();
        let choice = Choice {
            n: links.len(),
            rank: |n: usize| failed(&links[n].replica).map(|failures| rank(&links[n], failures)),
            load: |n: usize| links[n].replica.load(),
        };
        // Control calls take no turns from the others.
        let turn = if self.worker.control { 0 } else { self.executor.turn() };
        let index = choice.choose(self.worker.settings.balance, turn)?;
        Some(links[index].clone())
    }

    /// Waits until there is a replica to choose, which is not before a name was resolved.
    pub(crate) async fn populated(&self, deadline: Deadline) -> Result<(), Failure> {
        let mut resolutions = self.executor.resolutions.subscribe();
        let populated = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.n_replicas() > 0 {
                    return Ok(());
                }
                self.executor.resolve_now.notify_one();
                tokio::select! {
                    () = changed => {}
                    _ = resolutions.changed() => {
                        if self.executor.members.borrow().is_empty() {
                            return Err(self.unresolved());
                        }
                    }
                }
            }
        };
        let deadline = deadline.min(Deadline::after(self.worker.settings.resolve_timeout));
        deadline.bound(populated).await.unwrap_or_else(|| Err(self.unresolved()))
    }

    fn unresolved(&self) -> Failure {
        let reasons = self.executor.unresolved();
        let reasons: Vec<_> = reasons.iter().flatten().map(String::as_str).collect();
        let reason =
            if reasons.is_empty() { "no address is known yet".to_owned() } else { reasons.join(", ") };
        Failure::Unresolved { reason }
    }
}

/// The lower, the better. Replicas that cannot be connected to come last, then it counts how often the call
/// has failed there, then what is known of the replica.
fn rank(link: &Link, failures: usize) -> usize {
    const FAILING: usize = 1 << 20;
    let health = match (link.is_open(), link.replica.is_out()) {
        (true, false) => 0,
        (false, false) => 1,
        (true, true) => 2,
        (false, true) => 3,
    };
    let failing = if link.is_failing() { FAILING } else { 0 };
    failing + failures * 4 + health
}
