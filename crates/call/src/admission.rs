//! How much the process takes on at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::{Error, ErrorCode};

/// Bounds on what is in flight in the whole process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests.
    pub requests: usize,
    /// Bytes of received messages that are not answered yet.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 100_000, bytes: 4 << 30 }
    }
}

/// Counts what is in flight and refuses what is too much. Clones count together.
#[derive(Debug, Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A request in flight and the bytes received for it; dropping it gives both back.
#[derive(Debug)]
pub struct Admitted {
    shared: Arc<Shared>,
    bytes: usize,
}

/// The process has taken on as much as it is allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Overload {
    /// Too many requests.
    #[error("too many requests in flight: the limit is {limit}")]
    Requests {
        /// The limit.
        limit: usize,
    },
    /// Too many bytes.
    #[error("too many bytes in flight: the limit is {limit}, this request needs {wanted} more")]
    Bytes {
        /// The limit.
        limit: usize,
        /// What could not be taken.
        wanted: usize,
    },
}

impl From<Overload> for Error {
    fn from(overload: Overload) -> Self {
        Self::new(ErrorCode::Overloaded, overload).with_retry_after(Duration::from_secs(1))
    }
}

impl Admission {
    /// Starts counting.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { shared: Arc::new(Shared { limits, requests: 0.into(), bytes: 0.into() }) }
    }

    /// Takes on one more request.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub fn admit(&self) -> Result<Admitted, Overload> {
        let limit = self.shared.limits.requests;
        take(&self.shared.requests, 1, limit).map_err(|()| Overload::Requests { limit })?;
        Ok(Admitted { shared: self.shared.clone(), bytes: 0 })
    }

    /// Requests in flight now.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Bytes in flight now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }
}

impl Admitted {
    /// Takes on `n` more bytes for this request.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub fn add_bytes(&mut self, n: usize) -> Result<(), Overload> {
        let limit = self.shared.limits.bytes;
        take(&self.shared.bytes, n, limit).map_err(|()| Overload::Bytes { limit, wanted: n })?;
        self.bytes += n;
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.requests.fetch_sub(1, Ordering::Relaxed);
        self.shared.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Adds `n` to `counter` unless it would pass `limit`.
fn take(counter: &AtomicUsize, n: usize, limit: usize) -> Result<(), ()> {
    let before = counter.fetch_add(n, Ordering::Relaxed);
    if before.checked_add(n).is_some_and(|after| after <= limit) {
        return Ok(());
    }
    counter.fetch_sub(n, Ordering::Relaxed);
    Err(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let admission = Admission::new(Limits { requests: 2, bytes: 100 });
        let mut first = admission.admit().unwrap();
        let second = admission.admit().unwrap();
        assert_eq!(admission.admit().unwrap_err(), Overload::Requests { limit: 2 });
        first.add_bytes(70).unwrap();
        first.add_bytes(30).unwrap();
        assert_eq!(first.add_bytes(1).unwrap_err(), Overload::Bytes { limit: 100, wanted: 1 });
        drop((first, second));
        assert_eq!((admission.requests(), admission.bytes()), (0, 0));
        admission.admit().unwrap().add_bytes(100).unwrap();
    }
}
