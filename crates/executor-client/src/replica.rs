//! One replica of an executor, as all workers see it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use grpc::client::{Keepalive, Target};
use tokio::sync::Notify;
use tracing::{debug, info, warn};

/// Failed calls in a row after which a replica leaves the rotation.
const STRIKES: u32 = 3;

/// One replica: a socket address that the configuration or a name led to.
#[derive(Debug)]
pub(crate) struct Replica {
    /// As errors and reports name it.
    pub(crate) label: String,
    pub(crate) address: SocketAddr,
    pub(crate) target: Target,
    in_flight: AtomicUsize,
    /// Failed calls since the last answer.
    strikes: AtomicU32,
    /// Left out of the rotation until a probe or a call succeeds.
    out: AtomicBool,
    /// How often it was put out since the last answer.
    ejections: AtomicU32,
    /// Asks for a probe.
    suspect: Notify,
    /// Whether there is a control connection.
    reached: AtomicBool,
    /// The last thing that went wrong, while it still does.
    failure: ArcSwapOption<String>,
    /// How often it complained about pings.
    complaints: AtomicU32,
}

/// Counts a call in flight on a replica while it lives.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Replica>);

impl Replica {
    pub(crate) fn new(label: String, address: SocketAddr, target: Target) -> Self {
        Self {
            label,
            address,
            target,
            in_flight: AtomicUsize::new(0),
            strikes: AtomicU32::new(0),
            out: AtomicBool::new(false),
            ejections: AtomicU32::new(0),
            suspect: Notify::new(),
            reached: AtomicBool::new(false),
            failure: ArcSwapOption::empty(),
            complaints: AtomicU32::new(0),
        }
    }

    /// Counts one more call.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// Calls in flight, of all workers.
    pub(crate) fn load(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether it is out of the rotation.
    pub(crate) fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }

    /// Whether there is a control connection.
    pub(crate) fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// What goes wrong.
    pub(crate) fn failure(&self) -> Option<Arc<String>> {
        self.failure.load_full()
    }

    /// It answered a call: whatever was held against it is forgotten.
    pub(crate) fn answered(&self) {
        // In the rule there is nothing to forget, and reading is cheaper than writing.
        if self.strikes.load(Ordering::Relaxed) != 0 {
            self.strikes.store(0, Ordering::Relaxed);
        }
        if self.ejections.load(Ordering::Relaxed) != 0 {
            self.ejections.store(0, Ordering::Relaxed);
        }
        self.restore();
    }

    /// A call failed in a way that may mean that the replica is no good. A probe will tell; before that it
    /// leaves the rotation if it happened several times in a row.
    pub(crate) fn strike(&self, why: &str) {
        let strikes = self.strikes.fetch_add(1, Ordering::Relaxed) + 1;
        if strikes >= STRIKES {
            self.eject(why);
        } else {
            debug!(replica = self.label, why, "replica is suspect");
            self.suspect.notify_one();
        }
    }

    /// Takes it out of the rotation; it will be probed.
    pub(crate) fn eject(&self, why: &str) {
        self.failure.store(Some(Arc::new(why.to_owned())));
        if !self.out.swap(true, Ordering::Relaxed) {
            self.ejections.fetch_add(1, Ordering::Relaxed);
            warn!(replica = self.label, why, "replica left the rotation");
        }
        self.suspect.notify_one();
    }

    /// Puts it into the rotation again.
    pub(crate) fn restore(&self) {
        if self.out.load(Ordering::Relaxed) && self.out.swap(false, Ordering::Relaxed) {
            self.strikes.store(0, Ordering::Relaxed);
            self.failure.store(None);
            info!(replica = self.label, "replica is in the rotation again");
        }
    }

    /// Waits until a probe is asked for.
    pub(crate) async fn suspected(&self) {
        self.suspect.notified().await;
    }

    /// How long to leave it alone before a probe: nothing unless it was put out, longer each time.
    pub(crate) fn rest(&self, max: Duration) -> Duration {
        if !self.is_out() {
            return Duration::ZERO;
        }
        let doublings = self.ejections.load(Ordering::Relaxed).min(10);
        (Duration::from_millis(25) * (1 << doublings)).min(max)
    }

    /// The control connection was made.
    pub(crate) fn connected(&self) {
        if !self.reached.swap(true, Ordering::Relaxed) {
            info!(replica = self.label, "replica is reached");
        }
        if !self.is_out() {
            self.failure.store(None);
        }
    }

    /// The control connection ended or could not be made.
    pub(crate) fn disconnected(&self, why: Option<&str>) {
        if self.reached.swap(false, Ordering::Relaxed) {
            warn!(replica = self.label, why, "replica is lost");
        }
        if let Some(why) = why {
            self.failure.store(Some(Arc::new(why.to_owned())));
        }
    }

    /// It was pinged too often.
    pub(crate) fn complain(&self) {
        self.complaints.fetch_add(1, Ordering::Relaxed);
    }

    /// The pings that it puts up with: half as many after each complaint.
    pub(crate) fn keepalive(&self, keepalive: Option<Keepalive>) -> Option<Keepalive> {
        let complaints = self.complaints.load(Ordering::Relaxed).min(10);
        keepalive.map(|keepalive| Keepalive {
            time: keepalive.time * (1 << complaints),
            without_calls: keepalive.without_calls && complaints == 0,
            ..keepalive
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica() -> Arc<Replica> {
        let target = Target { authority: "a:80".parse().unwrap(), tls: None };
        Arc::new(Replica::new("a:80".to_owned(), ([127, 0, 0, 1], 80).into(), target))
    }

    #[test]
    fn strikes_in_a_row_put_a_replica_out() {
        let replica = replica();
        replica.strike("late");
        replica.strike("late");
        replica.answered();
        replica.strike("late");
        replica.strike("late");
        assert!(!replica.is_out());
        replica.strike("late");
        assert!(replica.is_out());
        assert_eq!(replica.failure().as_deref().map(String::as_str), Some("late"));
        replica.answered();
        assert!(!replica.is_out());
        assert_eq!(replica.failure(), None);
    }

    #[test]
    fn each_time_out_lasts_longer() {
        let replica = replica();
        let max = Duration::from_millis(300);
        assert_eq!(replica.rest(max), Duration::ZERO);
        for want in [50, 100, 200, 300, 300] {
            replica.eject("gone");
            assert_eq!(replica.rest(max), Duration::from_millis(want));
            replica.restore();
        }
        replica.answered();
        replica.eject("gone");
        assert_eq!(replica.rest(max), Duration::from_millis(50));
    }

    #[test]
    fn a_replica_that_complains_is_pinged_less() {
        let replica = replica();
        let pings = Keepalive::default();
        assert_eq!(replica.keepalive(Some(pings)), Some(pings));
        replica.complain();
        let fewer = replica.keepalive(Some(pings)).unwrap();
        assert_eq!((fewer.time, fewer.without_calls), (pings.time * 2, false));
        assert_eq!(replica.keepalive(None), None);
    }
}
