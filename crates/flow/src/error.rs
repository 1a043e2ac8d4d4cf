//! What keeps a Flow from running.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::{NoDocker, NoJina};

/// One thing that must be changed before a Flow can start.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// In what was written.
    #[error(transparent)]
    Config(#[from] config::Problem),
    /// In the graph.
    #[error(transparent)]
    Graph(#[from] routing::Problem),
    /// In how the gateway is set up.
    #[error(transparent)]
    Gateway(#[from] gateway::InvalidSettings),
    /// Something that is understood, but that this version cannot do.
    #[error("executor `{deployment}`: {what} is not supported by this version")]
    Unsupported {
        /// The deployment.
        deployment: String,
        /// What it asks for.
        what: &'static str,
    },
}

/// Why a Flow did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is wrong as it was written.
    #[error("{}", Lines(.0))]
    Problems(Vec<Problem>),
    /// Python executors cannot be run.
    #[error("nothing here can run the Python executors {}", .executors.join(", "))]
    NoJina {
        /// Which.
        executors: Vec<String>,
        /// What is missing.
        source: NoJina,
    },
    /// Executors in containers cannot be run.
    #[error("nothing here can run the containers of {}", .executors.join(", "))]
    NoDocker {
        /// Which.
        executors: Vec<String>,
        /// What is missing.
        source: NoDocker,
    },
    /// Executors that run cannot be asked.
    #[error("the executors cannot be asked")]
    Ask {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An executor of this process did not start.
    #[error("executor `{executor}` did not start")]
    Executor {
        /// Its name.
        executor: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A process could not be made.
    #[error("the process of executor `{executor}` could not be started")]
    Spawn {
        /// Its name.
        executor: String,
        /// Why.
        source: io::Error,
    },
    /// An executor ended before the Flow was ready.
    #[error(
        "executor `{executor}` ended before the Flow was ready{}",
        .status.map(|status| format!(" ({status})")).unwrap_or_default()
    )]
    Ended {
        /// Its name.
        executor: String,
        /// How its process ended, if it had one of its own.
        status: Option<ExitStatus>,
    },
    /// The gateway did not start.
    #[error("the gateway did not start")]
    Gateway {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("the Flow was not ready within {allowed:?}{}", Waiting(.waiting))]
    NotReady {
        /// How long it was allowed to take.
        allowed: Duration,
        /// What it waited for.
        waiting: Vec<String>,
    },
    /// It was told to stop before it was ready.
    #[error("the gateway stopped before it was ready")]
    Stopped,
    /// A client of ours speaks gRPC only.
    #[error("the gateway has no port that speaks gRPC")]
    NoGrpc,
    /// A client of it cannot be made.
    #[error("the Flow cannot be called")]
    Client(#[from] client::Error),
    /// The system refuses something that a Flow needs.
    #[error("the system refuses {what}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// One problem a line.
struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

struct Waiting<'a>(&'a [String]);

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "; it waited for {}", self.0.join("; ")) }
    }
}

impl From<Vec<config::Problem>> for Error {
    fn from(problems: Vec<config::Problem>) -> Self {
        Self::Problems(problems.into_iter().map(Problem::Config).collect())
    }
}
