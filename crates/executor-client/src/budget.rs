//! A bound on repeated calls, so that retries do not finish off an executor that is overloaded.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::time::Instant;

/// What one repeated call costs.
const COST: i64 = 10;
/// What each request earns: one repeated call for five requests.
const EARNED: i64 = 2;
/// What each second earns, so that rare calls can be repeated as well: ten repeated calls.
const EARNED_PER_SECOND: i64 = 10 * COST;
/// What can be saved up: a thousand repeated calls, enough for all in flight on a replica that dies.
const SAVED: i64 = 1000 * COST;

/// The budget of one executor, shared by all workers.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicI64,
    start: Instant,
    /// The last second, counted from `start`, whose earnings were added.
    second: AtomicU64,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { tokens: AtomicI64::new(SAVED), start: Instant::now(), second: AtomicU64::new(0) }
    }

    /// A request was made.
    pub(crate) fn earn(&self) {
        // A full budget, the rule, is only read: writing would pull the line from the other workers.
        if self.tokens.load(Ordering::Relaxed) < SAVED {
            self.tokens.fetch_add(EARNED, Ordering::Relaxed);
        }
    }

    /// Whether a call may be repeated; takes its cost.
    pub(crate) fn spend(&self) -> bool {
        let second = self.start.elapsed().as_secs();
        let last = self.second.swap(second, Ordering::Relaxed);
        let earned = i64::try_from(second.saturating_sub(last)).unwrap_or(i64::MAX);
        let earned = earned.saturating_mul(EARNED_PER_SECOND);
        let take = |tokens: i64| {
            let left = tokens.saturating_add(earned).min(SAVED) - COST;
            Some(if left < 0 { tokens } else { left })
        };
        let before = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        before.is_ok_and(|tokens| tokens.saturating_add(earned) >= COST)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spend_all(budget: &Budget) -> usize {
        std::iter::repeat_with(|| budget.spend()).take_while(|spent| *spent).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_calls_can_be_repeated() {
        let budget = Budget::new();
        assert_eq!(spend_all(&budget), 1000);
        (0..50).for_each(|_| budget.earn());
        assert_eq!(spend_all(&budget), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn rare_calls_can_be_repeated() {
        let budget = Budget::new();
        spend_all(&budget);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(spend_all(&budget), 20);
        tokio::time::advance(Duration::from_secs(10_000)).await;
        assert_eq!(spend_all(&budget), 1000, "no more than can be saved");
    }
}
