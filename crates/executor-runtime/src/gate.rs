//! How many calls run at once, and how many wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use call::{Error, ErrorCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets calls in, in the order they came.
#[derive(Debug)]
pub(crate) struct Gate {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// A place among those that run; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Too many wait already.
#[derive(Debug, thiserror::Error)]
#[error("too many calls wait for the executor: the limit is {limit}")]
struct Full {
    limit: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("the executor has been closed")]
struct Closed;

impl Gate {
    pub(crate) fn new(max_running: usize, max_waiting: usize) -> Self {
        let running = max_running.clamp(1, Semaphore::MAX_PERMITS);
        Self { running: Arc::new(Semaphore::new(running)), waiting: AtomicUsize::new(0), max_waiting }
    }

    /// Waits for a place. Cancel-safe: a call that is dropped while it waits leaves no trace.
    ///
    /// # Errors
    ///
    /// If too many wait already.
    pub(crate) async fn enter(&self) -> Result<Place, Error> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Ok(Place(permit));
        }
        let _waiting = Waiting::new(&self.waiting);
        if self.waiting.load(Ordering::Relaxed) > self.max_waiting {
            let full = Full { limit: self.max_waiting };
            return Err(Error::new(ErrorCode::Overloaded, full).with_retry_after(Duration::from_secs(1)));
        }
        self.wait().await.ok_or_else(|| Error::new(ErrorCode::Unavailable, Closed))
    }

    /// Waits for a place however many wait already; `None` once the gate is closed. Cancel-safe.
    pub(crate) async fn wait(&self) -> Option<Place> {
        self.running.clone().acquire_owned().await.ok().map(Place)
    }
}

/// One of those that wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn calls_wait_in_order_and_too_many_are_refused() {
        let gate = Gate::new(1, 2);
        let first = gate.enter().await.unwrap();
        let mut second = Box::pin(gate.enter());
        let mut third = Box::pin(gate.enter());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        let refused = gate.enter().await.unwrap_err();
        assert_eq!(
            (refused.code, refused.retry_after),
            (ErrorCode::Overloaded, Some(Duration::from_secs(1)))
        );
        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "the second is first");
        let second = second.as_mut().now_or_never().unwrap().unwrap();
        drop(third);
        drop(second);
        gate.enter().await.unwrap();
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }
}
