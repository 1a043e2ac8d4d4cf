//! The executor as a process.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use config::{ExecutorSpec, Role};
use executor_runtime::{Entry, Registry};
use rustix::process::{Resource, Rlimit, setrlimit};
use server::{Outcome, Signals, Workers, complain};
use tokio::runtime::Builder;
use tracing::warn;

use crate::{
    HeadSettings, InvalidSettings, Python, Running, RunningHead, Settings, StartError, entry, start,
    start_head, start_python,
};

/// What it is called in its last words.
pub(crate) const NAME: &str = "executor";

/// Runs an executor of `registry`, or a head, until it is told to stop.
#[must_use]
pub fn run(spec: ExecutorSpec, registry: &Registry) -> ExitCode {
    if let Err(error) = server::log::start(&spec.log) {
        complain(NAME, &error);
        return ExitCode::from(2);
    }
    if let Some(limit) = spec.memory_limit {
        bound_memory(limit);
    }
    match Job::of(spec, registry).map_err(StartError::Settings).and_then(serve) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::CutOff { tasks }) => {
            warn!(tasks, "what was not finished was cut off");
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(NAME, &error);
            error.exit_code()
        }
    }
}

/// What the process is to be.
enum Job {
    Executor(Settings, Entry),
    Python(Settings, Python),
    Head(HeadSettings),
}

/// What it has become.
enum Started {
    Executor(Running),
    Head(RunningHead),
}

impl Job {
    fn of(spec: ExecutorSpec, registry: &Registry) -> Result<Self, InvalidSettings> {
        if let Role::Head(head) = &spec.role {
            return Ok(Self::Head(HeadSettings::new(&spec, head)?));
        }
        if let Some(python) = Python::of(&spec) {
            return Ok(Self::Python(Settings::try_from(spec)?, python));
        }
        let entry = entry(&spec.uses, registry)?;
        if !spec.py_modules.is_empty() {
            warn!(modules = ?spec.py_modules, "`py_modules` has no effect on an executor in Rust");
        }
        Ok(Self::Executor(Settings::try_from(spec)?, entry))
    }

    async fn start(self, workers: Arc<Workers>) -> Result<Started, StartError> {
        match self {
            Self::Executor(settings, entry) => start(settings, entry, workers).await.map(Started::Executor),
            Self::Python(settings, python) => {
                start_python(settings, python, workers).await.map(Started::Executor)
            }
            Self::Head(settings) => start_head(settings, workers).map(Started::Head),
        }
    }
}

fn serve(job: Job) -> Result<Outcome, StartError> {
    let refused = |what| move |source| StartError::System { what, source };
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let configured = match &job {
        Job::Executor(settings, _) | Job::Python(settings, _) => settings.serving.workers,
        Job::Head(settings) => settings.serving.workers,
    };
    let workers = configured.unwrap_or_else(cores);
    let workers = Arc::new(Workers::start(workers.get()).map_err(refused("threads"))?);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(refused("a runtime"))?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::new().map_err(refused("signals"))?;
        let started = tokio::select! {
            started = job.start(workers) => started?,
            () = signals.stopped(None) => return Ok(Outcome::Clean),
        };
        match started {
            Started::Executor(running) => {
                let tls = running.tls().cloned();
                running.run(async move { signals.stopped(tls).await }).await
            }
            Started::Head(running) => {
                let tls = running.tls().cloned();
                Ok(running.run(async move { signals.stopped(tls).await }).await)
            }
        }
    });
    // An executor that is still being made cannot be stopped, and nobody waits for it.
    runtime.shutdown_background();
    outcome
}

/// Lets the operating system refuse memory to code that goes on past the limit, which ends the process. It counts
/// what is reserved, not what is used, so it leaves room for the stacks of threads.
fn bound_memory(limit: u64) {
    const RESERVED: u64 = 1 << 30;
    let most = Some(limit.saturating_add(RESERVED));
    if let Err(error) = setrlimit(Resource::Data, Rlimit { current: most, maximum: most }) {
        warn!(%error, "the system does not limit the memory");
    }
}
