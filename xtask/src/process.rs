//! Programs that run beside this one, for as long as their [`Process`] is kept.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::shell;

/// A running program. Dropping it asks it to end, and kills it if it does not.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
}

/// How long a program may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(35);

impl Process {
    pub(crate) fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first line that the program prints, if its standard output is piped.
    pub(crate) fn first_line(&mut self) -> anyhow::Result<String> {
        use std::io::BufRead as _;
        let printed = self.child.stdout.as_mut().context("the output is not piped")?;
        let mut line = String::new();
        std::io::BufReader::new(printed).read_line(&mut line)?;
        if line.is_empty() {
            bail!("{} ended without a word", self.name);
        }
        Ok(line.trim().to_owned())
    }

    /// Waits until `ready` says yes; fails if the program ends before, or if it takes longer than `patience`.
    pub(crate) fn wait_ready(&mut self, patience: Duration, ready: impl Fn() -> bool) -> anyhow::Result<()> {
        let became_ready = poll(patience, || Ok(self.ended()?.is_some() || ready()))?;
        if let Some(status) = self.ended()? {
            bail!("{} ended before it was ready: {status}", self.name);
        }
        if !became_ready {
            bail!("{} is not ready after {patience:?}", self.name);
        }
        Ok(())
    }

    /// How the program ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Waits until the program ends by itself.
    pub(crate) fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Asks the program to end, and returns how it did.
    pub(crate) fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        let asked = shell::succeeds(Command::new("kill").args(["-TERM", &self.id().to_string()]));
        if asked && poll(PATIENCE, || Ok(self.ended()?.is_some()))? {
            return self.wait();
        }
        self.kill()?;
        self.wait()
    }

    /// Ends the program at once.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        // It may have ended just now; then there is nothing to kill.
        let _gone = self.child.kill();
        self.wait().map(|_status| ())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: {error:#}", self.name);
        }
    }
}

/// Asks `done` every now and then until it says yes or `patience` is over; returns the last answer.
#[expect(clippy::disallowed_methods, reason = "there is no runtime here whose clock a test could pause")]
pub(crate) fn poll(
    patience: Duration,
    mut done: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    let end = Instant::now() + patience;
    loop {
        if done()? {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port on the loopback interface that nobody listens on now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
