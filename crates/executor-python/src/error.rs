//! Why an executor in Python does not start, and what becomes of calls whose worker is gone.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use call::wire::Malformed;
use docarray::discovery::InvalidDiscovery;
use executor_runtime::Failure;

use crate::frame;
use crate::process::Exit;

/// Why a worker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error("the Python interpreter `{}` cannot be started; --python-interpreter or JINA_PYTHON names another", interpreter.display())]
    Interpreter {
        /// As configured or found.
        interpreter: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The user's environment lacks what the executor's class is made of.
    #[error(
        "Python {version} at {interpreter} cannot load what executors need: {error}; install it with \
         `{interpreter} -m pip install jina 'docarray>=0.30'`, or let --python-interpreter name a Python that has it"
    )]
    Environment {
        /// Where it is.
        interpreter: String,
        /// Its version.
        version: String,
        /// What failed.
        error: String,
    },
    /// The file, its modules or the class cannot be loaded.
    #[error("the executor cannot be loaded by Python {version} at {interpreter}: {error}{traceback}")]
    Configuration {
        /// Where it is.
        interpreter: String,
        /// Its version.
        version: String,
        /// What failed.
        error: String,
        /// Where it failed.
        traceback: String,
    },
    /// The executor's own code refuses.
    #[error("the executor cannot be made: {error}{traceback}")]
    Executor {
        /// What it raised.
        error: String,
        /// Where.
        traceback: String,
    },
    /// The worker ended first.
    #[error("a Python worker {exit} before the executor was loaded")]
    Ended {
        /// How.
        exit: Exit,
    },
    /// It took too long.
    #[error("the executor was not loaded within {limit:?}")]
    TooLong {
        /// The limit.
        limit: Duration,
    },
    /// The other end does not speak as it should.
    #[error("a Python worker cannot be understood")]
    Frame(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system refuses what is needed.
    #[error("the system refuses {what}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl StartError {
    /// Whether somebody must change the configuration.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        match self {
            Self::Interpreter { .. } | Self::Environment { .. } | Self::Configuration { .. } => true,
            Self::Executor { .. }
            | Self::Ended { .. }
            | Self::TooLong { .. }
            | Self::Frame(_)
            | Self::System { .. } => false,
        }
    }
}

impl From<frame::Malformed> for StartError {
    fn from(error: frame::Malformed) -> Self {
        Self::Frame(error.into())
    }
}

impl From<Malformed> for StartError {
    fn from(error: Malformed) -> Self {
        Self::Frame(error.into())
    }
}

impl From<InvalidDiscovery> for StartError {
    fn from(error: InvalidDiscovery) -> Self {
        Self::Frame(error.into())
    }
}

/// No worker is there to be called. The call has not begun, so it may be tried elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("no Python worker of executor {executor} is running; the last one {exit}")]
pub(crate) struct NoWorker {
    pub(crate) executor: String,
    pub(crate) exit: Exit,
}

/// More bytes than a worker can be sent at once.
#[derive(Debug, thiserror::Error)]
#[error("the request is larger than 2 GiB, which is all that a Python worker can be sent at once")]
pub(crate) struct TooLarge;

/// The worker is gone that ran a call. Nobody knows how far it came, and it may be the call's own fault, so this is
/// an answer, which nobody tries again.
pub(crate) fn lost(executor: &str, worker: usize, exit: &Exit) -> Failure {
    Failure::new(
        "WorkerLost",
        format!("Python worker {worker} of executor {executor} {exit} while it ran the call"),
    )
}

/// The call took longer than any may.
pub(crate) fn too_long(executor: &str, worker: usize, limit: Duration) -> Failure {
    let message = format!(
        "the call took longer than the limit of {limit:?}; Python worker {worker} of executor {executor} is killed"
    );
    Failure::new("CallTooLong", message)
}
