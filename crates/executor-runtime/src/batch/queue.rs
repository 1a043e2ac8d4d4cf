//! Documents that wait to be called together: when they are due, and which go next. No task and no clock of its own.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use call::Payload;
use tokio::time::Instant;

use super::settings::Rule;
use super::ticket::Ticket;

/// Requests with equal parameters, in the order they came.
#[derive(Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    weight: u64,
    /// When the first of them must go.
    earliest: Option<Instant>,
    /// The number of the next entry.
    next: u64,
    /// Entries below this number go as soon as there is a place.
    flushed: u64,
    has_priorities: bool,
}

/// A request with those of its documents that still wait.
struct Entry {
    ticket: Arc<Ticket>,
    number: u64,
    due: Instant,
    /// The number of the first document in `docs`.
    first: usize,
    docs: VecDeque<Weighed>,
    _waiting: Waiting,
}

/// One document.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) doc: Payload,
    pub(super) weight: u64,
}

/// What one request has in a batch.
pub(super) struct Share {
    pub(super) ticket: Arc<Ticket>,
    /// The number of the first document.
    pub(super) first: usize,
    pub(super) docs: Vec<Payload>,
}

/// One of those that wait.
pub(super) struct Waiting(Arc<AtomicUsize>);

/// When there is something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing waits.
    Never,
    /// Not before this, unless something comes.
    At(Instant),
    Now,
}

impl Waiting {
    /// One more, unless there are `most` already.
    pub(super) fn new(waiting: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let one_more = |n: usize| (n < most).then_some(n + 1);
        waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(waiting.clone()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    /// Adds a request. Returns whether that changes when the next batch is due.
    pub(super) fn push(
        &mut self,
        ticket: Arc<Ticket>,
        docs: VecDeque<Weighed>,
        rule: &Rule,
        typical: Duration,
        waiting: Waiting,
    ) -> bool {
        let due = latest_start(&ticket, rule, typical);
        let is_first = self.earliest.is_none_or(|earliest| due < earliest);
        if is_first {
            self.earliest = Some(due);
        }
        self.weight = docs.iter().fold(self.weight, |sum, doc| sum.saturating_add(doc.weight));
        self.has_priorities |= ticket.priority != 0;
        self.entries.push_back(Entry { ticket, number: self.next, due, first: 0, docs, _waiting: waiting });
        self.next += 1;
        is_first || self.weight >= rule.size
    }

    /// When the next batch is due. Once one is due, all that waits by then goes.
    pub(super) fn due(&mut self, rule: &Rule, is_ending: bool) -> Due {
        let Some(earliest) = self.earliest else { return Due::Never };
        if is_ending || self.weight >= rule.size || earliest <= Instant::now() {
            self.flushed = self.next;
        }
        if self.entries.iter().any(|entry| entry.number < self.flushed) {
            Due::Now
        } else {
            Due::At(earliest)
        }
    }

    /// The next batch, and how many requests were passed over because nobody waits for them.
    pub(super) fn take(&mut self, rule: &Rule) -> (Vec<Share>, usize) {
        if self.has_priorities {
            let now = Instant::now();
            let urgency = |entry: &Entry| urgency(&entry.ticket, rule, now);
            self.entries.make_contiguous().sort_by_key(|entry| (Reverse(urgency(entry)), entry.number));
        }
        let (mut shares, mut weight, mut unwanted) = (Vec::new(), 0, 0);
        let is_full = |weight: u64| weight >= rule.size && !rule.flush_all;
        while let Some(entry) = self.entries.front_mut().filter(|_| !is_full(weight)) {
            if !entry.ticket.is_wanted() {
                self.entries.pop_front();
                unwanted += 1;
                continue;
            }
            let mut docs = Vec::new();
            while let Some(next) = entry.docs.front().filter(|_| !is_full(weight)) {
                weight = weight.saturating_add(next.weight);
                docs.extend(entry.docs.pop_front().map(|next| next.doc));
            }
            let first = entry.first;
            entry.first += docs.len();
            shares.push(Share { ticket: entry.ticket.clone(), first, docs });
            if entry.docs.is_empty() {
                self.entries.pop_front();
            }
        }
        self.settle();
        (shares, unwanted)
    }

    /// Drops the requests that nobody waits for, and returns their number.
    pub(super) fn purge(&mut self) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.ticket.is_wanted());
        self.settle();
        before - self.entries.len()
    }

    /// Tells again what is left.
    fn settle(&mut self) {
        self.earliest = self.entries.iter().map(|entry| entry.due).min();
        self.has_priorities = self.entries.iter().any(|entry| entry.ticket.priority != 0);
        let docs = self.entries.iter().flat_map(|entry| &entry.docs);
        self.weight = docs.fold(0, |sum, doc| sum.saturating_add(doc.weight));
    }
}

/// How urgent a request is. It grows by one for every `timeout` that the request has waited, so that none waits for
/// ever behind more urgent ones.
fn urgency(ticket: &Ticket, rule: &Rule, now: Instant) -> i64 {
    let waited = now.saturating_duration_since(ticket.arrived);
    let timeouts = waited.as_nanos().checked_div(rule.timeout.as_nanos()).unwrap_or(0);
    ticket.priority.saturating_add(i64::try_from(timeouts).unwrap_or(i64::MAX))
}

/// When the request must go: after the timeout, or so early that its deadline can be met. Twice as long as a batch
/// typically takes is kept for it, and half of the time left while nothing is known.
fn latest_start(ticket: &Ticket, rule: &Rule, typical: Duration) -> Instant {
    let by_timeout = ticket.arrived.checked_add(rule.timeout);
    let by_deadline = ticket.deadline.instant().map(|deadline| {
        let left = deadline.saturating_duration_since(ticket.arrived);
        let kept = if typical.is_zero() { left / 2 } else { typical * 2 };
        ticket.arrived + left.saturating_sub(kept)
    });
    // A timeout that is too far away to be told is as good as this.
    let far = ticket.arrived + Duration::from_secs(86_400 * 365);
    by_timeout.into_iter().chain(by_deadline).min().unwrap_or(far)
}
