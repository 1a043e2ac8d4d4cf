//! All executors of a gateway, and what goes on in the background for them.

use std::fmt;
use std::sync::Arc;

use call::{ExecutorName, Metadata};
use docarray::discovery::Discovery;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::discovery::discover;
use crate::executor::Executor;
use crate::link::Worker;
use crate::node::Node;
use crate::report::Report;
use crate::resolve::Resolving;
use crate::{Address, Pool, Settings, TlsError, tls};

/// One executor of the graph and where it is.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: ExecutorName,
    /// Its addresses; each, and each address that a name among them resolves to, is a replica.
    pub addresses: Vec<Address>,
    /// Headers that every call to it carries, discovery included.
    pub metadata: Metadata,
}

/// What the executors said of themselves, by node; `None` for those that have not answered yet.
pub type Discoveries = Arc<[Option<Arc<Discovery>>]>;

/// Targets that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    /// There is nowhere to go.
    #[error("executor `{executor}` has no address")]
    NoAddress {
        /// The executor.
        executor: ExecutorName,
    },
    /// A header cannot be sent.
    #[error("executor `{executor}` has metadata that no header can carry: `{name}`")]
    Metadata {
        /// The executor.
        executor: ExecutorName,
        /// The header.
        name: String,
    },
    /// Connections cannot be encrypted.
    #[error("executor `{executor}` cannot be reached over TLS")]
    Tls {
        /// The executor.
        executor: ExecutorName,
        /// Why.
        source: TlsError,
    },
}

/// All executors of a gateway. Cloning is cheap.
#[derive(Clone)]
pub struct Cluster {
    nodes: Arc<[Arc<Node>]>,
    settings: Arc<Settings>,
    stop: CancellationToken,
    tasks: TaskTracker,
    discoveries: watch::Receiver<Discoveries>,
    alive: Arc<DropGuard>,
}

impl Cluster {
    /// Begins to resolve names, to connect and to ask for endpoints, on the current runtime. The place of a
    /// target in `targets` is its [`call::NodeIndex`].
    ///
    /// From `stop` on nothing is refreshed any more, and connections that have no call for a moment are
    /// closed; calls that are made nevertheless get a connection. All tasks are on `tasks`. They end as well
    /// when the last clone of the cluster and of its pools is dropped.
    ///
    /// # Errors
    ///
    /// If a target can never be called.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(
        targets: Vec<Target>,
        settings: Settings,
        stop: &CancellationToken,
        tasks: TaskTracker,
    ) -> Result<Self, InvalidTarget> {
        let stop = stop.child_token();
        let settings = Arc::new(settings);
        let control = Arc::new(Worker {
            runtime: Handle::current(),
            tasks: tasks.clone(),
            stop: stop.clone(),
            settings: settings.clone(),
            control: true,
        });
        let mut prepared = Vec::with_capacity(targets.len());
        let mut tls_config = None;
        for target in targets {
            prepared.push(prepare(target, &settings, &mut tls_config)?);
        }
        let none: Discoveries = prepared.iter().map(|_| None).collect();
        let (publish, discoveries) = watch::channel(none);
        let publish = Arc::new(publish);
        let mut nodes = Vec::with_capacity(prepared.len());
        for (index, (executor, resolving)) in prepared.into_iter().enumerate() {
            if executor.has_names() {
                tasks.spawn(resolving.run(stop.clone()));
            }
            let node = Arc::new(Node::new(executor, control.clone()));
            tasks.spawn(node.clone().follow(stop.clone()));
            tasks.spawn(discover(node.clone(), index, publish.clone(), stop.clone()));
            nodes.push(node);
        }
        let alive = Arc::new(stop.clone().drop_guard());
        Ok(Self { nodes: nodes.into(), settings, stop, tasks, discoveries, alive })
    }

    /// The way to the executors for one worker: its connections are driven on `runtime`, and it is to be
    /// called there.
    #[must_use]
    pub fn pool(&self, runtime: &Handle) -> Pool {
        let worker = Arc::new(Worker {
            runtime: runtime.clone(),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
            settings: self.settings.clone(),
            control: false,
        });
        let nodes = self.nodes.iter().map(|control| {
            let node = Arc::new(Node::new(control.executor.clone(), worker.clone()));
            self.tasks.spawn_on(node.clone().follow(self.stop.clone()), runtime);
            node
        });
        Pool::new(nodes, self.alive.clone())
    }

    /// What the executors said of themselves; changes when one answers for the first time or something else.
    #[must_use]
    pub fn discoveries(&self) -> watch::Receiver<Discoveries> {
        self.discoveries.clone()
    }

    /// How each executor is, by node: which addresses were tried and what failed.
    #[must_use]
    pub fn report(&self) -> Vec<Report> {
        let discoveries = self.discoveries.borrow().clone();
        let answered = discoveries.iter().map(Option::is_some);
        self.nodes.iter().zip(answered).map(|(node, answered)| Report::of(&node.executor, answered)).collect()
    }
}

type TlsConfig = Arc<rustls::ClientConfig>;

fn prepare(
    target: Target,
    settings: &Settings,
    tls_config: &mut Option<TlsConfig>,
) -> Result<(Arc<Executor>, Resolving), InvalidTarget> {
    let Target { name: executor, addresses, metadata } = target;
    if addresses.is_empty() {
        return Err(InvalidTarget::NoAddress { executor });
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &metadata.0 {
        match (HeaderName::try_from(&**name), HeaderValue::try_from(&**value)) {
            (Ok(name), Ok(value)) => headers.append(name, value),
            _ => return Err(InvalidTarget::Metadata { executor, name: name.to_string() }),
        };
    }
    let mut encrypt = |address: &Address| -> Result<_, TlsError> {
        if !address.tls() {
            return Ok(None);
        }
        let config = match tls_config {
            Some(config) => config.clone(),
            None => tls_config.insert(tls::config(&settings.roots, settings.identity.as_ref())?).clone(),
        };
        tls::tls(address, &config).map(Some)
    };
    let tls: Result<Vec<_>, _> = addresses.iter().map(&mut encrypt).collect();
    let tls = tls.map_err(|source| InvalidTarget::Tls { executor: executor.clone(), source })?;
    let executor = Arc::new(Executor::new(executor, addresses, headers));
    Ok((executor.clone(), Resolving::new(executor, tls, settings)))
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}
