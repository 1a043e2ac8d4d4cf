//! What moves the bytes of a connection and notices when the peer is gone.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use h2::{Ping, PingPong, Reason};
use tokio::time::{Instant, Sleep};
use tracing::debug;

use super::connect::{BoxedConnection, ConnectError};
use super::{End, Keepalive, Shared};

/// Drives one connection; ends when the connection has. Dropping it closes the connection.
#[must_use = "a connection does nothing unless its driver is polled"]
pub struct Driver {
    connection: BoxedConnection,
    shared: Arc<Shared>,
    ping_pong: Option<PingPong>,
    pings: Option<Pings>,
}

/// Pings a silent peer.
struct Pings {
    keepalive: Keepalive,
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
        let pings = keepalive.map(|keepalive| Pings {
            keepalive,
            timer: Box::pin(tokio::time::sleep(keepalive.time)),
            awaiting: false,
            received: 0,
            without_data: 0,
        });
        Self { ping_pong: connection.ping_pong(), connection, shared, pings }
    }

    /// Waits until the peer has answered a first ping, which shows that somebody is there and speaks HTTP/2;
    /// a connection alone may have been accepted by a system whose process is stuck.
    ///
    /// # Errors
    ///
    /// If the connection ends instead.
    pub async fn confirm(&mut self) -> Result<(), ConnectError> {
        let sent = self.ping_pong.as_mut().map_or(Ok(()), |ping_pong| ping_pong.send_ping(Ping::opaque()));
        sent?;
        std::future::poll_fn(|cx| {
            if let Some(ping_pong) = &mut self.ping_pong
                && ping_pong.poll_pong(cx)?.is_pending()
            {
                std::task::ready!(Pin::new(&mut self.connection).poll(cx))?;
                return Poll::Ready(Err(ConnectError::Closed));
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Poll::Ready(end) = Pin::new(&mut this.connection).poll(cx) {
            let end = match end {
                Ok(()) => {
                    debug!(peer = %this.shared.authority, "connection closed");
                    End::Closed
                }
                Err(error) => {
                    debug!(peer = %this.shared.authority, %error, "connection lost");
                    let calm = error.is_remote() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM);
                    if calm { End::TooManyPings } else { End::Lost }
                }
            };
            this.shared.end.store(end as u8, Ordering::Relaxed);
            return Poll::Ready(());
        }
        if let (Some(pings), Some(ping_pong)) = (&mut this.pings, &mut this.ping_pong)
            && pings.poll_gone(cx, ping_pong, &this.shared).is_ready()
        {
            debug!(peer = %this.shared.authority, "peer does not answer pings");
            this.shared.end.store(End::Silent as u8, Ordering::Relaxed);
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
    fn poll_gone(&mut self, cx: &mut Context<'_>, ping_pong: &mut PingPong, shared: &Shared) -> Poll<()> {
        loop {
            if self.awaiting && ping_pong.poll_pong(cx).is_ready() {
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
                && ping_pong.send_ping(Ping::opaque()).is_ok()
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
