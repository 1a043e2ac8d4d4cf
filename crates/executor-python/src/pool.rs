//! The workers of an executor: started, called, and started again when they end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use call::{Error, ErrorCode};
use executor_runtime::{Failure, Invocation, Items, Outcome};
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::backoff::Backoff;
use crate::error::{NoWorker, TooLarge, lost, too_long};
use crate::frame::{FromWorker, ToWorker};
use crate::hello::{Hello, failure};
use crate::link::{Connected, InFlight, Link, NoAnswer};
use crate::process::Exit;
use crate::{Settings, StartError};

/// A worker that lived this long was well; its end does not count with those before.
const WELL: Duration = Duration::from_secs(30);

/// Calls in a worker that runs one at a time.
const AHEAD: usize = 8;

/// The workers of one executor.
#[derive(Debug)]
pub(crate) struct Pool {
    /// In errors and the log.
    name: String,
    settings: Settings,
    slots: Vec<Mutex<Slot>>,
    up: watch::Sender<usize>,
    restarts: watch::Sender<u64>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// What closing the executor failed with.
    failed: Mutex<Option<Failure>>,
}

/// A call that a worker did not answer.
enum Unanswered {
    Failed(Failure),
    NotBegun,
}

#[derive(Debug)]
enum Slot {
    Up(Arc<Link>),
    Down(Exit),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Starts all workers, and returns what the first says of the executor.
    pub(crate) async fn start(settings: Settings, name: String) -> Result<(Arc<Self>, Hello), StartError> {
        let tasks = TaskTracker::new();
        let workers = 0..settings.workers.get();
        let connecting = workers.clone().map(|worker| Connected::start(&settings, worker, &tasks));
        let connected = try_join_all(connecting).await?;
        let Some(hello) = connected.first().map(|first| first.hello.clone()) else {
            return Err(StartError::Ended { exit: Exit::Never });
        };
        let pool = Arc::new(Self {
            name,
            slots: workers.map(|_| Mutex::new(Slot::Down(Exit::Never))).collect(),
            up: watch::Sender::new(0),
            restarts: watch::Sender::new(0),
            stop: CancellationToken::new(),
            failed: Mutex::new(None),
            tasks: tasks.clone(),
            settings,
        });
        for first in connected {
            pool.set(first.link.worker, Slot::Up(first.link.clone()));
            tasks.spawn(pool.clone().keep(first).in_current_span());
        }
        Ok((pool, hello))
    }

    /// How many calls that block a worker are sent to the workers at a time. Those that wait there for their turn
    /// spare it the pause between two calls, and are given to another one if it ends. Batches are not sent ahead:
    /// what waits for a worker here can still grow.
    pub(crate) fn parallel(&self, is_batched: bool) -> usize {
        let ahead = if is_batched || self.settings.allows_concurrent() { 1 } else { AHEAD };
        self.settings.workers.get() * ahead
    }

    /// How many workers are up.
    pub(crate) fn up(&self) -> watch::Receiver<usize> {
        self.up.subscribe()
    }

    /// How many workers were started again.
    pub(crate) fn restarts(&self) -> watch::Receiver<u64> {
        self.restarts.subscribe()
    }

    /// Serves a worker, and those that follow it, until the pool is closed.
    async fn keep(self: Arc<Self>, first: Connected) {
        let worker = first.link.worker;
        let mut backoff = Backoff::new();
        let mut connected = Some(first);
        while !self.stop.is_cancelled() {
            if let Some(connected) = connected.take() {
                self.set(worker, Slot::Up(connected.link.clone()));
                let since = Instant::now();
                let (exit, failed) = connected.serve(&self.stop).await;
                self.set(worker, Slot::Down(exit.clone()));
                if let Some(failed) = failed {
                    lock(&self.failed).get_or_insert(failed);
                }
                if self.stop.is_cancelled() {
                    return;
                }
                if since.elapsed() >= WELL {
                    backoff.reset();
                }
                tracing::error!(executor = self.name, worker, "a Python worker {exit}; it is started again");
            }
            let pause = backoff.pause();
            let next = async {
                tokio::time::sleep(pause).await;
                Connected::start(&self.settings, worker, &self.tasks).await
            };
            let started = tokio::select! {
                started = next => started,
                () = self.stop.cancelled() => return,
            };
            match started {
                Ok(started) => {
                    // Before anyone can call it.
                    self.restarts.send_modify(|restarts| *restarts += 1);
                    connected = Some(started);
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(
                        executor = self.name,
                        worker,
                        error,
                        "a Python worker cannot be started again"
                    );
                }
            }
        }
    }

    fn set(&self, worker: usize, slot: Slot) {
        if let Some(mutex) = self.slots.get(worker) {
            *lock(mutex) = slot;
        }
        let up = self.slots.iter().filter(|slot| matches!(&*lock(slot), Slot::Up(_))).count();
        self.up.send_replace(up);
    }

    /// The least busy worker.
    fn pick(&self) -> Result<Arc<Link>, Error> {
        let mut best: Option<((usize, usize), Arc<Link>)> = None;
        let mut last = Exit::Never;
        for slot in &self.slots {
            match &*lock(slot) {
                // It is taken out of its slot a moment later.
                Slot::Up(link) if link.is_gone() => {}
                Slot::Up(link) => {
                    let load = link.load();
                    if best.as_ref().is_none_or(|(least, _)| load < *least) {
                        best = Some((load, link.clone()));
                    }
                }
                Slot::Down(exit) => last = exit.clone(),
            }
        }
        best.map(|(_, link)| link).ok_or_else(|| self.nobody(last))
    }

    fn nobody(&self, exit: Exit) -> Error {
        Error::new(ErrorCode::Unavailable, NoWorker { executor: self.name.clone(), exit })
    }

    /// Calls an endpoint.
    pub(crate) async fn call(
        self: Arc<Self>,
        invocation: Invocation,
        blocking: bool,
    ) -> Result<Result<Outcome, Failure>, Error> {
        let wire = proto::message::write_list(&invocation.requests());
        drop(invocation);
        let answer = loop {
            let begin = |number| ToWorker::Call(wire.clone()).write(number);
            let (link, mut call) = self.begin(blocking, begin).await?;
            match self.answer(&link, &mut call).await {
                Ok(answer) => break answer,
                Err(Unanswered::Failed(failure)) => return Ok(Err(failure)),
                // Another worker can have it.
                Err(Unanswered::NotBegun) => {}
            }
        };
        Ok(match answer {
            FromWorker::Answer(results, docs) => outcome(&results, docs),
            FromWorker::Failure(status) => Err(failure(status)),
            FromWorker::Unreadable(status) => Err(failure(status).uncalled()),
            other => Err(unexpected(&other)),
        })
    }

    /// Calls an endpoint that streams.
    pub(crate) async fn stream(self: Arc<Self>, invocation: Invocation, items: Items) -> Result<(), Failure> {
        let wire = proto::message::write_list(&[invocation.streamed()]);
        let begun = self.begin(false, |number| ToWorker::Stream(wire).write(number)).await;
        let (link, mut call) = begun.map_err(|error| Failure::new("WorkerLost", error.to_string()))?;
        loop {
            let answer = self.answer(&link, &mut call).await;
            let answer = answer.map_err(|unanswered| match unanswered {
                Unanswered::Failed(failure) => failure,
                // Streams have no turns.
                Unanswered::NotBegun => lost(&self.name, link.worker, &Exit::Silent),
            })?;
            match answer {
                FromWorker::Item(doc) => items.send_encoded(doc.into()).await,
                FromWorker::ItemFailure(status) => items.send_failure(&failure(status)).await,
                FromWorker::End => return Ok(()),
                FromWorker::Failure(status) | FromWorker::Unreadable(status) => return Err(failure(status)),
                other => return Err(unexpected(&other)),
            }
            call.want_next().await;
        }
    }

    async fn begin(
        &self,
        blocking: bool,
        frame: impl FnOnce(u64) -> Option<call::Payload>,
    ) -> Result<(Arc<Link>, InFlight), Error> {
        let link = self.pick()?;
        let mut too_large = false;
        let frame = |number| {
            let frame = frame(number);
            too_large = frame.is_none();
            frame.unwrap_or_default()
        };
        let begun = link.begin(blocking, frame).await;
        if too_large {
            return Err(Error::new(ErrorCode::InvalidRequest, TooLarge));
        }
        begun.map(|call| (link, call)).map_err(|exit| self.nobody(exit))
    }

    /// Waits for a worker no longer than a call may take.
    async fn answer(&self, link: &Link, call: &mut InFlight) -> Result<FromWorker, Unanswered> {
        let answer = match self.settings.call_limit {
            None => call.answer().await,
            Some(limit) => loop {
                if let Ok(answer) = tokio::time::timeout(limit, call.answer()).await {
                    break answer;
                }
                // The time of one that waits in the worker for its turn is still to come.
                if call.has_begun() {
                    link.kill();
                    return Err(Unanswered::Failed(too_long(&self.name, link.worker, limit)));
                }
            },
        };
        answer.map_err(|none| match none {
            NoAnswer::Lost(exit) => Unanswered::Failed(lost(&self.name, link.worker, &exit)),
            NoAnswer::NotBegun => Unanswered::NotBegun,
        })
    }

    /// Lets all workers close the executor and end.
    pub(crate) async fn close(&self) -> Result<(), Failure> {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        lock(&self.failed).take().map_or(Ok(()), Err)
    }
}

fn outcome(results: &[u8], docs: bytes::Bytes) -> Result<Outcome, Failure> {
    let documents = Some(docs.into());
    if results.is_empty() {
        return Ok(Outcome { documents, results: None });
    }
    let results = serde_json::from_slice(results);
    let results = results.map_err(|error| Failure::new("ValueError", format!("the results: {error}")))?;
    Ok(Outcome { documents, results: Some(results) })
}

fn unexpected(frame: &FromWorker) -> Failure {
    tracing::error!(?frame, "a Python worker answers with what it was not asked for");
    Failure::new("ProtocolError", "the Python worker cannot be understood")
}
