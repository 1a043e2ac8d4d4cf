//! One connection, made when it is needed and made again when it breaks.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use call::Deadline;
use grpc::client::{CallError, ConnectError, Connection, Driver, Outgoing, Reply, Target, connect};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::{Address, Error, Settings};

/// The pause after the first try that failed; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a call that certainly did not begin is made again on a new connection.
const RESENDS: usize = 3;

/// Owns the connection of a client and its clones.
#[derive(Debug)]
pub(crate) struct Connector {
    address: Address,
    target: Target,
    settings: Settings,
    current: Mutex<Option<Connection>>,
    /// The driver of the connection; cancelled with the connector.
    drivers: TaskTracker,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Connector {
    pub(crate) fn new(address: Address, settings: Settings) -> Result<Self, Error> {
        let tls = match address.encrypted {
            false => None,
            true => {
                let tls = settings.tls.client(&address);
                Some(tls.map_err(|source| Error::Tls { address: address.clone(), source })?)
            }
        };
        let stop = CancellationToken::new();
        Ok(Self {
            target: Target { authority: address.authority.clone(), tls },
            address,
            settings,
            current: Mutex::new(None),
            drivers: TaskTracker::new(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether there is a connection that can be used.
    pub(crate) fn is_connected(&self) -> bool {
        let current = self.current.try_lock();
        current.is_ok_and(|current| current.as_ref().is_some_and(|connection| !connection.is_closed()))
    }

    /// The connection; a new one if there is none that can be used.
    pub(crate) async fn connection(&self, deadline: Deadline) -> Result<Connection, Error> {
        let waited = self.settings.patience;
        let patience = Deadline::after(waited).min(deadline);
        // One dials for all; those behind it wait as long as they would have tried themselves.
        let current = patience.bound(self.current.lock()).await;
        let mut current =
            current.ok_or_else(|| Error::Unreachable { address: self.address.clone(), waited })?;
        if let Some(connection) = current.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connection = self.dial(patience).await?;
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Sends one message; on another connection if the one at hand turns out to be closing.
    pub(crate) async fn call(&self, mut outgoing: impl FnMut() -> Outgoing) -> Result<Reply, Error> {
        let mut resends = 0;
        loop {
            let next = outgoing();
            let connection = self.connection(next.deadline).await?;
            match connection.call(next).await {
                Ok(reply) => return Ok(reply),
                Err(error) => self.may_resend(&error, &mut resends).await.map_err(|()| Error::Call(error))?,
            }
        }
    }

    /// Says whether a call that failed is to be made again, and forgets the connection that it failed on.
    pub(crate) async fn may_resend(&self, error: &CallError, resends: &mut usize) -> Result<(), ()> {
        if !error.never_began() || *resends == RESENDS {
            return Err(());
        }
        *resends += 1;
        // A peer that shuts down keeps the connection open for what it has begun with.
        self.current.lock().await.take();
        Ok(())
    }

    /// Connects, again and again until patience is out.
    async fn dial(&self, patience: Deadline) -> Result<Connection, Error> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.try_addresses(tries).await {
                Ok((connection, driver)) => {
                    self.drive(driver);
                    return Ok(connection);
                }
                Err(error) => error,
            };
            let next = Instant::now() + pause;
            if patience.instant().is_some_and(|end| next >= end) {
                return Err(error);
            }
            tracing::debug!(address = %self.address, %error, "connecting failed, trying again");
            tokio::time::sleep_until(next).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_addresses(&self, tries: usize) -> Result<(Connection, Driver), Error> {
        let resolve_error = |source| Error::Resolve { address: self.address.clone(), source };
        let addresses: Vec<SocketAddr> = {
            let lookup = tokio::net::lookup_host((self.address.host(), self.address.port()));
            let lookup = tokio::time::timeout(self.settings.options.connect_timeout, lookup).await;
            lookup.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(resolve_error)?.collect()
        };
        let mut last: Option<ConnectError> = None;
        for address in addresses {
            match connect(address, &self.target, &self.settings.options).await {
                Ok(connected) => return Ok(connected),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(source) => Err(Error::Connect { address: self.address.clone(), tries, source }),
            None => Err(resolve_error(io::ErrorKind::NotFound.into())),
        }
    }

    fn drive(&self, driver: Driver) {
        let stop = self.stop.clone();
        self.drivers.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = driver => {}
            }
        });
    }
}
