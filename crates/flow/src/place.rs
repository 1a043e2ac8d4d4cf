//! Starting deployments: in this process, or as processes of `jina`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use config::{Address, Deployment, Listener, Port, Protocol};
use executor_runtime::Registry;
use server::Workers;

use crate::executors::Executors;
use crate::python::{Jina, Process, arguments};
use crate::{Error, Plan, Runner};

/// Starts all replicas of all deployments, writes their addresses into the graph, and returns who watches them.
pub(crate) async fn place(plan: &mut Plan) -> Result<Executors, Error> {
    let jina = jina(plan).await?;
    // The gateway has threads of its own, so that executors that compute do not keep it from answering.
    let workers = Workers::start(crate::running::threads(None));
    let workers = Arc::new(workers.map_err(|source| Error::System { what: "threads", source })?);
    let mut executors = Executors::new();
    let folder = plan.spec.path.as_deref().and_then(Path::parent);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    for (deployment, runner) in plan.spec.deployments.iter().zip(&plan.runners) {
        let mut addresses = Vec::new();
        for replica in 0..deployment.executor.replicas {
            let place = Place::of(deployment, replica);
            let address = match (runner, &jina) {
                (Runner::InProcess, _) => {
                    place.in_process(&plan.registry, workers.clone(), &mut executors).await?
                }
                (Runner::Python, Some(jina)) => place.python(jina, folder, &mut executors)?,
                // Others run it; and where there is something in Python there is a `jina`.
                (Runner::Elsewhere, _) | (Runner::Python, None) => break,
            };
            addresses.push(Address { secure: false, host: address.ip().to_string(), port: address.port() });
        }
        if *runner != Runner::Elsewhere {
            plan.spec.gateway.graph.addresses.insert(deployment.name.clone(), addresses);
        }
    }
    Ok(executors)
}

/// The `jina` that is needed, if one is.
async fn jina(plan: &Plan) -> Result<Option<Jina>, Error> {
    let in_python = plan.deployments().filter(|(_, runner)| *runner == Runner::Python);
    let executors: Vec<String> = in_python.map(|(deployment, _)| deployment.name.clone()).collect();
    if executors.is_empty() {
        return Ok(None);
    }
    let jina = Jina::find(|name| std::env::var_os(name)).await;
    jina.map(Some).map_err(|source| Error::NoJina { executors, source })
}

/// One replica and where it is to be.
struct Place<'a> {
    deployment: &'a Deployment,
    replica: u32,
    /// Such as `encoder/rep-0`.
    name: String,
    /// The port that the Flow gives to it.
    port: Option<u16>,
}

impl<'a> Place<'a> {
    fn of(deployment: &'a Deployment, replica: u32) -> Self {
        let listeners = &deployment.executor.server.listeners;
        let listener = usize::try_from(replica).ok().and_then(|replica| listeners.get(replica));
        let port = listener.and_then(|listener| match listener.port {
            Port::Fixed(port) => Some(port),
            Port::Free => None,
        });
        Self { deployment, replica, name: format!("{}/rep-{replica}", deployment.name), port }
    }

    async fn in_process(
        self,
        registry: &Registry,
        workers: Arc<Workers>,
        executors: &mut Executors,
    ) -> Result<SocketAddr, Error> {
        let mut spec = self.deployment.executor.clone();
        spec.name = Some(self.name.clone());
        spec.replica_id = self.replica;
        // Nobody but the gateway of this process calls it, unless the Flow gives it a port; and the two need no
        // encryption between them.
        if self.port.is_none() {
            spec.server.host = Ipv4Addr::LOCALHOST.to_string();
        }
        let port = self.port.map_or(Port::Free, Port::Fixed);
        spec.server.listeners = vec![Listener { port, protocols: vec![Protocol::Grpc] }];
        spec.server.tls = None;
        let failed = |source: executor::StartError| Error::Executor {
            executor: self.name.clone(),
            source: source.into(),
        };
        let entry = executor::entry(&spec.uses, registry).map_err(|error| failed(error.into()))?;
        let settings = executor::Settings::try_from(spec).map_err(|error| failed(error.into()))?;
        let executor = executor::start(settings, entry, workers).await.map_err(failed)?;
        let address = reachable(executor.address());
        executors.add(self.name, executor);
        Ok(address)
    }

    fn python(
        self,
        jina: &Jina,
        folder: Option<&Path>,
        executors: &mut Executors,
    ) -> Result<SocketAddr, Error> {
        let Self { deployment, name, .. } = self;
        let failed = |source| Error::Spawn { executor: name.clone(), source };
        let port = self.port.map_or_else(free_port, Ok).map_err(failed)?;
        let process = Process { deployment, name: &name, port, shard: 0, folder };
        let mut command = jina.command();
        command.args(arguments(process)).envs(&deployment.env);
        executors.start(name.clone(), command).map_err(failed)?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

/// A port that is free now; the process that it is for takes it a moment later.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Where a socket that may listen on all addresses can be reached from this machine.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
