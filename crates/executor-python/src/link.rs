//! The connection to one worker and the calls that are in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::BytesMut;
use call::Payload;
use executor_runtime::Failure;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::frame::{self, FromWorker, ToWorker};
use crate::hello::{Hello, failure};
use crate::process::{Exit, Process};
use crate::{Settings, StartError, write};

/// Frames that wait to be written. What is admitted bounds them long before.
const OUTBOX: usize = 1024;
/// Frames of one call that wait to be taken. A stream sends the next document only when it is asked for.
const INBOX: usize = 4;

/// Frames that are written at once.
const AT_ONCE: usize = 32;
/// Room for what is read at once.
const READ: usize = 64 << 10;

/// A worker that can be called.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) worker: usize,
    out: mpsc::Sender<Payload>,
    next: AtomicU64,
    /// By number; `None` once the worker is gone.
    calls: Mutex<Option<Calls>>,
    exit: OnceLock<Gone>,
    /// How many calls are in it, and how many of those block it.
    in_flight: [AtomicUsize; 2],
    /// Whether calls that block it run one after the other.
    in_turns: bool,
    /// Cancelled when it is to be killed for a call that takes too long.
    too_long: CancellationToken,
}

type Calls = BTreeMap<u64, Waiting>;

/// Who waits for the answer of a call.
#[derive(Debug)]
struct Waiting {
    answer: mpsc::Sender<FromWorker>,
    blocking: bool,
}

/// A worker that is gone.
#[derive(Debug, Clone)]
struct Gone {
    exit: Exit,
    /// The call that it ran, of those that block it.
    running: Option<u64>,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The worker is gone, and the call had begun or may have.
    Lost(Exit),
    /// The worker is gone before the call began.
    NotBegun,
}

/// A worker that has said hello, and what serves it.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) link: Arc<Link>,
    pub(crate) hello: Hello,
    process: Process,
    socket: UnixStream,
    received: BytesMut,
    outbox: mpsc::Receiver<Payload>,
}

/// How serving a worker ended.
#[derive(Debug)]
enum End {
    Lost,
    TooLong,
    Closed(Option<Failure>),
}

/// A call in a worker. Dropping it tells the worker that nobody waits any more.
#[derive(Debug)]
pub(crate) struct InFlight {
    link: Arc<Link>,
    number: u64,
    blocking: bool,
    /// Whether it waits in the worker until those that block it and came before are answered.
    in_turn: bool,
    answers: mpsc::Receiver<FromWorker>,
}

impl Connected {
    /// Starts a worker and waits until it has loaded the executor.
    pub(crate) async fn start(
        settings: &Settings,
        worker: usize,
        tasks: &TaskTracker,
    ) -> Result<Self, StartError> {
        let limit = settings.start_limit;
        let started = tokio::time::timeout(limit, Self::hello(settings, worker, tasks)).await;
        started.unwrap_or(Err(StartError::TooLong { limit }))
    }

    async fn hello(settings: &Settings, worker: usize, tasks: &TaskTracker) -> Result<Self, StartError> {
        let (process, mut socket) = Process::start(settings, worker, tasks).await?;
        let mut received = BytesMut::new();
        let first = loop {
            if let Some((_, first)) = frame::next(&mut received)? {
                break first;
            }
            if !socket.read_buf(&mut received).await.is_ok_and(|n| n > 0) {
                return Err(StartError::Ended { exit: process.end().await });
            }
        };
        let hello = Hello::read(first)?;
        tracing::info!(worker, pid = process.id(), class = hello.about.class, "Python worker started");
        let (out, outbox) = mpsc::channel(OUTBOX);
        let link = Link {
            worker,
            out,
            next: AtomicU64::new(1),
            calls: Mutex::new(Some(Calls::new())),
            exit: OnceLock::new(),
            in_flight: Default::default(),
            in_turns: !settings.allows_concurrent(),
            too_long: CancellationToken::new(),
        };
        Ok(Self { link: Arc::new(link), hello, process, socket, received, outbox })
    }

    /// Serves the worker until it is gone, or until `stop` and it has closed the executor.
    pub(crate) async fn serve(self, stop: &CancellationToken) -> (Exit, Option<Failure>) {
        let Self { link, process, mut socket, mut received, mut outbox, .. } = self;
        let (mut read, mut write) = socket.split();
        let reading = async {
            loop {
                match frame::next(&mut received) {
                    Ok(Some((_, FromWorker::Closed(status)))) => {
                        let failed = (!status.is_empty()).then(|| failure(status));
                        return End::Closed(failed);
                    }
                    Ok(Some((number, frame))) => link.deliver(number, frame),
                    Ok(None) => {
                        received.reserve(READ);
                        if !read.read_buf(&mut received).await.is_ok_and(|n| n > 0) {
                            return End::Lost;
                        }
                    }
                    Err(error) => {
                        tracing::error!(worker = link.worker, %error, "a Python worker cannot be understood");
                        return End::Lost;
                    }
                }
            }
        };
        let writing = async {
            let mut frames = Vec::new();
            loop {
                let n = tokio::select! {
                    biased;
                    n = outbox.recv_many(&mut frames, AT_ONCE) => n,
                    () = stop.cancelled() => 0,
                };
                if n == 0 {
                    frames.extend(ToWorker::Close.write(0));
                }
                // Without a socket the reader notices, too.
                if write::all(&mut write, &mut frames).await.is_err() || n == 0 {
                    return std::future::pending::<End>().await;
                }
            }
        };
        let end = tokio::select! {
            end = reading => end,
            end = writing => end,
            () = link.too_long.cancelled() => End::TooLong,
        };
        let (exit, failed) = match end {
            End::Lost => (process.end().await, None),
            End::TooLong => {
                process.kill().await;
                (Exit::TooLong, None)
            }
            End::Closed(failed) => (process.end().await, failed),
        };
        link.end(exit.clone());
        (exit, failed)
    }
}

/// The one that runs, or will next: each is answered before the next begins.
fn oldest_blocking(calls: &Calls) -> Option<u64> {
    calls.iter().find(|(_, waiting)| waiting.blocking).map(|(number, _)| *number)
}

impl Link {
    /// Begins a call.
    ///
    /// # Errors
    ///
    /// If the worker is gone.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        blocking: bool,
        frame: impl FnOnce(u64) -> Payload,
    ) -> Result<InFlight, Exit> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answers) = mpsc::channel(INBOX);
        match &mut *self.calls() {
            Some(calls) => calls.insert(number, Waiting { answer, blocking }),
            None => return Err(self.exit()),
        };
        self.count(blocking).fetch_add(1, Ordering::Relaxed);
        let call =
            InFlight { link: self.clone(), number, blocking, in_turn: blocking && self.in_turns, answers };
        self.out.send(frame(number)).await.map_err(|_gone| self.exit())?;
        Ok(call)
    }

    /// How busy it is: first what blocks it, then all.
    pub(crate) fn load(&self) -> (usize, usize) {
        let [concurrent, blocking] = &self.in_flight;
        (blocking.load(Ordering::Relaxed), concurrent.load(Ordering::Relaxed))
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.exit.get().is_some()
    }

    /// Has it killed for a call that takes too long.
    pub(crate) fn kill(&self) {
        self.too_long.cancel();
    }

    fn deliver(&self, number: u64, frame: FromWorker) {
        let answer =
            self.calls().as_ref().and_then(|calls| calls.get(&number).map(|waiting| waiting.answer.clone()));
        // Nobody waits for the answers of calls that were cancelled.
        if let Some(answer) = answer {
            let _full_or_gone = answer.try_send(frame);
        }
    }

    fn end(&self, exit: Exit) {
        let mut calls = self.calls();
        let running = calls.as_ref().and_then(oldest_blocking);
        // Whoever loses its sender by the next line asks for this one.
        let _set_once = self.exit.set(Gone { exit, running });
        *calls = None;
    }

    fn exit(&self) -> Exit {
        self.exit.get().map_or(Exit::Silent, |gone| gone.exit.clone())
    }

    fn count(&self, blocking: bool) -> &AtomicUsize {
        let [concurrent, blocks] = &self.in_flight;
        if blocking { blocks } else { concurrent }
    }

    fn calls(&self) -> MutexGuard<'_, Option<Calls>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    /// The next frame that answers it. Cancel-safe.
    ///
    /// # Errors
    ///
    /// If the worker is gone.
    pub(crate) async fn answer(&mut self) -> Result<FromWorker, NoAnswer> {
        match self.answers.recv().await {
            Some(answer) => Ok(answer),
            None => Err(self.lost()),
        }
    }

    /// Whether the worker may run it by now. Calls that block wait in it for their turn.
    pub(crate) fn has_begun(&self) -> bool {
        !self.in_turn || self.link.calls().as_ref().and_then(oldest_blocking) == Some(self.number)
    }

    fn lost(&self) -> NoAnswer {
        let running = self.link.exit.get().and_then(|gone| gone.running);
        if self.in_turn && running != Some(self.number) {
            NoAnswer::NotBegun
        } else {
            NoAnswer::Lost(self.link.exit())
        }
    }

    /// Asks for the next document of a stream.
    pub(crate) async fn want_next(&self) {
        if let Some(frame) = ToWorker::Next.write(self.number) {
            // One that is gone is noticed with the answer.
            let _gone = self.link.out.send(frame).await;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.link.count(self.blocking).fetch_sub(1, Ordering::Relaxed);
        let waited_for = self.link.calls().as_mut().and_then(|calls| calls.remove(&self.number));
        if waited_for.is_some()
            && let Some(frame) = ToWorker::Cancel.write(self.number)
        {
            // A worker that cannot be told finishes the call for nobody; one that has answered knows no such call.
            let _full_or_gone = self.link.out.try_send(frame);
        }
    }
}
