//! A Flow that runs.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use config::{Address, Protocol};
use indexmap::IndexMap;
use server::{Outcome, Signals, Workers};

use crate::executors::Executors;
use crate::place::{place, place_alone, reachable};
use crate::{Error, Plan};

/// A Flow that runs. Dropping it stops everything at once; [`Running::stop`] lets it finish.
#[derive(Debug)]
pub struct Running {
    /// What clients call; a Deployment may be without.
    gateway: Option<gateway::Running>,
    executors: Executors,
    /// Where clients call, with what is spoken there.
    doors: Vec<(Protocol, SocketAddr)>,
    encrypted: bool,
    addresses: IndexMap<String, Vec<Address>>,
}

impl Plan {
    /// Starts the Flow and waits until every executor has answered.
    ///
    /// # Errors
    ///
    /// If something does not start, or not in time.
    pub async fn start(mut self) -> Result<Running, Error> {
        if !self.spec.has_gateway {
            return Box::pin(self.start_alone()).await;
        }
        // Boxed, because it is large and only done once.
        let mut executors = Box::pin(place(&mut self)).await?;
        let allowed = allowed(&self);
        let spec = self.spec.gateway;
        let protocols: Vec<_> = spec.server.listeners.iter().map(|each| each.protocols.clone()).collect();
        let mut addresses = spec.graph.addresses.clone();
        for (name, head) in &spec.graph.heads {
            let shards = head.shards.iter().flat_map(|shard| &shard.addresses);
            addresses.insert(name.clone(), shards.cloned().collect());
        }
        let settings =
            gateway::Settings::try_from(spec).map_err(|problem| Error::Problems(vec![problem.into()]))?;
        let encrypted = settings.tls.is_some();
        let workers = Workers::start(threads(settings.workers));
        let workers = workers.map_err(|source| Error::System { what: "threads", source })?;
        let of_gateway = |source: gateway::StartError| Error::Gateway { source: source.into() };
        let gateway = gateway::start(settings, Arc::new(workers)).map_err(of_gateway)?;
        let ready = tokio::select! {
            ready = gateway.ready() => ready,
            ended = executors.next_ended() => {
                return Err(Error::Ended { executor: ended.name, status: ended.status });
            }
            allowed = over(allowed) => {
                let report = gateway.cluster().report();
                let waiting = report.iter().filter(|report| !report.answered).map(ToString::to_string);
                return Err(Error::NotReady { allowed, waiting: waiting.collect() });
            }
        };
        if !ready {
            let ended = gateway.stop().await;
            return Err(ended.map_or_else(of_gateway, |_| Error::Stopped));
        }
        let ports = protocols.iter().zip(gateway.addresses());
        let doors =
            ports.flat_map(|(protocols, address)| protocols.iter().map(|protocol| (*protocol, *address)));
        let doors = doors.collect();
        Ok(Running { gateway: Some(gateway), executors, doors, encrypted, addresses })
    }

    /// Starts a Deployment without a gateway, and waits until each of its ports answers.
    async fn start_alone(self) -> Result<Running, Error> {
        let (mut executors, doors) = place_alone(&self).await?;
        let encrypted = self.deployments().any(|(deployment, _)| deployment.tls.is_some());
        let answering = async {
            for (protocol, address) in &doors {
                until_it_serves(*protocol, encrypted, *address).await;
            }
        };
        tokio::select! {
            () = answering => {}
            ended = executors.next_ended() => {
                return Err(Error::Ended { executor: ended.name, status: ended.status });
            }
            allowed = over(allowed(&self)) => return Err(Error::NotReady { allowed, waiting: Vec::new() }),
        }
        Ok(Running { gateway: None, executors, doors, encrypted, addresses: IndexMap::new() })
    }
}

/// Asks a port again and again whether it serves.
async fn until_it_serves(protocol: Protocol, encrypted: bool, address: SocketAddr) {
    let scheme = match (protocol, encrypted) {
        (Protocol::Grpc, false) => "grpc",
        (Protocol::Grpc, true) => "grpcs",
        (Protocol::Http | Protocol::WebSocket, false) => "http",
        (Protocol::Http | Protocol::WebSocket, true) => "https",
    };
    let Ok(address) = format!("{scheme}://{address}").parse() else { return };
    let subject = info::Subject::Process;
    let ping = info::Ping {
        subject,
        address,
        allowed: Duration::from_secs(5),
        attempts: 1,
        min_successful: 1,
        credentials: info::Credentials::default(),
    };
    while info::ping(&ping).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How long the start may take: as long as the most patient deployment allows.
fn allowed(plan: &Plan) -> Option<Duration> {
    let deployments = plan.spec.deployments.iter();
    let mut allowed = deployments.map(|deployment| deployment.timeout_ready);
    allowed.try_fold(FASTEST, |most, allowed| Some(most.max(allowed?)))
}

/// A gateway with nothing behind it takes a moment, too.
const FASTEST: Duration = Duration::from_secs(60);

/// Ends when `allowed` is over, which it returns.
async fn over(allowed: Option<Duration>) -> Duration {
    match allowed {
        Some(allowed) => {
            tokio::time::sleep(allowed).await;
            allowed
        }
        None => std::future::pending().await,
    }
}

pub(crate) fn threads(configured: Option<NonZeroUsize>) -> usize {
    configured.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

impl Running {
    /// Where clients call it, with the protocol spoken there; a port of several protocols comes once for each.
    pub fn addresses(&self) -> impl Iterator<Item = (Protocol, SocketAddr)> {
        self.doors.iter().copied()
    }

    /// Where the replicas of an executor listen, shard by shard.
    pub fn executor_addresses(&self, name: &str) -> impl Iterator<Item = &Address> {
        self.addresses.get(name).into_iter().flatten()
    }

    /// A client of the Flow; it connects with its first request.
    ///
    /// # Errors
    ///
    /// If the gateway speaks no gRPC.
    pub fn client(&self) -> Result<Client, Error> {
        let grpc = self.addresses().find(|(protocol, _)| *protocol == Protocol::Grpc);
        let (_, address) = grpc.ok_or(Error::NoGrpc)?;
        let scheme = if self.encrypted { "grpcs" } else { "grpc" };
        Ok(Client::new(&format!("{scheme}://{}", reachable(address)), client::Settings::default())?)
    }

    /// Runs until SIGTERM or SIGINT, then stops. On SIGHUP certificates are read again.
    ///
    /// # Errors
    ///
    /// If the gateway cannot go on.
    pub async fn block(self) -> Result<Outcome, Error> {
        let signals = Signals::new().map_err(|source| Error::System { what: "signals", source })?;
        self.block_on(signals).await
    }

    pub(crate) async fn block_on(self, mut signals: Signals) -> Result<Outcome, Error> {
        let of_gateway = self.gateway.as_ref().and_then(gateway::Running::tls);
        let tls: Vec<_> = of_gateway.into_iter().chain(self.executors.tls()).cloned().collect();
        self.run(async move { signals.stopped(tls).await }).await
    }

    /// Runs until `signal`, then stops: the gateway first, because what it has in flight needs the executors.
    ///
    /// # Errors
    ///
    /// If the gateway cannot go on.
    pub async fn run(self, signal: impl Future<Output = ()>) -> Result<Outcome, Error> {
        let Self { gateway, executors, .. } = self;
        let ended = match gateway {
            Some(gateway) => gateway.run(signal).await,
            None => {
                signal.await;
                Ok(Outcome::Clean)
            }
        };
        executors.stop().await;
        ended.map_err(|source| Error::Gateway { source: source.into() })
    }

    /// Stops: what is in flight is finished, nothing new is taken on.
    ///
    /// # Errors
    ///
    /// If the gateway had ended by itself.
    pub async fn stop(self) -> Result<Outcome, Error> {
        self.run(std::future::ready(())).await
    }
}
