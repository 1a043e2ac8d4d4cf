//! Asking another process whether it serves.

mod address;
mod over_grpc;
mod over_http;
mod tls;

use std::convert::Infallible;
use std::time::Duration;

pub use address::{Address, InvalidAddress};

use address::Protocol;
pub use tls::Credentials;

use tls::{Encryption, Trust};

/// What is asked, of whom, and how often.
#[derive(Debug, Clone)]
pub struct Ping {
    /// What is asked.
    pub subject: Subject,
    /// Of whom.
    pub address: Address,
    /// How long each round may take.
    pub allowed: Duration,
    /// How many rounds to try at most.
    pub attempts: u32,
    /// How many rounds must succeed.
    pub min_successful: u32,
    /// What is shown and known where it is asked encrypted.
    pub credentials: Credentials,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Whether a gateway or an executor is ready for requests.
    Process,
    /// Whether a request passes through all executors of a Flow.
    Flow,
}

/// Why a process does not count as serving.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// The name has no address.
    #[error("cannot resolve `{host}`")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        source: Option<std::io::Error>,
    },
    /// There is no connection.
    #[error("cannot connect to {address}")]
    Connect {
        /// The address.
        address: Address,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The call failed.
    #[error("{address} gave no answer")]
    Call {
        /// The address.
        address: Address,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("{address} gave no answer within {allowed:?}")]
    TimedOut {
        /// The address.
        address: Address,
        /// How long it was allowed to take.
        allowed: Duration,
    },
    /// The process says that it is not ready.
    #[error("{address} is not ready for requests")]
    NotReady {
        /// The address.
        address: Address,
    },
    /// The process answered something else than a healthy one does.
    #[error("{address} answered with status {status}")]
    HttpStatus {
        /// The address.
        address: Address,
        /// The status.
        status: http::StatusCode,
    },
    /// The request did not pass through the Flow.
    #[error("the dry run of the Flow at {address} failed: {description}")]
    DryRun {
        /// The address.
        address: Address,
        /// As the gateway told it.
        description: String,
    },
}

/// Asks until enough rounds have succeeded.
///
/// # Errors
///
/// The failure of the last round, if too few have.
pub async fn ping(ping: &Ping) -> Result<(), PingError> {
    let mut successful = 0;
    let mut outcome = Ok(());
    for _ in 0..ping.attempts {
        outcome = round(ping).await;
        successful += u32::from(outcome.is_ok());
        if successful >= ping.min_successful {
            return Ok(());
        }
    }
    outcome
}

async fn round(ping: &Ping) -> Result<(), PingError> {
    let Ping { subject, address, allowed, .. } = ping;
    let asked = async {
        // A dry run carries what a client would send, so it goes to nobody but whom the address means. Whether a
        // process serves is asked as exported probes ask: they say nothing of encryption, and know no authorities.
        if *subject == Subject::Flow || ping.credentials.authorities.is_some() {
            let trust = if address.secure { Trust::Verified } else { Trust::Plaintext };
            return ask(ping, trust).await;
        }
        let (first, second) = (Trust::Plaintext, Trust::Anybody);
        let (first, second) = if address.secure { (second, first) } else { (first, second) };
        match ask(ping, first).await {
            Err(error @ (PingError::Connect { .. } | PingError::Call { .. })) => {
                ask(ping, second).await.map_err(|_| error)
            }
            outcome => outcome,
        }
    };
    let timed_out = || PingError::TimedOut { address: address.clone(), allowed: *allowed };
    tokio::time::timeout(*allowed, asked).await.unwrap_or_else(|_| Err(timed_out()))
}

async fn ask(ping: &Ping, trust: Trust) -> Result<(), PingError> {
    let Ping { subject, address, allowed, credentials, .. } = ping;
    let encryption = Encryption { trust, credentials };
    match address.protocol {
        Protocol::Grpc => over_grpc::ask(*subject, address, encryption, *allowed).await,
        Protocol::Http => over_http::ask(*subject, address, encryption).await,
    }
}

/// Drives a connection while its answer is awaited. The connection's end is the answer's to report: part of
/// it may still have to be read.
async fn without_end(connection: impl Future) -> Infallible {
    connection.await;
    std::future::pending().await
}

#[cfg(test)]
mod tests;
