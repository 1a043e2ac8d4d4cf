//! Dynamic batching: documents of several requests in one call of the executor's code.
//!
//! There is one batcher for each endpoint in the process, whatever thread the requests come in on. Requests with equal
//! parameters share a queue, and a queue has a task only while something is in it: the task waits until a batch is due
//! ([`queue`]), then for a place among the calls that run, and only then takes the batch, so that whatever comes while
//! the executor is busy goes along. [`ticket`] is where the documents of a request come together again.

mod attempt;
mod grouping;
mod queue;
mod settings;
mod stats;
mod ticket;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytestring::ByteString;
use call::{Error, ErrorCode, Parameters};
use docarray::node;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use self::queue::{Due, Queue, Share, Waiting, Weighed};
use self::stats::Observer;
use self::ticket::Ticket;
use crate::calls::{Calls, Cut};
use crate::endpoint::Bound;
use crate::{Failure, Invocation, Outcome};

pub use self::settings::{Authored, Batching, Check, Weigh};
pub(crate) use self::settings::{Rule, rules};
pub use self::stats::{BatchStats, Distribution};

/// Gathers the calls of one endpoint.
pub(crate) struct Batcher {
    pub(crate) endpoint: ByteString,
    pub(crate) bound: Arc<Bound>,
    pub(crate) rule: Rule,
    pub(crate) calls: Arc<Calls>,
    pub(crate) meta_name: Arc<str>,
    pub(crate) max_waiting: usize,
    /// Cancelled when the process ends: nothing waits for company any more.
    pub(crate) ending: CancellationToken,
    pub(crate) state: State,
}

/// What changes.
#[derive(Default)]
pub(crate) struct State {
    /// By what `grouping` makes of the parameters. A group is here as long as its task runs.
    groups: Mutex<HashMap<String, Group>>,
    waiting: Arc<AtomicUsize>,
    observer: Observer,
    /// How long a call typically takes, in nanoseconds; 0 as long as nothing is known.
    typical: AtomicU64,
}

/// Requests with equal parameters.
struct Group {
    queue: Queue,
    parameters: Parameters,
    changed: Arc<Notify>,
}

/// Too many wait already.
#[derive(Debug, thiserror::Error)]
#[error("too many requests wait for their batch: the limit is {limit}")]
struct Full {
    limit: usize,
}

impl Batcher {
    pub(crate) fn stats(&self) -> BatchStats {
        self.state.observer.stats()
    }

    /// Answers one request, its documents in whatever calls. Dropping it takes them out of the queue.
    ///
    /// The outer error is ours, the inner one the code's.
    pub(crate) async fn call(
        self: &Arc<Self>,
        invocation: &Invocation,
    ) -> Result<Result<Outcome, Failure>, Error> {
        if let Some(cut) = self.calls.memory.refusal() {
            return Err(cut.into());
        }
        let read = self.documents(invocation).and_then(|docs| {
            let key = grouping::key(&invocation.parameters).map_err(|error| Failure::validation(&error))?;
            Ok((docs, key))
        });
        let (docs, key) = match read {
            Ok(read) => read,
            Err(failure) => return Ok(Err(failure)),
        };
        if docs.is_empty() {
            return Ok(Ok(Outcome::default()));
        }
        let (ticket, answer) = Ticket::new(&invocation.context, docs.len());
        self.push(key, &invocation.parameters, ticket, docs)?;
        // The sender is dropped only with the task that would have answered.
        let answer = answer.await.unwrap_or(Err(Cut::Closing))?;
        Ok(answer.map(|docs| Outcome { documents: Some(node::content(docs)), results: None }))
    }

    /// The documents of a request one by one.
    fn documents(&self, invocation: &Invocation) -> Result<Vec<Weighed>, Failure> {
        let weighed = |doc: Result<call::Payload, call::wire::Malformed>| {
            let doc = doc.map_err(|error| Failure::validation(&error))?;
            let weight = match self.rule.weigh {
                Some(weigh) => u64::try_from(weigh(doc.clone())?).unwrap_or(u64::MAX),
                None => 1,
            };
            Ok(Weighed { doc, weight })
        };
        node::items(invocation.received()).map(weighed).collect()
    }

    fn push(
        self: &Arc<Self>,
        key: String,
        parameters: &Parameters,
        ticket: Arc<Ticket>,
        docs: Vec<Weighed>,
    ) -> Result<(), Error> {
        let mut groups = self.groups();
        let waiting = Waiting::new(&self.state.waiting, self.max_waiting).or_else(|| {
            let purged: usize = groups.values_mut().map(|group| group.queue.purge()).sum();
            self.state.observer.note(|stats| stats.abandoned += purged as u64);
            Waiting::new(&self.state.waiting, self.max_waiting)
        });
        let Some(waiting) = waiting else {
            self.state.observer.note(|stats| stats.refused += 1);
            let full = Full { limit: self.max_waiting };
            return Err(Error::new(ErrorCode::Overloaded, full).with_retry_after(Duration::from_secs(1)));
        };
        let is_new = !groups.contains_key(&key);
        let group = groups.entry(key.clone()).or_insert_with(|| Group {
            queue: Queue::default(),
            parameters: parameters.clone(),
            changed: Arc::default(),
        });
        if group.queue.push(ticket, docs.into(), &self.rule, self.typical(), waiting) {
            group.changed.notify_one();
        }
        if is_new {
            let group = Registered { batcher: self.clone(), key, changed: group.changed.clone() };
            self.calls.tasks.spawn(group.drive().in_current_span());
        }
        Ok(())
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<String, Group>> {
        self.state.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn typical(&self) -> Duration {
        Duration::from_nanos(self.state.typical.load(Ordering::Relaxed))
    }

    /// Learns from a call that took so long.
    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let typical = self.state.typical.load(Ordering::Relaxed);
        let learned = if typical == 0 { took } else { typical - typical / 4 + took / 4 };
        // Another call may learn at the same time; either is good enough.
        self.state.typical.store(learned, Ordering::Relaxed);
    }
}

/// A group that is in the table. Dropping it takes the group out, with all that wait in it.
struct Registered {
    batcher: Arc<Batcher>,
    key: String,
    changed: Arc<Notify>,
}

impl Registered {
    /// Makes batches until nothing waits any more.
    async fn drive(self) {
        let Self { batcher, changed, .. } = &self;
        while let Some(due) = self.due() {
            if let Due::At(instant) = due {
                // Each of these may be asked again.
                tokio::select! {
                    () = batcher.ending.cancelled() => {}
                    () = changed.notified() => {}
                    () = tokio::time::sleep_until(instant) => {}
                }
                continue;
            }
            let Ok(place) = batcher.calls.enter_bounded_elsewhere(&batcher.bound.code).await else { return };
            let (shares, parameters) = self.take();
            if !shares.is_empty() {
                let run = batcher.clone().run(shares, parameters, place);
                batcher.calls.tasks.spawn(run.in_current_span());
            }
        }
    }

    /// When the next batch is due; `None` if nothing waits, and then the group is gone.
    fn due(&self) -> Option<Due> {
        let mut groups = self.batcher.groups();
        let group = groups.get_mut(&self.key)?;
        match group.queue.due(&self.batcher.rule, self.batcher.ending.is_cancelled()) {
            Due::Never => {
                groups.remove(&self.key);
                None
            }
            due => Some(due),
        }
    }

    fn take(&self) -> (Vec<Share>, Parameters) {
        let mut groups = self.batcher.groups();
        let Some(group) = groups.get_mut(&self.key) else { return (Vec::new(), Parameters::default()) };
        let (shares, unwanted) = group.queue.take(&self.batcher.rule);
        self.batcher.state.observer.note(|stats| stats.abandoned += unwanted as u64);
        (shares, group.parameters.clone())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut groups = self.batcher.groups();
        // After `due` removed it, another of the same key may be there.
        if groups.get(&self.key).is_some_and(|group| Arc::ptr_eq(&group.changed, &self.changed)) {
            groups.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
