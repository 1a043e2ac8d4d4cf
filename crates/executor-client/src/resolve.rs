//! From names to replicas, again and again.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use grpc::client::{Target, Tls};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::executor::{Executor, Members};
use crate::replica::Replica;
use crate::{Address, Settings};

/// The addresses of a host, in the form that [`Resolver::new`] takes.
type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Finds the addresses of a name.
#[derive(Clone)]
pub struct Resolver(Arc<dyn Fn(String, u16) -> Lookup + Send + Sync>);

impl Resolver {
    /// The system's resolver.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|host, port| async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    /// A resolver that is given host and port.
    pub fn new<F>(resolve: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |host, port| Box::pin(resolve(host, port))))
    }

    /// The addresses of a name, at least one.
    pub(crate) async fn look_up(&self, address: &Address, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
        let lookup = (self.0)(address.host().to_owned(), address.port());
        match tokio::time::timeout(timeout, lookup).await {
            Ok(Ok(found)) if found.is_empty() => Err(io::Error::other("the name has no address")),
            Ok(found) => found,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the resolver does not answer")),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

/// Names are not resolved more often than this, however many calls ask for it.
const SPACING: Duration = Duration::from_millis(200);
/// How long after a failure they are resolved again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Where the addresses of one executor lead, and how they are reached.
pub(crate) struct Resolving {
    executor: Arc<Executor>,
    /// How each address is encrypted.
    tls: Vec<Option<Tls>>,
    /// What each address led to when it was last resolved.
    found: Vec<Vec<SocketAddr>>,
    resolver: Resolver,
    every: Duration,
    timeout: Duration,
}

impl Resolving {
    /// Takes over the addresses that need no resolver.
    pub(crate) fn new(executor: Arc<Executor>, tls: Vec<Option<Tls>>, settings: &Settings) -> Self {
        let found = executor.addresses.iter().map(|address| address.literal().into_iter().collect());
        let resolving = Self {
            found: found.collect(),
            executor,
            tls,
            resolver: settings.resolver.clone(),
            every: settings.resolve_every,
            timeout: settings.resolve_timeout,
        };
        resolving.publish();
        resolving
    }

    /// Resolves the names until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let began = Instant::now();
            let all_resolve = tokio::select! {
                () = stop.cancelled() => return,
                all_resolve = self.resolve() => all_resolve,
            };
            self.publish();
            self.executor.resolutions.send_modify(|n| *n += 1);
            let pause = if all_resolve { self.every } else { self.every.min(AFTER_FAILURE) };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                () = async {
                    self.executor.resolve_now.notified().await;
                    tokio::time::sleep_until(began + SPACING).await;
                } => {}
            }
        }
    }

    /// Resolves all names once. Where one does not resolve what it led to before stays: a resolver that is
    /// down says nothing about executors.
    async fn resolve(&mut self) -> bool {
        let executor = &self.executor;
        let lookups = executor.addresses.iter().map(|address| self.look_up(address));
        let lookups = join_all(lookups).await;
        let mut unresolved = executor.unresolved();
        for (n, lookup) in lookups.into_iter().enumerate() {
            match lookup {
                None => {}
                Some(Ok(mut found)) => {
                    found.sort_unstable();
                    self.found[n] = found;
                    unresolved[n] = None;
                }
                Some(Err(error)) => {
                    let address = &executor.addresses[n];
                    if unresolved[n].is_none() {
                        warn!(executor = %executor.name, %address, %error, "address does not resolve");
                    }
                    unresolved[n] = Some(format!("cannot resolve `{}`: {error}", address.host()));
                }
            }
        }
        unresolved.iter().all(Option::is_none)
    }

    /// The addresses of a name, at least one; `None` for an address that is no name.
    async fn look_up(&self, address: &Address) -> Option<io::Result<Vec<SocketAddr>>> {
        if address.literal().is_some() {
            return None;
        }
        Some(self.resolver.look_up(address, self.timeout).await)
    }

    /// Makes what was found the members, if they are others than before.
    fn publish(&self) {
        let executor = &self.executor;
        let before = executor.members.borrow().clone();
        let now = self.members(&before);
        let is_same =
            before.len() == now.len() && before.iter().zip(now.iter()).all(|(a, b)| Arc::ptr_eq(a, b));
        if !is_same {
            info!(executor = %executor.name, replicas = now.len(), "replicas changed");
            executor.members.send_replace(now);
        }
    }

    fn members(&self, before: &Members) -> Members {
        let mut seen = HashSet::new();
        let mut members = Vec::new();
        for ((address, tls), found) in self.executor.addresses.iter().zip(&self.tls).zip(&self.found) {
            for socket in found.iter().filter(|socket| seen.insert(**socket)) {
                let label = label(address, *socket);
                let known = before.iter().find(|known| known.address == *socket && known.label == label);
                members.push(known.cloned().unwrap_or_else(|| {
                    let target = Target { authority: address.authority().clone(), tls: tls.clone() };
                    Arc::new(Replica::new(label, *socket, target))
                }));
            }
        }
        members.into()
    }
}

/// The address as written, and where it led if that is not the same.
fn label(address: &Address, socket: SocketAddr) -> String {
    match address.literal() {
        Some(_) => address.to_string(),
        None => format!("{address} ({})", socket.ip()),
    }
}
