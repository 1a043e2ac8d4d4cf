//! Making a gateway of its settings.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use call::{Admission, ExecutorName};
use docarray::discovery::Catalog;
use executor_client::{Cluster, Target};
use info::{Health, JINA_SERVICES, Report, Traffic};
use routing::{Endpoints, Graph, Layout, Part, Tasks};
use server::{BindError, Drain, Listener, Workers, tls};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::opening::Opening;
use crate::running::{Connections, Failure};
use crate::stack::{self, Shared};
use crate::{Port, PortNumber, Running, Settings, Shards, StartError};

/// Connections that wait to be accepted, for each port.
const BACKLOG: i32 = 1024;

/// How many ports of a range are tried.
const TRIES: usize = 64;

/// Starts a gateway on the threads of `workers`. Its ports are bound when this returns; they accept connections
/// once every executor has answered, see [`Running::ready`].
///
/// # Errors
///
/// If the settings are wrong or the system refuses what they ask for.
///
/// # Panics
///
/// Outside a tokio runtime: what is not done for one connection runs on the caller's.
pub fn start(settings: Settings, workers: Arc<Workers>) -> Result<Running, StartError> {
    let listeners = settings.ports.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<SocketAddr> = listeners.iter().map(Listener::address).collect();
    let tls = settings.tls.clone().map(|files| tls::Acceptor::new(files, &["h2"])).transpose()?;
    let graph = Arc::new(Graph::check(&settings.graph).map_err(StartError::Graph)?);

    let drain = Drain::new();
    let handle = drain.handle();
    let health = Health::new(handle.accepting());
    let latch = health.latch("the executors");
    let layout = layout(&graph, &settings);
    let connections = connect(&graph, &layout, &settings)?;

    let traffic = Traffic::default();
    let report = Report::of_gateway(&settings.streamer_args(), traffic.clone());
    let catalog = Catalog::default();
    let endpoints = Endpoints::new(&graph);
    let shared = Shared {
        graph: graph.clone(),
        endpoints: endpoints.clone(),
        layout: layout.clone(),
        tasks: Tasks::new(handle.tasks().clone()),
        traffic,
        max_timeout: settings.max_timeout,
    };
    let control = info::control(report.clone(), health.clone(), &JINA_SERVICES);
    let admission = Admission::new(settings.limits);
    let calls = grpc::server::Settings { stop: handle.token().clone(), ..settings.calls };
    let of_worker = |worker| {
        let pool = connections.cluster.pool(workers.runtime(worker));
        let handler = stack::stack(&shared, pool);
        let (catalog, calls) = (catalog.clone(), calls.clone());
        frontend_grpc::service(handler, catalog, admission.clone(), calls, control.clone())
    };
    let services = (0..workers.count()).map(of_worker).collect();

    let failure = Failure::new(OnceLock::new());
    let opening = Opening {
        listeners,
        services,
        tls: tls.clone(),
        http: settings.http,
        workers: workers.clone(),
        graph,
        layout,
        endpoints,
        catalog: catalog.clone(),
        cluster: connections.cluster.clone(),
        latch,
    };
    opening.spawn(&handle, failure.clone());
    let timing = settings.drain;
    let stop = handle.token().clone().drop_guard();
    Ok(Running {
        addresses,
        health,
        report,
        catalog,
        tls,
        drain,
        timing,
        failure,
        connections,
        _workers: workers,
        _stop: stop,
    })
}

fn bind(port: &Port) -> Result<Listener, BindError> {
    let bind = |number| Listener::bind(&port.host, number, BACKLOG);
    match port.number {
        PortNumber::Fixed(number) => bind(number),
        PortNumber::Free => bind(0),
        PortNumber::FreeWithin(first, last) => {
            let mut bound = bind(fastrand::u16(first..=last));
            for _ in 1..TRIES {
                if bound.is_ok() {
                    break;
                }
                bound = bind(fastrand::u16(first..=last));
            }
            bound
        }
    }
}

/// Which executors stand at the nodes of the graph.
fn layout(graph: &Graph, settings: &Settings) -> Layout {
    let shards = |name: &ExecutorName| settings.executors.get(name.as_str())?.shards.as_ref();
    Layout::new(graph.nodes().map(|(_, name)| (name.clone(), shards(name).map(Shards::spec))))
}

fn connect(graph: &Graph, layout: &Layout, settings: &Settings) -> Result<Connections, StartError> {
    let names: Vec<&ExecutorName> = graph.nodes().map(|(_, name)| name).collect();
    let mut targets = Vec::with_capacity(layout.members().len());
    for member in layout.members() {
        let name = names[member.node.0];
        let executor = settings.executors.get(name.as_str()).cloned().unwrap_or_default();
        let shards = executor.shards.unwrap_or_default();
        let (part, addresses) = match member.part {
            // One without an address is refused by the cluster.
            Part::Whole => (None, executor.addresses),
            Part::Before => (Some("uses-before".to_owned()), shards.uses_before.into_iter().collect()),
            Part::After => (Some("uses-after".to_owned()), shards.uses_after.into_iter().collect()),
            Part::Shard(n) => {
                (Some(format!("shard-{n}")), shards.addresses.get(n).cloned().unwrap_or_default())
            }
        };
        let name = match part {
            None => name.clone(),
            // A name that is too long with its part goes without.
            Some(part) => {
                ExecutorName::try_from(format!("{name}/{part}").as_str()).unwrap_or_else(|_| name.clone())
            }
        };
        targets.push(Target { name, addresses, metadata: executor.metadata });
    }
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let cluster = Cluster::new(targets, settings.client.clone(), &stop, tasks.clone())?;
    Ok(Connections { cluster, tasks, stop })
}
