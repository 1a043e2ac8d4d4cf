//! What the operating system tells the process.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::MissedTickBehavior;
use tracing::{error, info};

use crate::tls;

/// How often files of certificates are looked at. Their directories are not watched: what Kubernetes mounts changes
/// behind links.
const LOOK: Duration = Duration::from_secs(2);

/// A signal that means something to every process here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: drain and end.
    Stop,
    /// SIGHUP: read files again.
    Reload,
}

/// Receives signals from its making on.
#[derive(Debug)]
pub struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Replaces what the signals do by default.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }

    /// Reloads certificates when asked to, and when their files change; ends when the process is told to stop.
    /// Cancel-safe.
    pub async fn stopped(&mut self, tls: impl IntoIterator<Item = tls::Acceptor>) {
        let acceptors: Vec<_> = tls.into_iter().collect();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                signal = self.next() => match signal {
                    Signal::Stop => break,
                    Signal::Reload => true,
                },
                _ = look.tick() => false,
            };
            for tls in &acceptors {
                let reloaded = if asked { tls.reload().map(|()| true) } else { tls.reload_if_changed() };
                match reloaded {
                    Ok(false) => {}
                    Ok(true) => info!("certificates reloaded"),
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        error!(error, "new certificates are wrong, the old ones stay in use");
                    }
                }
            }
        }
        info!("draining");
    }
}
