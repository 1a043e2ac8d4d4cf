//! The head of an executor in shards: one port before all of them.
//!
//! What becomes of a call is [`routing::Sharding`]'s to say; here are the shards' addresses, the port, and what a
//! head says of itself.

mod discovering;
mod handler;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use call::{Admission, ExecutorName, Metadata};
use executor_client::{Address, Cluster, Discoveries, Target};
use grpc::header;
use grpc::server::{DataCalls, Grpc, Offers};
use info::{Health, JINA_SERVICES, Report, Traffic};
use proto::jina::jina_discover_endpoints_rpc_server::JinaDiscoverEndpointsRpcServer;
use routing::{Layout, Part, Sharding};
use server::{Outcome, Workers, tls};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::served::{Bound, Served, Services};
use crate::{HeadSettings, StartError};

use discovering::Discovering;

/// Connections have nothing left to do when they are closed.
const CLOSING: Duration = Duration::from_secs(1);

/// A head that has been started. Dropping it stops everything at once; [`RunningHead::stop`] lets it finish.
#[derive(Debug)]
pub struct RunningHead {
    served: Served,
    cluster: Cluster,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Starts a head on the threads of `workers`. It serves when this returns, whether its shards do or not: calls
/// that need one which is not there say so.
///
/// # Errors
///
/// If the system refuses what the settings ask for.
///
/// # Panics
///
/// Outside a tokio runtime: what is not done for one connection runs on the caller's.
pub fn start_head(settings: HeadSettings, workers: Arc<Workers>) -> Result<RunningHead, StartError> {
    let name = ExecutorName::try_from(settings.deployment.as_str())?;
    let layout = Layout::new([(name, Some(settings.shards_spec()))]);
    let targets = targets(&layout, &settings)?;
    let facts = settings.serving.facts(settings.limits, &settings.calls);
    let bound = Bound::new(settings.serving)?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let patience = settings.client.discovery_timeout;
    let cluster = Cluster::new(targets, settings.client, &stop, tasks.clone())?;

    let (tell, told) = watch::channel(None);
    let handle = bound.handle();
    handle.spawn_until_stop(follow(layout.clone(), cluster.discoveries(), tell));
    let discovering = Discovering::new(told, cluster.clone(), patience);
    let control =
        info::control(Report::of_executor(Traffic::default(), facts), bound.health().clone(), &JINA_SERVICES)
            .add_service(JinaDiscoverEndpointsRpcServer::new(discovering));
    let admission = Admission::new(settings.limits);
    let calls = grpc::server::Settings {
        mark_errors: true,
        forward: settings.calls.forward.into_iter().chain([header::ENDPOINT]).collect(),
        stop: handle.token().clone(),
        ..settings.calls
    };
    let of_worker = |worker| {
        let sharding = Sharding::new(layout.clone(), cluster.pool(workers.runtime(worker)));
        let calls = DataCalls::new(handler::handler(sharding), admission.clone(), calls.clone());
        Grpc::new(calls, Offers { single: true, list: true, stream: false }, control.clone())
    };
    let services = Services::Grpc((0..workers.count()).map(of_worker).collect());
    let served = bound.serve(vec![services], workers)?;
    for address in &served.addresses {
        info!(head = settings.deployment, "start server bound to {address}");
    }
    Ok(RunningHead { served, cluster, tasks, stop })
}

/// Passes on what the executors behind the head say of themselves.
async fn follow(
    layout: Layout,
    mut discoveries: watch::Receiver<Discoveries>,
    tell: watch::Sender<discovering::Told>,
) {
    loop {
        let found = discoveries.borrow_and_update().clone();
        tell.send_replace(layout.update(&found).into_iter().next().flatten());
        if discoveries.changed().await.is_err() {
            return;
        }
    }
}

fn targets(layout: &Layout, settings: &HeadSettings) -> Result<Vec<Target>, StartError> {
    let one = |address: &Option<Address>| address.iter().cloned().collect();
    let target = |part| {
        let (name, addresses) = match part {
            Part::Before => ("uses-before".to_owned(), one(&settings.uses_before)),
            Part::After => ("uses-after".to_owned(), one(&settings.uses_after)),
            // A part that is whole is not laid out here.
            Part::Whole => ("whole".to_owned(), Vec::new()),
            Part::Shard(n) => (format!("shard-{n}"), settings.shards.get(n).cloned().unwrap_or_default()),
        };
        let name = ExecutorName::try_from(format!("{}/{name}", settings.deployment).as_str())?;
        Ok(Target { name, addresses, metadata: Metadata::default() })
    };
    layout.members().iter().map(|member| target(member.part)).collect()
}

impl RunningHead {
    /// Where it listens.
    ///
    /// # Panics
    ///
    /// If it was given no port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.served.addresses[0]
    }

    /// Whether it is ready.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.served.health
    }

    /// Certificates towards clients, if there are any; to be reloaded when their files change.
    #[must_use]
    pub const fn tls(&self) -> Option<&tls::Acceptor> {
        self.served.tls.as_ref()
    }

    /// Serves until `signal`; then finishes the calls in flight.
    pub async fn run(self, signal: impl Future<Output = ()>) -> Outcome {
        let Self { served, cluster, tasks, stop } = self;
        let outcome = served.drain.run(signal, served.timing).await;
        drop(cluster);
        stop.cancel();
        tasks.close();
        if tokio::time::timeout(CLOSING, tasks.wait()).await.is_err() {
            tracing::debug!(tasks = tasks.len(), "connections to shards are cut off");
        }
        outcome
    }

    /// Drains at once.
    pub async fn stop(self) -> Outcome {
        self.run(std::future::ready(())).await
    }
}
