//! What batches were made.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What batches an endpoint's calls were gathered into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStats {
    /// Requests that were taken.
    pub requests: u64,
    /// Calls of the code that they were made into.
    pub calls: u64,
    /// Requests that were refused because too many waited.
    pub refused: u64,
    /// Requests that were passed over because their callers had left.
    pub abandoned: u64,
    /// Calls that were made again because a part of their documents had made them fail.
    pub repeated: u64,
    /// Documents in each call.
    pub sizes: Distribution,
    /// Milliseconds that each request waited until the call with its first document began.
    pub waits: Distribution,
}

/// How often which values came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The upper bounds of the buckets, each inclusive; the last bucket has none.
    pub bounds: &'static [u64],
    /// How many values fell into each bucket.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: u64,
}

impl Distribution {
    const fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: Vec::new(), sum: 0 }
    }

    fn record(&mut self, value: u64) {
        self.counts.resize(self.bounds.len() + 1, 0);
        let bucket = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// How many values came.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Default for BatchStats {
    fn default() -> Self {
        Self {
            requests: 0,
            calls: 0,
            refused: 0,
            abandoned: 0,
            repeated: 0,
            sizes: Distribution::new(&[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]),
            waits: Distribution::new(&[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]),
        }
    }
}

/// Counts.
#[derive(Debug, Default)]
pub(super) struct Observer(Mutex<BatchStats>);

impl Observer {
    pub(super) fn stats(&self) -> BatchStats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut BatchStats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A call of `documents` documents begins; `waits` are the waits of the requests that are new in it.
    pub(super) fn call(&self, documents: usize, waits: impl Iterator<Item = Duration>) {
        self.note(|stats| {
            stats.calls += 1;
            stats.sizes.record(u64::try_from(documents).unwrap_or(u64::MAX));
            for wait in waits {
                stats.requests += 1;
                stats.waits.record(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_buckets() {
        let observer = Observer::default();
        observer.call(4, [Duration::from_millis(3), Duration::from_secs(60)].into_iter());
        observer.call(5, std::iter::empty());
        let stats = observer.stats();
        assert_eq!((stats.calls, stats.requests), (2, 2));
        assert_eq!((&stats.sizes.counts[..4], stats.sizes.sum), (&[0, 0, 1, 1][..], 9));
        assert_eq!((stats.waits.counts[2], stats.waits.counts[13], stats.waits.count()), (1, 1, 2));
    }
}
