//! Whether the other side is still there.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

/// Looks after a connection at regular times: sends pings, and gives it up when nothing came, or nothing could be sent,
/// from one time to the next though it should have.
#[derive(Debug)]
pub(crate) struct Vigil {
    times: Interval,
    last: Option<Signs>,
    pinged: bool,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs {
    /// Bytes received.
    pub(crate) received: u64,
    /// Bytes sent.
    pub(crate) sent: u64,
    /// Whether it is read from.
    pub(crate) is_read: bool,
    /// Whether there is something that could not be sent yet.
    pub(crate) is_stuck: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send a ping.
    Ping,
    /// It is stuck, but not for long yet.
    Wait,
    /// Nobody is there.
    Gone,
}

impl Vigil {
    pub(crate) fn new(period: Duration) -> Self {
        let mut times = tokio::time::interval_at(Instant::now() + period, period);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { times, last: None, pinged: false }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, signs: Signs) -> Poll<Verdict> {
        ready!(self.times.poll_tick(cx));
        let last = self.last.replace(signs);
        let is_silent = self.pinged
            && last.is_some_and(|last| last.is_read && signs.is_read && last.received == signs.received);
        let is_stuck = last.is_some_and(|last| last.is_stuck && signs.is_stuck && last.sent == signs.sent);
        if is_silent || is_stuck {
            return Poll::Ready(Verdict::Gone);
        }
        self.pinged = !signs.is_stuck;
        Poll::Ready(if self.pinged { Verdict::Ping } else { Verdict::Wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Signs = Signs { received: 0, sent: 0, is_read: true, is_stuck: false };

    async fn verdicts(signs: [Signs; 3]) -> Vec<Verdict> {
        let mut vigil = Vigil::new(Duration::from_secs(20));
        let mut verdicts = Vec::new();
        for signs in signs {
            verdicts.push(std::future::poll_fn(|cx| vigil.poll(cx, signs)).await);
        }
        verdicts
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_given_up_and_one_that_answers_is_not() {
        let heard = |received| Signs { received, ..QUIET };
        assert_eq!(verdicts([QUIET; 3]).await[..2], [Verdict::Ping, Verdict::Gone]);
        assert_eq!(verdicts([heard(0), heard(6), heard(12)]).await, [Verdict::Ping; 3]);
        let unread = Signs { is_read: false, ..QUIET };
        assert_eq!(verdicts([unread; 3]).await, [Verdict::Ping; 3], "we do not listen");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let stuck = |sent| Signs { sent, received: sent, is_stuck: true, ..QUIET };
        assert_eq!(verdicts([stuck(5); 3]).await[..2], [Verdict::Wait, Verdict::Gone]);
        assert_eq!(verdicts([stuck(5), stuck(6), stuck(7)]).await, [Verdict::Wait; 3]);
    }
}
