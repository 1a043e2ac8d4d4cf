//! A process of its own group, which does not outlive the Flow.

use std::fmt;
use std::io;
use std::process::{self, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{ChildStdin, Command};

/// A running process. Dropping it kills it and all that it started.
pub(crate) struct Child {
    name: String,
    child: tokio::process::Child,
    /// Its standard input: closing it tells it to end.
    #[cfg_attr(not(test), expect(dead_code, reason = "held for its end"))]
    alive: Option<ChildStdin>,
    /// Removes what it would leave behind if it is killed.
    cleaning: Option<process::Command>,
    /// The number of its group; `None` once it has ended.
    group: Option<Pid>,
}

impl Child {
    /// Starts a process whose standard input is a pipe that closes with the Flow.
    pub(crate) fn start(
        name: String,
        mut command: Command,
        cleaning: Option<process::Command>,
    ) -> io::Result<Self> {
        command.process_group(0).kill_on_drop(true).stdin(Stdio::piped());
        let mut child = command.spawn()?;
        let alive = child.stdin.take();
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { name, child, alive, cleaning, group })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Waits for its end. Cancel-safe.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        // What it started may still run; later the number of the group may be another's.
        self.signal(Signal::KILL);
        self.group = None;
        Ok(status)
    }

    /// Asks it to end, and kills it if it does not.
    pub(crate) async fn stop(mut self, grace: Duration) {
        self.signal(Signal::TERM);
        if tokio::time::timeout(grace, self.ended()).await.is_err() {
            tracing::warn!(process = %self.name, "did not end in time and is killed");
        }
    }

    /// What happens when the Flow is gone.
    #[cfg(test)]
    pub(crate) fn close_pipe(&mut self) {
        self.alive = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Failing means that nobody is left to be told.
            let _gone = kill_process_group(group, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(cleaning) = self.cleaning.as_mut().filter(|_| self.group.is_some()) {
            cleaning.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // What cannot be removed stays; nobody can wait for it here.
            let _left = cleaning.spawn();
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("name", &self.name).field("id", &self.child.id()).finish()
    }
}
