//! Making calls of an executor's code: how many at once, for how long, and on which thread.
//!
//! Code that is not `async` runs on a thread of its own. So does `async` code where calls are limited in time or
//! memory, because only then can somebody else answer for code that never gives its thread back.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use call::{Error, ErrorCode};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{Instrument as _, Span};

use crate::endpoint::{Called, Code};
use crate::foreign::Call;
use crate::gate::{Gate, Place};
use crate::memory::Memory;
use crate::{Failure, Invocation, Outcome};

/// Threads that may be given up before the process ends: their code never comes back.
const MAX_STUCK: usize = 16;

/// Makes calls, and bounds them.
pub(crate) struct Calls {
    /// Before `async` code and streams.
    pub(crate) gate: Gate,
    /// Before code that blocks.
    pub(crate) blocking_gate: Gate,
    /// What goes on without its caller; whoever ends the process waits for it here.
    pub(crate) tasks: TaskTracker,
    /// How long one call may take.
    pub(crate) max_time: Option<Duration>,
    pub(crate) memory: Arc<Memory>,
    /// Calls that were given up and whose code still runs.
    pub(crate) stuck: Arc<AtomicUsize>,
    /// Cancelled when the process should end.
    pub(crate) exit: CancellationToken,
}

/// Why a call was ended by us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// Its code took too long.
    #[error("the executor's code did not come back within {} ms", .0.as_millis())]
    TooLong(Duration),
    /// The process uses too much memory.
    #[error("the executor uses more memory than it may: the limit is {limit} bytes")]
    Memory { limit: u64 },
    /// The runtime that it ran on has ended.
    #[error("the executor is being closed")]
    Closing,
    /// Its code is elsewhere, and nobody was there to call.
    #[error("{message}")]
    Elsewhere { code: ErrorCode, message: Arc<str> },
}

impl From<Cut> for Error {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::TooLong(_) => Self::new(ErrorCode::DeadlineExceeded, cut),
            Cut::Memory { .. } => {
                Self::new(ErrorCode::Overloaded, cut).with_retry_after(Duration::from_secs(1))
            }
            Cut::Closing => Self::new(ErrorCode::Unavailable, cut),
            Cut::Elsewhere { code, .. } => Self::new(code, cut),
        }
    }
}

/// What became of a call: the outer error is ours, the inner one the code's.
pub(crate) type Made = Result<Result<Outcome, Failure>, Cut>;

impl Calls {
    /// The gate before `code`.
    fn gate(&self, code: &Code) -> &Gate {
        match code {
            Code::Async(_) | Code::Stream(_) => &self.gate,
            Code::Blocking(_) => &self.blocking_gate,
            Code::Foreign { blocking, .. } => {
                if *blocking {
                    &self.blocking_gate
                } else {
                    &self.gate
                }
            }
        }
    }

    /// Waits for a place, unless too many wait already or the memory is used up. Cancel-safe.
    pub(crate) async fn enter(&self, code: &Code) -> Result<Place, Error> {
        if let Some(cut) = self.memory.refusal() {
            return Err(cut.into());
        }
        self.gate(code).enter().await
    }

    /// Waits for a place, however many wait. For those whose number is bounded elsewhere. Cancel-safe.
    pub(crate) async fn enter_bounded_elsewhere(&self, code: &Code) -> Result<Place, Cut> {
        self.gate(code).wait().await.ok_or(Cut::Closing)
    }

    /// Makes one call, wherever its code is.
    pub(crate) async fn call(
        &self,
        code: &Code,
        invocation: Invocation,
        place: Place,
    ) -> Result<Result<Outcome, Failure>, Error> {
        match code {
            Code::Foreign { run, blocking } => self.run_elsewhere(run, *blocking, invocation, place).await,
            Code::Async(_) | Code::Blocking(_) | Code::Stream(_) => {
                Ok(self.run(code, invocation, place).await?)
            }
        }
    }

    /// Makes one call. Dropping the future drops `async` code, and tells other code through its context.
    pub(crate) async fn run(&self, code: &Code, invocation: Invocation, place: Place) -> Made {
        let left = invocation.context.left.clone();
        match code {
            Code::Async(run) if !self.is_limited() => {
                let _place = place;
                let call = AssertUnwindSafe(async { run(invocation).await }).catch_unwind();
                Ok(call.await.unwrap_or_else(|panic| Err(Failure::panic(&*panic))))
            }
            Code::Async(run) => {
                let call: Called<Outcome> = run(invocation);
                let (runtime, gone) = (Handle::current(), left.clone());
                let work = move || {
                    runtime.block_on(async move {
                        tokio::select! {
                            biased;
                            outcome = call => outcome,
                            () = gone.cancelled() => Err(Failure::new("Cancelled", "nobody waits for the answer")),
                        }
                    })
                };
                let _leaves = left.clone().drop_guard();
                self.on_thread(place, left, work).await
            }
            Code::Blocking(run) => {
                let run = run.clone();
                let _leaves = left.clone().drop_guard();
                self.on_thread(place, left, move || run(invocation)).await
            }
            // Whoever calls these does it in a way of its own.
            Code::Stream(_) => Ok(Err(Failure::new("TypeError", "the endpoint streams documents"))),
            Code::Foreign { run, blocking } => {
                let called = self.run_elsewhere(run, *blocking, invocation, place).await;
                called.map_err(|error| Cut::Elsewhere { code: error.code, message: error.to_string().into() })
            }
        }
    }

    /// Makes one call of code in another process, which bounds its time and memory itself. Dropping the future
    /// cancels it, unless the code is a blocking one: that keeps its place until it is done.
    pub(crate) async fn run_elsewhere(
        &self,
        run: &Call,
        blocking: bool,
        invocation: Invocation,
        place: Place,
    ) -> Result<Result<Outcome, Failure>, Error> {
        let call = run(invocation);
        let call = async move {
            let _place = place;
            call.await
        };
        if blocking {
            self.tasks.spawn(call.in_current_span()).await.map_err(|_ended| Cut::Closing)?
        } else {
            call.await
        }
    }

    /// Whether calls are ended by us.
    fn is_limited(&self) -> bool {
        self.max_time.is_some() || self.memory.limit().is_some()
    }

    /// Calls `work` on a thread of its own. It keeps its place until it is done, even if nobody waits for it any
    /// more, unless it is given up.
    async fn on_thread(
        &self,
        place: Place,
        left: CancellationToken,
        work: impl FnOnce() -> Result<Outcome, Failure> + Send + 'static,
    ) -> Made {
        let held = Arc::new(Held {
            holds: Mutex::new(Some((place, self.tasks.token()))),
            is_given_up: AtomicBool::new(false),
            stuck: self.stuck.clone(),
        });
        let returns = Returns(held.clone());
        let span = Span::current();
        let thread = tokio::task::spawn_blocking(move || {
            let _returns = returns;
            span.in_scope(work)
        });
        if !self.is_limited() {
            return finished(thread.await);
        }
        // The limits hold for calls whose callers have left, too: these would keep their places for ever.
        let (max_time, memory, exit) = (self.max_time, self.memory.clone(), self.exit.clone());
        let watch = async move {
            let cut = tokio::select! {
                biased;
                done = thread => return finished(done),
                cut = too_long(max_time) => cut,
                cut = memory.exceeded() => cut,
            };
            left.cancel();
            if held.give_up() >= MAX_STUCK {
                tracing::error!(limit = MAX_STUCK, "too many calls never come back: the process ends");
                exit.cancel();
            }
            tracing::warn!(error = %cut, "a call was given up");
            Err(cut)
        };
        let watched = self.tasks.spawn(watch.in_current_span());
        watched.await.unwrap_or(Err(Cut::Closing))
    }
}

/// What became of a thread.
fn finished(thread: Result<Result<Outcome, Failure>, JoinError>) -> Made {
    match thread {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_panic() => Ok(Err(Failure::panic(&*error.into_panic()))),
        Err(_) => Err(Cut::Closing),
    }
}

/// Ends when a call that begins now has taken too long.
async fn too_long(max_time: Option<Duration>) -> Cut {
    match max_time {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            Cut::TooLong(limit)
        }
        None => std::future::pending().await,
    }
}

/// What a thread holds: its place, and that the process waits for it.
struct Held {
    holds: Mutex<Option<(Place, TaskTrackerToken)>>,
    is_given_up: AtomicBool,
    stuck: Arc<AtomicUsize>,
}

impl Held {
    /// Gives the place to others although the thread is not done; returns how many such threads there are.
    fn give_up(&self) -> usize {
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        if holds.take().is_none() {
            // It was done just now.
            return self.stuck.load(Ordering::Relaxed);
        }
        self.is_given_up.store(true, Ordering::Relaxed);
        self.stuck.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Returns what a thread holds when the thread is done, even by a panic.
struct Returns(Arc<Held>);

impl Drop for Returns {
    fn drop(&mut self) {
        let mut holds = self.0.holds.lock().unwrap_or_else(PoisonError::into_inner);
        if holds.take().is_none() && self.0.is_given_up.load(Ordering::Relaxed) {
            self.0.stuck.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
