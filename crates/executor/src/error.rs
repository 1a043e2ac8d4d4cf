//! Why an executor does not start.

use std::io;
use std::process::ExitCode;

use call::InvalidName;
use executor_client::InvalidTarget;
use executor_runtime::{Failure, HostError};
use server::{BindError, tls};

use crate::InvalidSettings;

/// Why an executor does not start, or does not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration makes no executor.
    #[error("the configuration is wrong")]
    Settings(#[from] InvalidSettings),
    /// The executor itself cannot be made.
    #[error("the executor cannot be hosted")]
    Host(#[from] HostError),
    /// Its workers cannot run it.
    #[error("the executor in Python cannot be run")]
    Python(#[source] executor_python::StartError),
    /// Making the executor panicked.
    #[error("the executor panicked while it was made")]
    Panicked,
    /// The port is not to be had.
    #[error("the port cannot be had")]
    Bind(#[from] BindError),
    /// The certificates cannot be used.
    #[error("connections cannot be encrypted")]
    Tls(#[from] tls::TlsError),
    /// The name of the executor behind a head cannot be one.
    #[error("the head has no good name")]
    Name(#[from] InvalidName),
    /// An executor behind a head can never be called.
    #[error("a shard cannot be called")]
    Target(#[from] InvalidTarget),
    /// The replica cannot take part.
    #[error("the executor cannot be one of several replicas")]
    Consensus(#[from] Box<consensus::StartError>),
    /// The replica could not go on.
    #[error("the replica could not go on with the others; the log says why")]
    Replica,
    /// The executor's code failed to close.
    #[error("the executor failed to close")]
    Close(#[source] Failure),
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
            Self::Settings(_)
            | Self::Tls(_)
            | Self::Name(_)
            | Self::Target(_)
            | Self::Host(
                HostError::UnknownMethod { .. }
                | HostError::UnknownBatching { .. }
                | HostError::StreamingWrite { .. },
            ) => ExitCode::from(2),
            Self::Python(error) if error.is_configuration() => ExitCode::from(2),
            Self::Host(HostError::Build(_))
            | Self::Python(_)
            | Self::Panicked
            | Self::Bind(_)
            | Self::Consensus(_)
            | Self::Replica
            | Self::Close(_)
            | Self::System { .. } => ExitCode::FAILURE,
        }
    }
}
