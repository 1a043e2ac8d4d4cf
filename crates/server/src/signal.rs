//! What the operating system tells the process.

use std::io;

use tokio::signal::unix::{self, SignalKind, signal};
use tracing::{error, info};

use crate::tls;

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

    /// Reloads certificates when asked to; ends when the process is told to stop. Cancel-safe.
    pub async fn stopped(&mut self, tls: Option<tls::Acceptor>) {
        loop {
            match (self.next().await, &tls) {
                (Signal::Stop, _) => break,
                (Signal::Reload, None) => {}
                (Signal::Reload, Some(tls)) => match tls.reload() {
                    Ok(()) => info!("certificates reloaded"),
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        error!(error, "new certificates are wrong, the old ones stay in use");
                    }
                },
            }
        }
        info!("draining");
    }
}
