//! How executors are, for people who ask why a gateway is not ready.

use std::fmt;

use call::ExecutorName;

use crate::executor::Executor;

/// How one executor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub executor: ExecutorName,
    /// Whether it has told its endpoints.
    pub answered: bool,
    /// Why it could not be asked for them when last tried.
    pub failure: Option<String>,
    /// Its addresses: those of the configuration, or what they resolve to.
    pub addresses: Vec<AddressReport>,
}

/// How one address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressReport {
    /// The address, and what it resolved to.
    pub address: String,
    /// How it is.
    pub state: State,
    /// What went wrong when it was last tried.
    pub failure: Option<String>,
}

/// How an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It takes calls.
    Serving,
    /// It can be connected to, but failed calls or probes, and is probed further.
    OutOfRotation,
    /// There is no connection.
    Unreachable,
    /// The name does not resolve.
    Unresolved,
}

impl Report {
    pub(crate) fn of(executor: &Executor, answered: bool) -> Self {
        let members = executor.members.borrow().clone();
        let replicas = members.iter().map(|replica| AddressReport {
            address: replica.label.clone(),
            state: match (replica.is_reached(), replica.is_out()) {
                (true, false) => State::Serving,
                (true, true) => State::OutOfRotation,
                (false, _) => State::Unreachable,
            },
            failure: replica.failure().as_deref().cloned(),
        });
        let unresolved = executor.unresolved();
        let unresolved = executor.addresses.iter().zip(unresolved.iter()).filter_map(|(address, reason)| {
            let failure = Some(reason.clone()?);
            Some(AddressReport { address: address.to_string(), state: State::Unresolved, failure })
        });
        Self {
            executor: executor.name.clone(),
            answered,
            failure: executor.undiscovered.load_full().as_deref().cloned(),
            addresses: replicas.chain(unresolved).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answered = if self.answered { "has told its endpoints" } else { "has not answered yet" };
        write!(f, "executor `{}` {answered}", self.executor)?;
        if let Some(failure) = &self.failure {
            write!(f, ": {failure}")?;
        }
        for address in &self.addresses {
            write!(f, "; {address}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AddressReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address, self.state)?;
        match &self.failure {
            Some(failure) => write!(f, " ({failure})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serving => "is reached",
            Self::OutOfRotation => "is left out",
            Self::Unreachable => "is not reached",
            Self::Unresolved => "does not resolve",
        })
    }
}
