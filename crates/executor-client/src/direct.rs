//! One peer that is called beside the graph, for other things than requests.

use std::sync::Arc;
use std::time::Duration;

use call::{Deadline, Payload};
use futures_util::{Stream, StreamExt as _};
use grpc::Encoding;
use grpc::client::{ConnectError, Connection, Driver, Message, Outgoing, Target};
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff::Backoff;
use crate::error::Failure;
use crate::{Address, Settings, TlsError, tls};

/// A connection that lasted this long ended for another reason than that it should not have been made.
const LASTING: Duration = Duration::from_secs(1);

/// One peer by its address. A connection is kept up as long as the process runs. Clones share it.
#[derive(Debug, Clone)]
pub struct Direct {
    address: Address,
    state: watch::Receiver<State>,
}

/// What is known of the peer.
#[derive(Debug, Clone, Default)]
struct State {
    connection: Option<Arc<Connection>>,
    /// Why there is no connection, once one was tried for.
    failure: Option<Arc<Reason>>,
}

#[derive(Debug)]
enum Reason {
    Unresolved(String),
    Connect(Arc<ConnectError>),
}

impl Direct {
    /// Keeps connecting to `address` until `stop`, in a task of `tasks`.
    ///
    /// # Errors
    ///
    /// If connections are to be encrypted and cannot be.
    pub fn new(
        address: Address,
        settings: &Settings,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, TlsError> {
        let encrypted = || tls::config(&settings.roots, settings.identity.as_ref());
        let tls = address.tls().then(encrypted).transpose()?;
        let tls = tls.map(|config| tls::tls(&address, &config)).transpose()?;
        let target = settings.peer.rename(&Target { authority: address.authority().clone(), tls });
        let (tell, state) = watch::channel(State::default());
        let (to, settings) = (address.clone(), settings.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = keep(&to, &target, &settings, &tell) => {}
            }
        });
        Ok(Self { address, state })
    }

    /// Where the peer is.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.borrow().connection.as_ref().is_some_and(|connection| !connection.is_closed())
    }

    /// Makes a call with one message and one answer.
    ///
    /// # Errors
    ///
    /// If there is no connection before the deadline, or no answer.
    pub async fn call(
        &self,
        path: PathAndQuery,
        deadline: Deadline,
        message: Payload,
    ) -> Result<Payload, Failure> {
        let called = async {
            let connection = self.connection().await?;
            let message = Message::Encode(Encoding::Identity, message);
            let outgoing = Outgoing { path, headers: HeaderMap::new(), deadline, message };
            let (answer, _trailers) = connection.call(outgoing).await?.only().await?;
            Ok(answer)
        };
        deadline.bound(called).await.unwrap_or_else(|| Err(self.late()))
    }

    /// Makes a call with many messages and one answer. Sending waits while the peer does not read.
    ///
    /// # Errors
    ///
    /// If there is no connection before the deadline, or no answer.
    pub async fn send(
        &self,
        path: PathAndQuery,
        deadline: Deadline,
        messages: impl Stream<Item = Payload>,
    ) -> Result<Payload, Failure> {
        let called = async {
            let connection = self.connection().await?;
            let (mut outbox, reply) =
                connection.open(path, HeaderMap::new(), deadline, Encoding::Identity).await?;
            let sending = async {
                let mut messages = std::pin::pin!(messages);
                while let Some(message) = messages.next().await {
                    outbox.send(message).await?;
                }
                outbox.finish()
            };
            let (sent, reply) = tokio::join!(sending, reply);
            // How the call ended says more than that it did.
            let (answer, _trailers) = reply?.only().await?;
            sent?;
            Ok(answer)
        };
        deadline.bound(called).await.unwrap_or_else(|| Err(self.late()))
    }

    async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let mut state = self.state.clone();
        let connected = state
            .wait_for(|state| state.connection.as_ref().is_some_and(|connection| !connection.is_closed()));
        let connection = connected.await.ok().and_then(|state| state.connection.clone());
        connection.ok_or_else(|| Failure::Connect(Arc::new(ConnectError::Closed)))
    }

    /// Why the time was not enough.
    fn late(&self) -> Failure {
        match self.state.borrow().failure.as_deref() {
            Some(Reason::Unresolved(reason)) => Failure::Unresolved { reason: reason.clone() },
            Some(Reason::Connect(error)) => Failure::Connect(error.clone()),
            None => Failure::TimedOut { allowed: None },
        }
    }
}

/// Connects again and again.
async fn keep(address: &Address, target: &Target, settings: &Settings, tell: &watch::Sender<State>) {
    let mut backoff = Backoff::of(settings);
    loop {
        tokio::time::sleep(backoff.pause()).await;
        match connect(address, target, settings).await {
            Ok((connection, driver)) => {
                let began = Instant::now();
                tell.send_replace(State { connection: Some(Arc::new(connection)), failure: None });
                driver.await;
                tell.send_replace(State::default());
                if began.elapsed() >= LASTING {
                    backoff.reset();
                }
            }
            Err(reason) => {
                tell.send_replace(State { connection: None, failure: Some(Arc::new(reason)) });
            }
        }
    }
}

/// Tries each address that the name leads to.
async fn connect(
    address: &Address,
    target: &Target,
    settings: &Settings,
) -> Result<(Connection, Driver), Reason> {
    let found = match address.literal() {
        Some(literal) => vec![literal],
        None => {
            let found = settings.resolver.look_up(address, settings.resolve_timeout).await;
            let reason = |error| format!("cannot resolve `{}`: {error}", address.host());
            found.map_err(|error| Reason::Unresolved(reason(error)))?
        }
    };
    let mut failure = Reason::Unresolved(format!("`{}` leads to no address", address.host()));
    for found in found {
        match grpc::client::connect(found, target, &settings.options).await {
            Ok(connected) => return Ok(connected),
            Err(error) => failure = Reason::Connect(Arc::new(error)),
        }
    }
    Err(failure)
}
