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
///
/// What comes over one connection may hold at most four times what is still free, so that the more is taken the
/// less it gets: a connection that asks for everything ends up with four fifths, two with four ninths each, and those
/// that ask for little find room.
#[derive(Debug, Clone)]
pub struct Admission {
    shared: Arc<Shared>,
    /// What is in flight for the connection that this is for, if it is for one.
    connection: Option<Arc<InFlight>>,
}

/// How many times what is still free one connection may hold.
const SHARE: usize = 4;

#[derive(Debug)]
struct Shared {
    limits: Limits,
    in_flight: InFlight,
}

#[derive(Debug, Default)]
struct InFlight {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A request in flight and the bytes received for it; dropping it gives both back.
#[derive(Debug)]
pub struct Admitted {
    admission: Admission,
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
    /// Too many requests of one connection.
    #[error(
        "too many requests of this connection in flight: it has {held}, and others need the {free} that are left"
    )]
    RequestsOfConnection {
        /// How many it has.
        held: usize,
        /// How many more the process would take.
        free: usize,
    },
    /// Too many bytes of one connection.
    #[error(
        "too many bytes of this connection in flight: it has {held}, and others need the {free} that are left"
    )]
    BytesOfConnection {
        /// How many it has.
        held: usize,
        /// How many more the process would take.
        free: usize,
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
        Self { shared: Arc::new(Shared { limits, in_flight: InFlight::default() }), connection: None }
    }

    /// The same bounds for one more connection, which gets no more than its share of them.
    #[must_use]
    pub fn for_connection(&self) -> Self {
        Self { shared: self.shared.clone(), connection: Some(Arc::default()) }
    }

    /// Takes on one more request.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub fn admit(&self) -> Result<Admitted, Overload> {
        let Shared { limits, in_flight } = &*self.shared;
        let limit = limits.requests;
        let free = take(&in_flight.requests, 1, limit).map_err(|()| Overload::Requests { limit })?;
        let admitted = Admitted { admission: self.clone(), bytes: 0 };
        if let Some(connection) = &self.connection {
            let held = connection.requests.fetch_add(1, Ordering::Relaxed);
            if is_more_than_share(held, free) {
                // Dropping `admitted` gives back what was taken.
                return Err(Overload::RequestsOfConnection { held, free });
            }
        }
        Ok(admitted)
    }

    /// Requests in flight now.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.in_flight.requests.load(Ordering::Relaxed)
    }

    /// Bytes in flight now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shared.in_flight.bytes.load(Ordering::Relaxed)
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }
}

impl Admitted {
    /// Where it was admitted: what else the same connection asks for is taken on there.
    #[must_use]
    pub const fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Takes on `n` more bytes for this request.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub fn add_bytes(&mut self, n: usize) -> Result<(), Overload> {
        let Shared { limits, in_flight } = &*self.admission.shared;
        let limit = limits.bytes;
        let free = take(&in_flight.bytes, n, limit).map_err(|()| Overload::Bytes { limit, wanted: n })?;
        if let Some(connection) = &self.admission.connection {
            let held = connection.bytes.fetch_add(n, Ordering::Relaxed);
            if is_more_than_share(held, free) {
                connection.bytes.fetch_sub(n, Ordering::Relaxed);
                in_flight.bytes.fetch_sub(n, Ordering::Relaxed);
                return Err(Overload::BytesOfConnection { held, free });
            }
        }
        self.bytes += n;
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let of_connection = self.admission.connection.as_deref();
        for in_flight in of_connection.into_iter().chain([&self.admission.shared.in_flight]) {
            in_flight.requests.fetch_sub(1, Ordering::Relaxed);
            in_flight.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// Adds `n` to `counter` unless it would pass `limit`; how much was free before.
fn take(counter: &AtomicUsize, n: usize, limit: usize) -> Result<usize, ()> {
    let before = counter.fetch_add(n, Ordering::Relaxed);
    if before.checked_add(n).is_some_and(|after| after <= limit) {
        return Ok(limit - before);
    }
    counter.fetch_sub(n, Ordering::Relaxed);
    Err(())
}

/// Whether a connection that holds so much gets no more while only so much is free. One that holds nothing always gets
/// what there is.
const fn is_more_than_share(held: usize, free: usize) -> bool {
    held > 0 && held >= free.saturating_mul(SHARE)
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

    /// How much each of `n` connections gets that take turns in asking for all of `limit`.
    fn shares(n: usize, limit: usize) -> Vec<usize> {
        let admission = Admission::new(Limits { requests: limit, bytes: 0 });
        let mut connections: Vec<_> = (0..n).map(|_| (admission.for_connection(), Vec::new())).collect();
        for _ in 0..limit {
            for (admission, admitted) in &mut connections {
                admitted.extend(admission.admit());
            }
        }
        connections.into_iter().map(|(_, admitted)| admitted.len()).collect()
    }

    #[test]
    fn a_connection_that_wants_everything_leaves_room_for_others() {
        assert_eq!(shares(1, 100), [80]);
        assert_eq!(shares(2, 90), [40, 40]);
        assert_eq!(shares(1, 1), [1], "the only one there is goes to whoever comes");
        assert_eq!(shares(3, 3), [1, 1, 1]);
    }

    #[test]
    fn a_connection_that_holds_nothing_gets_what_there_is() {
        let admission = Admission::new(Limits { requests: 10, bytes: 100 });
        let (greedy, modest) = (admission.for_connection(), admission.for_connection());
        let mut held: Vec<_> = std::iter::from_fn(|| greedy.admit().ok()).collect();
        assert_eq!(held.len(), 8);
        assert_eq!(greedy.admit().unwrap_err(), Overload::RequestsOfConnection { held: 8, free: 2 });
        let mut last = modest.admit().unwrap();
        held[0].add_bytes(90).unwrap();
        assert_eq!(held[1].add_bytes(5).unwrap_err(), Overload::BytesOfConnection { held: 90, free: 10 });
        last.add_bytes(10).unwrap();
        drop((held, last));
        assert_eq!((admission.requests(), admission.bytes()), (0, 0));
        greedy.admit().unwrap().add_bytes(100).unwrap();
    }
}
