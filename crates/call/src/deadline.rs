//! The instant at which nobody waits for an answer any more.

use std::time::Duration;

use tokio::time::Instant;

/// An instant that only moves closer while a request travels, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No limit.
    pub const NEVER: Self = Self(None);

    /// The deadline `allowed` from now; one too far away to be told is none.
    #[must_use]
    pub fn after(allowed: Duration) -> Self {
        Self(Instant::now().checked_add(allowed))
    }

    /// The earlier of two deadlines.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        })
    }

    /// When it is, if there is one.
    #[must_use]
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }

    /// The time left: zero once it has passed, `None` without a limit.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }

    /// Waits for `answer` until the deadline; `None` if it passes first.
    ///
    /// Dropping the future drops `answer`.
    pub async fn bound<F: Future>(self, answer: F) -> Option<F::Output> {
        match self.0 {
            Some(instant) => tokio::time::timeout_at(instant, answer).await.ok(),
            None => Some(answer.await),
        }
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self::NEVER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_only_moves_closer() {
        let near = Deadline::after(Duration::from_secs(1));
        let far = Deadline::after(Duration::from_secs(9));
        assert_eq!(near.min(far), near);
        assert_eq!(Deadline::NEVER.min(far), far);
        assert_eq!(far.min(Deadline::NEVER), far);
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_deadline() {
        let deadline = Deadline::after(Duration::from_secs(1));
        assert_eq!(deadline.bound(std::future::pending::<()>()).await, None);
        assert!(deadline.has_passed());
        assert_eq!(deadline.remaining(), Some(Duration::ZERO));
        assert_eq!(deadline.bound(async { 3 }).await, Some(3), "an answer that is there counts");
    }
}
