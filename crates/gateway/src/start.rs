//! Making a gateway of its settings.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use call::{Admission, ExecutorName, Handler};
use docarray::discovery::Catalog;
use executor_client::{Cluster, Target};
use frontend_http::Mounted;
use grpc::server::Grpc;
use info::{Health, JINA_SERVICES, Report, Traffic};
use routing::{Endpoints, Graph, Layout, Part, Tasks};
use server::{BindError, Drain, Listener, Workers, tls};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::door::{Door, Services};
use crate::opening::Opening;
use crate::running::{Connections, Failure};
use crate::shared_port::SharedPort;
use crate::stack::{self, Shared};
use crate::{Port, PortNumber, Protocol, Running, Settings, Shards, StartError};

/// What TLS clients may choose from, on every port: one acceptor, and one reload, serves them all. Clients of gRPC choose the
/// first.
const ALPN: [&str; 2] = ["h2", "http/1.1"];

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
    let listeners =
        settings.ports.iter().map(|port| bind(port, settings.backlog)).collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<SocketAddr> = listeners.iter().map(Listener::address).collect();
    let tls = settings.tls.clone().map(|files| tls::Acceptor::new(files, &ALPN)).transpose()?;
    let graph = Arc::new(Graph::check(&settings.graph).map_err(StartError::Graph)?);

    let drain = Drain::new();
    let handle = drain.handle();
    let health = Health::new(handle.accepting());
    let latch = health.latch("the executors");
    let layout = layout(&graph, &settings);
    let connections = connect(&graph, &layout, &settings)?;

    let traffic = Traffic::default();
    let report = Report::of_gateway(&settings.streamer_args(), traffic.clone(), settings.facts());
    let catalog = Catalog::default();
    let endpoints = Endpoints::new(&graph);
    let shared = Shared {
        graph: graph.clone(),
        endpoints: endpoints.clone(),
        layout: layout.clone(),
        cluster: connections.cluster.clone(),
        tasks: Tasks::new(handle.tasks().clone()),
        traffic,
        max_timeout: settings.max_timeout,
    };
    let control = info::control(report.clone(), health.clone(), &JINA_SERVICES);
    let admission = Admission::new(settings.limits);
    let handlers: Vec<Handler> = (0..workers.count())
        .map(|worker| stack::stack(&shared, connections.cluster.pool(workers.runtime(worker))))
        .collect();
    let most = frontend_websocket::Settings::default().max_message;
    let websocket = frontend_websocket::Settings {
        max_message: settings.calls.max_message.min(most),
        prefetch: settings.calls.prefetch,
        forward: settings.calls.forward.clone(),
        keepalive: settings.websocket_ping,
        root_path: settings.rest.root_path.clone(),
        tasks: handle.tasks().clone(),
        stop: handle.token().clone(),
    };
    let graphql = settings.graphql.map(|allowed| {
        let tasks = handle.tasks().clone();
        let max_message = allowed.max_message.min(settings.rest.max_body);
        let allowed = frontend_graphql::Settings {
            max_message,
            keepalive: settings.websocket_ping,
            tasks,
            stop: handle.token().clone(),
            ..allowed
        };
        frontend_graphql::FrontEnd::new(catalog.clone(), allowed)
    });
    let cors = settings.rest.cors;
    let front_ends = FrontEnds {
        graphql,
        websocket: frontend_websocket::FrontEnd::new(
            catalog.clone(),
            admission.clone(),
            health.clone(),
            report.clone(),
            websocket,
        ),
        grpc: {
            let calls = grpc::server::Settings { stop: handle.token().clone(), ..settings.calls };
            let (catalog, admission) = (catalog.clone(), admission.clone());
            Box::new(move |handler| {
                frontend_grpc::service(
                    handler,
                    catalog.clone(),
                    admission.clone(),
                    calls.clone(),
                    control.clone(),
                )
            })
        },
        http: frontend_http::FrontEnd::new(
            catalog.clone(),
            admission,
            health.clone(),
            report.clone(),
            settings.rest,
        ),
    };
    if cors && settings.ports.iter().any(|port| port.protocols.contains(&Protocol::Http)) {
        warn!("CORS is enabled: web pages of any origin can call this service");
    }
    let doors = settings.ports.iter().zip(listeners).map(|(port, listener)| Door {
        listener,
        protocols: port.protocols.clone(),
        services: front_ends.services(&port.protocols, &handlers),
    });
    let doors = doors.collect();

    let failure = Failure::new(OnceLock::new());
    let opening = Opening {
        doors,
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

/// What makes the services of ports.
struct FrontEnds {
    grpc: Box<dyn Fn(Handler) -> Grpc>,
    http: frontend_http::FrontEnd,
    graphql: Option<frontend_graphql::FrontEnd>,
    websocket: frontend_websocket::FrontEnd,
}

impl FrontEnds {
    /// One service for each worker's handler.
    fn services(&self, protocols: &[Protocol], handlers: &[Handler]) -> Services {
        let handlers = handlers.iter().cloned();
        match protocols {
            [Protocol::Grpc] => Services::Grpc(handlers.map(&self.grpc).collect()),
            [Protocol::Http] => Services::Http(handlers.map(|handler| self.http(handler)).collect()),
            [Protocol::WebSocket] => {
                Services::WebSocket(handlers.map(|handler| self.websocket.port(handler)).collect())
            }
            several => Services::Several(handlers.map(|handler| self.shared(several, &handler)).collect()),
        }
    }

    /// All of `protocols` by one handler.
    fn shared(&self, protocols: &[Protocol], handler: &Handler) -> SharedPort {
        let speaks = |protocol| protocols.contains(&protocol).then(|| handler.clone());
        SharedPort {
            grpc: speaks(Protocol::Grpc).map(&self.grpc),
            http: speaks(Protocol::Http).map(|handler| self.http(handler)),
            websocket: speaks(Protocol::WebSocket).map(|handler| self.websocket.port(handler)),
        }
    }

    /// HTTP with GraphQL in its place, if it is served.
    fn http(&self, handler: Handler) -> frontend_http::Http {
        let graphql = self.graphql.as_ref().map(|graphql| graphql.service(handler.clone()));
        let mounted = graphql.map(|graphql| Mounted::new(frontend_graphql::PATH, graphql));
        self.http.service_beside(handler, mounted)
    }
}

fn bind(port: &Port, backlog: i32) -> Result<Listener, BindError> {
    let bind = |number| Listener::bind(&port.host, number, backlog);
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
