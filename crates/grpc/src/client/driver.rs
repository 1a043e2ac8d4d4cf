//! What moves the bytes of a connection and notices when the peer is gone.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep};
use tracing::debug;

use super::connect::BoxedConnection;
use super::{Keepalive, Shared};

/// Drives one connection; ends when the connection has. Dropping it closes the connection.
#[must_use = "a connection does nothing unless its driver is polled"]
pub struct Driver {
    connection: BoxedConnection,
    shared: Arc<Shared>,
    pings: Option<Pings>,
}

/// Pings a silent peer.
struct Pings {
    keepalive: Keepalive,
    ping_pong: PingPong,
    /// The next look, or the end of the wait for an answer.
    timer: Pin<Box<Sleep>>,
    awaiting: bool,
    /// What had been received at the last look.
    received: usize,
    without_data: usize,
}

impl Driver {
    pub(super) fn new(
        mut connection: BoxedConnection,
        shared: Arc<Shared>,
        keepalive: Option<Keepalive>,
    ) -> Self {
        let pings = keepalive.and_then(|keepalive| {
            Some(Pings {
                keepalive,
                ping_pong: connection.ping_pong()?,
                timer: Box::pin(tokio::time::sleep(keepalive.time)),
                awaiting: false,
                received: 0,
                without_data: 0,
            })
        });
        Self { connection, shared, pings }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Poll::Ready(end) = Pin::new(&mut this.connection).poll(cx) {
            match end {
                Ok(()) => debug!(peer = %this.shared.authority, "connection closed"),
                Err(error) => debug!(peer = %this.shared.authority, %error, "connection lost"),
            }
            return Poll::Ready(());
        }
        if let Some(pings) = &mut this.pings
            && pings.poll_gone(cx, &this.shared).is_ready()
        {
            debug!(peer = %this.shared.authority, "peer does not answer pings");
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
    }
}

impl Pings {
    /// Ready when a ping stayed without an answer.
    fn poll_gone(&mut self, cx: &mut Context<'_>, shared: &Shared) -> Poll<()> {
        loop {
            if self.awaiting && self.ping_pong.poll_pong(cx).is_ready() {
                self.awaiting = false;
                self.timer.as_mut().reset(Instant::now() + self.keepalive.time);
            }
            std::task::ready!(self.timer.as_mut().poll(cx));
            let received = shared.received.load(Ordering::Relaxed);
            let silent = received == self.received;
            if self.awaiting && silent {
                return Poll::Ready(());
            }
            self.received = received;
            let has_calls = shared.calls.load(Ordering::Relaxed) > 0;
            let mut next = self.keepalive.time;
            if !silent {
                self.without_data = 0;
            } else if (has_calls || self.keepalive.without_calls)
                && self.without_data < self.keepalive.max_without_data
                && self.ping_pong.send_ping(Ping::opaque()).is_ok()
            {
                self.without_data += 1;
                self.awaiting = true;
                next = self.keepalive.timeout;
            }
            self.timer.as_mut().reset(Instant::now() + next);
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("authority", &self.shared.authority).finish_non_exhaustive()
    }
}
