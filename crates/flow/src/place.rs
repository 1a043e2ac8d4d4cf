//! Starting deployments: in this process, or as processes of `jina`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use config::{Address, Deployment, ExecutorSpec, Head, Listener, Port, Protocol, Shard};
use executor_runtime::Registry;
use server::Workers;

use crate::container::Docker;
use crate::executors::Executors;
use crate::plan::runner_of;
use crate::python::{Jina, Process, arguments};
use crate::{Error, Plan, Runner};

/// Starts all executors of all deployments, writes their addresses into the graph, and returns who watches them.
pub(crate) async fn place(plan: &mut Plan) -> Result<Executors, Error> {
    let jina = jina(plan).await?;
    let docker = docker(plan)?;
    // The gateway has threads of its own, so that executors that compute do not keep it from answering.
    let workers = Workers::start(crate::running::threads(None));
    let workers = Arc::new(workers.map_err(|source| Error::System { what: "threads", source })?);
    let folder = plan.spec.path.as_deref().and_then(Path::parent);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let registry = &plan.registry;
    let mut placing = Placing { registry, workers, jina, docker, folder, executors: Executors::new() };
    let graph = &mut plan.spec.gateway.graph;
    for (deployment, runner) in plan.spec.deployments.iter().zip(&plan.runners) {
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

/// Whether calls to a deployment are more than calls to one of its replicas.
fn has_head(deployment: &Deployment) -> bool {
    let Deployment { executor, uses_before, uses_after, .. } = deployment;
    executor.shards > 1 || uses_before.is_some() || uses_after.is_some()
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
}

impl Placing<'_> {
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
        for replica in 0..deployment.executor.replicas {
            addresses.push(self.start(Place::of(deployment, shard, replica)).await?);
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
        let place = Place { deployment: &deployment, shard: 0, replica: 0, name, port: None };
        self.start(place).await.map(Some)
    }

    async fn start(&mut self, place: Place<'_>) -> Result<Address, Error> {
        let runner = runner_of(&place.deployment.executor, self.registry);
        let address = match (runner, &self.jina, &self.docker) {
            (Ok(Runner::Workers), _, _) => {
                place.in_workers(self.folder, self.workers.clone(), &mut self.executors).await?
            }
            (Ok(Runner::Python), Some(jina), _) => place.python(jina, self.folder, &mut self.executors)?,
            (Ok(Runner::Container), _, Some(docker)) => {
                place.container(docker, self.folder, &mut self.executors)?
            }
            // Where there is something in Python or in containers, there is what runs it.
            _ => place.in_process(self.registry, self.workers.clone(), &mut self.executors).await?,
        };
        Ok(Address { secure: false, host: address.ip().to_string(), port: address.port() })
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
        Self { deployment, shard, replica, name, port }
    }

    /// What a process of its own would be told.
    fn spec(&self) -> ExecutorSpec {
        let mut spec = self.deployment.executor.clone();
        spec.name = Some(self.name.clone());
        spec.shard_id = self.shard;
        spec.replica_id = self.replica;
        // Nobody but the gateway of this process calls it, unless the Flow gives it a port; and the two need no
        // encryption between them.
        if self.port.is_none() {
            spec.server.host = Ipv4Addr::LOCALHOST.to_string();
        }
        let port = self.port.map_or(Port::Free, Port::Fixed);
        spec.server.listeners = vec![Listener { port, protocols: vec![Protocol::Grpc] }];
        spec.server.tls = None;
        spec
    }

    /// Starts an executor in Python whose workers are ours.
    async fn in_workers(
        self,
        folder: Option<&Path>,
        workers: Arc<Workers>,
        executors: &mut Executors,
    ) -> Result<SocketAddr, Error> {
        let mut spec = self.spec();
        if let (Some(python), Some(folder)) = (&mut spec.python, folder) {
            python.search_paths.push(folder.to_string_lossy().into_owned());
        }
        let variables = &self.deployment.env;
        let failed = |source: executor::StartError| Error::Executor {
            executor: self.name.clone(),
            source: source.into(),
        };
        let running = executor::start_workers(spec, variables, workers).await.map_err(failed)?;
        let address = reachable(running.address());
        executors.add(self.name, running);
        Ok(address)
    }

    async fn in_process(
        self,
        registry: &Registry,
        workers: Arc<Workers>,
        executors: &mut Executors,
    ) -> Result<SocketAddr, Error> {
        let spec = self.spec();
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
        let Self { deployment, shard, name, .. } = self;
        let failed = |source| Error::Spawn { executor: name.clone(), source };
        let port = self.port.map_or_else(free_port, Ok).map_err(failed)?;
        let process = Process { deployment, name: &name, port, shard, folder, container: false };
        let mut command = jina.command();
        command.args(arguments(process)).envs(&deployment.env);
        executors.start(name.clone(), command, None).map_err(failed)?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    fn container(
        self,
        docker: &Docker,
        folder: Option<&Path>,
        executors: &mut Executors,
    ) -> Result<SocketAddr, Error> {
        let Self { deployment, shard, name, .. } = self;
        let failed = |source| Error::Spawn { executor: name.clone(), source };
        let port = self.port.map_or_else(free_port, Ok).map_err(failed)?;
        let process = Process { deployment, name: &name, port, shard, folder, container: true };
        // No other Flow has the port, and so none has the name.
        let container = format!("flowgate-{}-{port}", name.replace('/', "-"));
        let (command, cleaning) = (docker.run(&container, process), docker.remove(&container));
        executors.start(name.clone(), command, Some(cleaning)).map_err(failed)?;
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
