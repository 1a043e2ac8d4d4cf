//! When the other replicas were last heard of.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::types::NodeId;

/// When each replica last answered. The library counts answers, too, but not those to signs of life that are sent while
/// something large is on its way.
#[derive(Debug)]
pub(crate) struct Heard {
    begin: Instant,
    /// Milliseconds after `begin`.
    last: BTreeMap<NodeId, AtomicU64>,
}

impl Heard {
    pub(crate) fn new(others: impl Iterator<Item = NodeId>) -> Self {
        Self { begin: Instant::now(), last: others.map(|replica| (replica, AtomicU64::new(0))).collect() }
    }

    /// Notes an answer.
    pub(super) fn note(&self, replica: NodeId) {
        if let Some(last) = self.last.get(&replica) {
            let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            last.store(now, Ordering::Relaxed);
        }
    }

    /// For how long no majority, this replica included, was heard of.
    pub(crate) fn silence(&self) -> Duration {
        let mut last: Vec<_> = self.last.values().map(|last| last.load(Ordering::Relaxed)).collect();
        last.sort_unstable_by(|one, other| other.cmp(one));
        // This replica hears itself; so many others make up a majority with it.
        let needed = last.len().div_ceil(2);
        let heard = needed.checked_sub(1).map(|place| Duration::from_millis(last[place]));
        heard.map_or(Duration::ZERO, |heard| self.begin.elapsed().saturating_sub(heard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_majority_counts_this_replica() {
        let (three, five, alone) = (Heard::new(1..3), Heard::new(1..5), Heard::new(1..1));
        tokio::time::advance(Duration::from_secs(5)).await;
        three.note(2);
        five.note(2);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(three.silence(), Duration::from_secs(2), "two of three");
        assert_eq!(five.silence(), Duration::from_secs(7), "two of five are no majority");
        assert_eq!(alone.silence(), Duration::ZERO);
        five.note(4);
        assert_eq!(five.silence(), Duration::from_secs(2), "three of five");
    }
}
