//! The task that makes a connection, drives it and makes it again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use grpc::client::{Connection, Driver, End};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::link::Link;

/// A connection that lasted this long ended for another reason than that it should not have been made.
const LASTING: Duration = Duration::from_secs(1);

/// Callers that ask for attempts, however many, do not have them made more often than this.
const SPACING: Duration = Duration::from_millis(1);

/// Without a call for this long a connection that is not needed any more is closed. Not at once: requests
/// that are on their way through the graph still have calls to make while the process drains.
const QUIET: Duration = Duration::from_millis(100);

/// Keeps the connection of one place: the first as long as the replica is a member, others until they end.
pub(crate) async fn keep(link: Arc<Link>, n: usize) {
    loop {
        keep_up(&link, n).await;
        let slot = link.slot(n);
        slot.kept.store(false, Ordering::Release);
        // Somebody who knocked in between saw this task and did not start another.
        let knocked = n == 0 && slot.knock.notified().now_or_never().is_some();
        if !knocked || slot.kept.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

async fn keep_up(link: &Arc<Link>, n: usize) {
    let mut backoff = Backoff::of(&link.worker.settings);
    loop {
        let connected = tokio::select! {
            biased;
            connected = link.connect(n) => connected,
            () = not_wanted(link) => return,
        };
        match connected {
            Ok((connection, driver)) => {
                let began = Instant::now();
                drive(link, n, Arc::new(connection), driver).await;
                if began.elapsed() >= LASTING {
                    backoff.reset();
                }
            }
            Err(error) => {
                link.failed(n, error);
                if n > 0 {
                    // Who asks for a further connection in the meantime has to do with those there are.
                    tokio::time::sleep(link.worker.settings.max_backoff).await;
                }
            }
        }
        if n > 0 || link.gone.is_cancelled() {
            return;
        }
        tokio::select! {
            () = link.gone.cancelled() => return,
            () = async {
                link.slot(n).knock.notified().await;
                tokio::time::sleep(SPACING).await;
            } => {}
            () = tokio::time::sleep(backoff.pause()) => {}
        }
    }
}

/// Ready when the replica is gone and nobody waits for it.
async fn not_wanted(link: &Link) {
    link.gone.cancelled().await;
    while link.is_wanted() {
        tokio::time::sleep(QUIET).await;
    }
}

/// Offers the connection to callers until it ends, takes no more calls, or is not needed any more.
async fn drive(link: &Arc<Link>, n: usize, connection: Arc<Connection>, mut driver: Driver) {
    link.opened(n, connection.clone());
    let quiet = async {
        link.gone.cancelled().await;
        loop {
            tokio::time::sleep(QUIET).await;
            if connection.calls() == 0 {
                return;
            }
        }
    };
    let has_ended = tokio::select! {
        () = &mut driver => true,
        () = link.slot(n).retired.notified() => false,
        () = quiet => false,
    };
    link.closed(n);
    if has_ended {
        match connection.end() {
            End::TooManyPings => link.replica.complain(),
            End::Silent => link.replica.eject("it does not answer pings"),
            End::Open | End::Closed | End::Lost => {}
        }
    } else {
        // Calls that are in flight hold it open; without any it ends by itself.
        drop(connection);
        link.worker.tasks.spawn(driver);
    }
}
