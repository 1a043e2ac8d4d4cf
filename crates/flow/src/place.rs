//! Starting deployments: in this process, or as processes of `jina`.

use std::borrow::Cow;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process;
use std::sync::Arc;

use config::{Address, Deployment, ExecutorSpec, Head, Listener, Peers, Port, Protocol, Shard};
use executor_runtime::Registry;
use server::Workers;
use tokio::process::Command;
use tracing::Instrument as _;

use crate::container::Docker;
use crate::devices::{self, Variables};
use crate::executors::Executors;
use crate::plan::runner_of;
use crate::python::{Jina, Process};
use crate::{Error, Plan, Runner};

/// Starts all executors of all deployments, writes their addresses into the graph, and returns who watches them.
pub(crate) async fn place(plan: &mut Plan) -> Result<Executors, Error> {
    let (jina, docker) = (jina(plan).await?, docker(plan)?);
    let n_devices = devices::count(&plan.spec.deployments).await;
    let Plan { spec, runners, registry, .. } = plan;
    let mut placing = Placing::new(spec.path.as_deref(), registry, jina, docker)?;
    placing.n_devices = n_devices;
    let graph = &mut spec.gateway.graph;
    for (deployment, runner) in spec.deployments.iter().zip(runners) {
        if *runner == Runner::Elsewhere {
            continue;
        }
        if has_head(deployment) {
            let mut head = Box::pin(placing.shards(deployment)).await?;
            head.no_reduce = graph.no_reduce.contains(&deployment.name);
            graph.heads.insert(deployment.name.clone(), head);
        } else {
            let addresses = placing.replicas(deployment, 0).await?;
            graph.addresses.insert(deployment.name.clone(), addresses);
        }
    }
    Ok(placing.executors)
}

/// Starts the executors of a Deployment that has no gateway, with the ports and protocols of its own. Returns who watches
/// them, and where they listen.
pub(crate) async fn place_alone(plan: &Plan) -> Result<(Executors, Vec<(Protocol, SocketAddr)>), Error> {
    let (jina, docker) = (jina(plan).await?, docker(plan)?);
    let mut placing = Placing::new(plan.spec.path.as_deref(), &plan.registry, jina, docker)?;
    placing.n_devices = devices::count(&plan.spec.deployments).await;
    let mut doors = Vec::new();
    for (deployment, _) in plan.deployments().filter(|(_, runner)| *runner != Runner::Elsewhere) {
        let peers = peers(deployment, 0)?;
        for replica in 0..deployment.executor.replicas {
            let place = Place { alone: true, ..Place::of(deployment, 0, replica) };
            let place = place.among(&peers);
            let protocols: Vec<_> = place.listeners().into_iter().flat_map(|each| each.protocols).collect();
            doors.extend(protocols.into_iter().zip(placing.run(place).await?));
        }
    }
    Ok((placing.executors, doors))
}

/// Whether calls to a deployment are more than calls to one of its replicas.
pub(crate) fn has_head(deployment: &Deployment) -> bool {
    let Deployment { executor, uses_before, uses_after, .. } = deployment;
    executor.shards > 1 || uses_before.is_some() || uses_after.is_some()
}

/// The ports of a shard's replicas, if they are kept consistent: they must know each other before the first one starts.
fn peers(deployment: &Deployment, shard: u32) -> Result<Vec<u16>, Error> {
    let Some(stateful) = &deployment.executor.stateful else { return Ok(Vec::new()) };
    if let Peers::Ports(ports) = &stateful.peers
        && let Some(ports) = ports.get(&shard).filter(|ports| !ports.is_empty())
    {
        return Ok(ports.clone());
    }
    // All are held until the last is known, so that none comes twice.
    let bound = (0..deployment.executor.replicas).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let ports = bound.collect::<io::Result<Vec<_>>>().and_then(|bound| {
        bound.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<io::Result<Vec<_>>>()
    });
    ports.map_err(|source| Error::System { what: "free ports", source })
}

/// The `jina` that is needed, if one is.
async fn jina(plan: &Plan) -> Result<Option<Jina>, Error> {
    let executors = run_by(plan, Runner::Python);
    if executors.is_empty() {
        return Ok(None);
    }
    let jina = Jina::find(|name| std::env::var_os(name)).await;
    jina.map(Some).map_err(|source| Error::NoJina { executors, source })
}

/// The `docker` that is needed, if one is.
fn docker(plan: &Plan) -> Result<Option<Docker>, Error> {
    let executors = run_by(plan, Runner::Container);
    if executors.is_empty() {
        return Ok(None);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    Docker::find(&path).map(Some).map_err(|source| Error::NoDocker { executors, source })
}

/// The deployments of which some executor is run that way.
fn run_by(plan: &Plan, wanted: Runner) -> Vec<String> {
    let that_way =
        |executor: &&ExecutorSpec| runner_of(executor, &plan.registry).is_ok_and(|runner| runner == wanted);
    let needs_it = |deployment: &Deployment| {
        let Deployment { executor, uses_before, uses_after, .. } = deployment;
        [Some(executor), uses_before.as_ref(), uses_after.as_ref()].iter().flatten().any(that_way)
    };
    let ours = plan.deployments().filter(|(_, runner)| *runner != Runner::Elsewhere);
    ours.filter(|(deployment, _)| needs_it(deployment))
        .map(|(deployment, _)| deployment.name.clone())
        .collect()
}

/// Executors that are being started.
struct Placing<'a> {
    registry: &'a Registry,
    workers: Arc<Workers>,
    jina: Option<Jina>,
    docker: Option<Docker>,
    /// Where relative files are looked for.
    folder: Option<&'a Path>,
    /// The devices of this machine, as far as replicas take turns at them.
    n_devices: usize,
    executors: Executors,
}

/// One executor and what it is told of itself.
struct Place<'a> {
    deployment: &'a Deployment,
    shard: u32,
    replica: u32,
    /// Such as `encoder/rep-0`, or `encoder/shard-1/rep-0` where there are several shards.
    name: String,
    /// The port that the Flow gives to it.
    port: Option<u16>,
    /// The variables of its process, if it has one of its own.
    variables: Cow<'a, Variables>,
    /// Whether clients call it, because there is no gateway before it.
    alone: bool,
    /// The ports of all replicas, if they are kept consistent.
    peers: Vec<u16>,
}

impl<'a> Placing<'a> {
    fn new(
        file: Option<&'a Path>,
        registry: &'a Registry,
        jina: Option<Jina>,
        docker: Option<Docker>,
    ) -> Result<Self, Error> {
        // The gateway has threads of its own, so that executors that compute do not keep it from answering.
        let workers = Workers::start(crate::running::threads(None));
        let workers = Arc::new(workers.map_err(|source| Error::System { what: "threads", source })?);
        let folder = file.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
        Ok(Self { registry, workers, jina, docker, folder, n_devices: 0, executors: Executors::new() })
    }

    /// Starts all shards of a deployment, and who is called before and after them.
    async fn shards(&mut self, deployment: &Deployment) -> Result<Head, Error> {
        let mut shards = Vec::new();
        for id in 0..deployment.executor.shards {
            shards.push(Shard { id, addresses: self.replicas(deployment, id).await? });
        }
        let uses_before = self.beside(deployment, deployment.uses_before.as_ref(), "uses-before").await?;
        let uses_after = self.beside(deployment, deployment.uses_after.as_ref(), "uses-after").await?;
        let (polling, no_reduce) = (deployment.polling.clone(), false);
        Ok(Head { shards, polling, no_reduce, uses_before, uses_after, deployment: deployment.name.clone() })
    }

    /// Starts the replicas of one shard.
    async fn replicas(&mut self, deployment: &Deployment, shard: u32) -> Result<Vec<Address>, Error> {
        let mut addresses = Vec::new();
        let peers = peers(deployment, shard)?;
        for replica in 0..deployment.executor.replicas {
            addresses.push(self.start(Place::of(deployment, shard, replica).among(&peers)).await?);
        }
        Ok(addresses)
    }

    /// Starts an executor that stands before or after the shards, if there is one.
    async fn beside(
        &mut self,
        deployment: &Deployment,
        executor: Option<&ExecutorSpec>,
        part: &str,
    ) -> Result<Option<Address>, Error> {
        let Some(executor) = executor else { return Ok(None) };
        let mut deployment = Deployment { executor: executor.clone(), ..deployment.clone() };
        // What the file says of the shards' own code is not for it.
        let of_shards = ["uses_with", "uses_metas", "uses_requests", "uses_dynamic_batching", "py_modules"];
        deployment.options.retain(|key, _| !of_shards.contains(&key.replace('-', "_").as_str()));
        let name = format!("{}/{part}", deployment.name);
        let place = Place {
            deployment: &deployment,
            shard: 0,
            replica: 0,
            name,
            port: None,
            variables: Cow::Borrowed(&deployment.env),
            alone: false,
            peers: Vec::new(),
        };
        self.start(place).await.map(Some)
    }

    /// Starts an executor that only the gateway calls.
    async fn start(&mut self, place: Place<'_>) -> Result<Address, Error> {
        let address = Box::pin(self.run(place)).await?[0];
        Ok(Address { secure: false, host: address.ip().to_string(), port: address.port() })
    }

    /// Starts an executor, and tells where it listens: one address for each of its listeners.
    async fn run(&mut self, mut place: Place<'_>) -> Result<Vec<SocketAddr>, Error> {
        let runner = runner_of(&place.deployment.executor, self.registry);
        place.variables = devices::of_replica(&place.deployment.env, place.replica, self.n_devices);
        match (runner, &self.jina, &self.docker) {
            (Ok(Runner::Workers), _, _) => {
                place.in_workers(self.folder, self.workers.clone(), &mut self.executors).await
            }
            (Ok(Runner::Python), Some(jina), _) => {
                place.process(self.folder, None, |process, _| (jina.run(process), None), &mut self.executors)
            }
            (Ok(Runner::Container), _, Some(docker)) => {
                let run = |process: Process<'_>, container: &str| {
                    (docker.run(container, process), Some(docker.remove(container)))
                };
                place.process(self.folder, Some("flowgate"), run, &mut self.executors)
            }
            // Where there is something in Python or in containers, there is what runs it.
            _ => place.in_process(self.registry, self.workers.clone(), &mut self.executors).await,
        }
    }
}

impl<'a> Place<'a> {
    fn of(deployment: &'a Deployment, shard: u32, replica: u32) -> Self {
        let Deployment { executor, name, .. } = deployment;
        let listeners = &executor.server.listeners;
        // One port for several shards would be that of their head, which the gateway is.
        let each = executor.shards == 1
            || u64::from(executor.shards) * u64::from(executor.replicas) == listeners.len() as u64;
        let place = usize::try_from(shard * executor.replicas + replica).ok().filter(|_| each);
        let listener = place.and_then(|place| listeners.get(place));
        let port = listener.and_then(|listener| match listener.port {
            Port::Fixed(port) => Some(port),
            Port::Free => None,
        });
        let name = if executor.shards > 1 {
            format!("{name}/shard-{shard}/rep-{replica}")
        } else {
            format!("{name}/rep-{replica}")
        };
        Self {
            deployment,
            shard,
            replica,
            name,
            port,
            variables: Cow::Borrowed(&deployment.env),
            alone: false,
            peers: Vec::new(),
        }
    }

    /// One of several replicas that are kept consistent, if they are.
    fn among(mut self, peers: &[u16]) -> Self {
        if let Some(port) = usize::try_from(self.replica).ok().and_then(|replica| peers.get(replica)) {
            self.port = Some(*port);
            self.peers = peers.to_vec();
        }
        self
    }

    /// What it listens on: where clients call it, everything that the Flow says, but several replicas of one port each.
    fn listeners(&self) -> Vec<Listener> {
        let executor = &self.deployment.executor;
        let listeners = &executor.server.listeners;
        if self.alone && executor.replicas == 1 {
            return listeners.clone();
        }
        let port = self.port.map_or(Port::Free, Port::Fixed);
        let protocols = listeners.first().filter(|_| self.alone).map(|first| first.protocols.clone());
        vec![Listener { port, protocols: protocols.unwrap_or_else(|| vec![Protocol::Grpc]) }]
    }

    /// What a process of its own would be told.
    fn spec(&self) -> ExecutorSpec {
        let mut spec = self.deployment.executor.clone();
        spec.name = Some(self.name.clone());
        spec.shard_id = self.shard;
        spec.replica_id = self.replica;
        spec.server.listeners = self.listeners();
        if let Some(stateful) = &mut spec.stateful {
            let secure = self.alone && spec.server.tls.is_some();
            let local = |port: &u16| Address { secure, host: Ipv4Addr::LOCALHOST.to_string(), port: *port };
            stateful.peers = Peers::Addresses(self.peers.iter().map(local).collect());
            stateful.replica = Some(self.replica);
        }
        if self.alone {
            return spec;
        }
        // Nobody but the gateway of this process calls it, unless the Flow gives it a port; and the two need no
        // encryption between them.
        if self.port.is_none() {
            spec.server.host = Ipv4Addr::LOCALHOST.to_string();
        }
        spec.server.tls = None;
        spec
    }

    /// Starts an executor in Python whose workers are ours.
    async fn in_workers(
        self,
        folder: Option<&Path>,
        workers: Arc<Workers>,
        executors: &mut Executors,
    ) -> Result<Vec<SocketAddr>, Error> {
        let mut spec = self.spec();
        if let (Some(python), Some(folder)) = (&mut spec.python, folder) {
            python.search_paths.push(folder.to_string_lossy().into_owned());
        }
        let failed = |source: executor::StartError| Error::Executor {
            executor: self.name.clone(),
            source: source.into(),
        };
        let starting = executor::start_workers(spec, &self.variables, workers);
        let running = starting.instrument(server::log::named(&self.name)).await.map_err(failed)?;
        let addresses = running.addresses().iter().copied().map(reachable).collect();
        executors.add(self.name, running);
        Ok(addresses)
    }

    async fn in_process(
        self,
        registry: &Registry,
        workers: Arc<Workers>,
        executors: &mut Executors,
    ) -> Result<Vec<SocketAddr>, Error> {
        let spec = self.spec();
        let failed = |source: executor::StartError| Error::Executor {
            executor: self.name.clone(),
            source: source.into(),
        };
        let entry = executor::entry(&spec.uses, registry).map_err(|error| failed(error.into()))?;
        let settings = executor::Settings::try_from(spec).map_err(|error| failed(error.into()))?;
        let starting = executor::start(settings, entry, workers);
        let executor = starting.instrument(server::log::named(&self.name)).await.map_err(failed)?;
        let addresses = executor.addresses().iter().copied().map(reachable).collect();
        executors.add(self.name, executor);
        Ok(addresses)
    }

    /// Starts a process of its own by the command that `run` makes, with what removes what it leaves behind. A container
    /// gets a name that begins with `container`.
    fn process(
        self,
        folder: Option<&Path>,
        container: Option<&str>,
        run: impl FnOnce(Process<'_>, &str) -> (Command, Option<process::Command>),
        executors: &mut Executors,
    ) -> Result<Vec<SocketAddr>, Error> {
        let failed = |source| Error::Spawn { executor: self.name.clone(), source };
        let number = |listener: Listener| match listener.port {
            Port::Fixed(port) => Ok(port),
            Port::Free => free_port(),
        };
        let ports = self.listeners().into_iter().map(number).collect::<io::Result<Vec<_>>>();
        let ports = ports.map_err(failed)?;
        let local = Ipv4Addr::LOCALHOST.to_string();
        let process = Process {
            deployment: self.deployment,
            name: &self.name,
            host: if self.alone { &self.deployment.executor.server.host } else { &local },
            ports: &ports,
            variables: &self.variables,
            shard: self.shard,
            folder,
            container: container.is_some(),
        };
        // No other Flow has the port, and so none has the name.
        let first = ports.first().copied().unwrap_or_default();
        let container = container.map(|prefix| format!("{prefix}-{}-{first}", self.name.replace('/', "-")));
        let (command, cleaning) = run(process, &container.unwrap_or_default());
        executors.start(self.name.clone(), command, cleaning).map_err(failed)?;
        Ok(ports.iter().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).collect())
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
