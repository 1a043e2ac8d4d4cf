//! The process of a worker.

use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{Settings, StartError};

/// Reads the rest of the worker from the socket that is its standard input.
const BOOTSTRAP: &str = include_str!("bootstrap.py");
/// One program in several files: a worker has no directory of ours to import from.
const WORKER: &str = concat!(
    include_str!("worker/frames.py"),
    include_str!("worker/setup.py"),
    include_str!("worker/function.py"),
    include_str!("worker/reload.py"),
    include_str!("worker/worker.py"),
);
/// Of what a worker prints, longer lines are cut.
const LINE: u64 = 8 * 1024;
/// How long a process may take to be gone once it is killed, or its socket is closed.
const REAPING: Duration = Duration::from_secs(5);

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Its socket was closed or spoilt, and it was killed for that.
    Silent,
    /// It ran a call for too long, and was killed for that.
    TooLong,
    /// It has never run.
    Never,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Signal(number) => match Signal::from_named_raw(*number) {
                Some(Signal::KILL) => f.write_str("was killed (SIGKILL)"),
                Some(Signal::SEGV) => f.write_str("crashed (SIGSEGV)"),
                Some(Signal::ABORT) => f.write_str("crashed (SIGABRT)"),
                _ => write!(f, "was ended by signal {number}"),
            },
            Self::Silent => f.write_str("stopped answering and was killed"),
            Self::TooLong => f.write_str("ran a call for too long and was killed"),
            Self::Never => f.write_str("has not been started"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        status.signal().map_or_else(|| Self::Code(status.code().unwrap_or_default()), Self::Signal)
    }
}

/// A running worker. Dropping it kills it and all that it started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    /// Starts one, and tells it what it is to be. What it prints goes to the log.
    pub(crate) async fn start(
        settings: &Settings,
        worker: usize,
        tasks: &TaskTracker,
    ) -> Result<(Self, UnixStream), StartError> {
        let refused = |what| move |source| StartError::System { what, source };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(refused("a socket"))?;
        ours.set_nonblocking(true).map_err(refused("a socket"))?;
        let mut socket = UnixStream::from_std(ours).map_err(refused("a socket"))?;
        let mut command = Command::new(&settings.interpreter);
        command
            .args(["-c", BOOTSTRAP])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .envs([("PYTHONUNBUFFERED", "1"), ("JINA_OPTOUT_TELEMETRY", "1"), ("JINA_LOG_NO_COLOR", "1")])
            .envs(settings.variables.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|source| StartError::Interpreter {
            interpreter: settings.interpreter.clone(),
            source,
        })?;
        // The command holds the worker's end of the socket, which nobody else must.
        drop(command);
        if let Some(printed) = child.stdout.take() {
            tasks.spawn(log(printed, worker, "stdout").in_current_span());
        }
        if let Some(printed) = child.stderr.take() {
            tasks.spawn(log(printed, worker, "stderr").in_current_span());
        }
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let process = Self { child, group };
        let setup = settings.setup();
        for text in [WORKER.as_bytes(), &setup] {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
            // One that ends at once is noticed by whoever reads next.
            let _ended = socket.write_all(&[&length, text].concat()).await;
        }
        Ok((process, socket))
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it has ended, and kills it if that takes long.
    pub(crate) async fn end(mut self) -> Exit {
        let ended = tokio::time::timeout(REAPING, self.child.wait()).await;
        match ended {
            Ok(Ok(status)) => status.into(),
            Ok(Err(_)) | Err(_) => self.kill().await,
        }
    }

    /// Ends it now.
    pub(crate) async fn kill(mut self) -> Exit {
        self.signal();
        let ended = tokio::time::timeout(REAPING, self.child.wait()).await;
        if !matches!(ended, Ok(Ok(_))) {
            tracing::error!(pid = self.child.id(), "a Python worker does not end although it was killed");
        }
        Exit::Silent
    }

    fn signal(&self) {
        if let Some(group) = self.group {
            // Failing means that nobody is left to be told.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it started may still run. Its own number is not another's before it is waited for, and that of the
        // group not before all in it are gone.
        self.signal();
    }
}

/// Writes what a worker prints to the log, line by line.
async fn log(printed: impl AsyncRead + Unpin, worker: usize, stream: &'static str) {
    let mut printed = BufReader::new(printed);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut printed).take(LINE).read_until(b'\n', &mut line).await;
        if !read.is_ok_and(|n| n > 0) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if !text.is_empty() {
            tracing::info!(worker, stream, "python: {text}");
        }
    }
}
