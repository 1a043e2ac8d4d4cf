//! Why a gateway does not start.

use std::fmt;
use std::io;
use std::process::ExitCode;

use executor_client::InvalidTarget;
use routing::Problem;
use server::{BindError, tls};

use crate::InvalidSettings;

/// Why a gateway does not start, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration makes no gateway.
    #[error("the configuration is wrong")]
    Settings(#[from] InvalidSettings),
    /// The graph is wrong.
    #[error("the graph is wrong:{}", List(.0))]
    Graph(Vec<Problem>),
    /// A port is not to be had.
    #[error("a port cannot be had")]
    Bind(#[from] BindError),
    /// The certificates towards clients cannot be used.
    #[error("connections from clients cannot be encrypted")]
    ServerTls(#[from] tls::TlsError),
    /// An executor can never be called.
    #[error("an executor cannot be called")]
    Target(#[from] InvalidTarget),
    /// The documents that one executor returns are not those that the next one takes.
    #[error("executors do not fit together:{}", List(.0))]
    Schemas(Vec<Problem>),
    /// The system refuses what every process needs.
    #[error("the system refuses {what}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl StartError {
    /// 2 if somebody must change the configuration, 1 if not.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) | Self::Graph(_) | Self::ServerTls(_) | Self::Target(_) => ExitCode::from(2),
            Self::Bind(_) | Self::Schemas(_) | Self::System { .. } => ExitCode::FAILURE,
        }
    }
}

/// Problems, one a line.
struct List<'a>(&'a [Problem]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
