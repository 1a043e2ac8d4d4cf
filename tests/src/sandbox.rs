//! A gateway before some executors.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway::{Executor, Running, Settings, Shards};
use indexmap::IndexMap;
use server::Workers;

use crate::{Caller, Served, Stub, soon};

/// A gateway before some executors, all in this process.
#[derive(Debug)]
pub struct Sandbox {
    gateway: Running,
    executors: IndexMap<String, Served>,
}

/// What a sandbox is made of. Without further ado the executors are a chain in the order they were added.
#[derive(Debug, Default)]
pub struct Builder {
    settings: Settings,
    executors: IndexMap<String, Served>,
    threads: usize,
}

impl Sandbox {
    /// Nothing yet.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The gateway.
    #[must_use]
    pub const fn gateway(&self) -> &Running {
        &self.gateway
    }

    /// Where the gateway is.
    ///
    /// # Panics
    ///
    /// If it has no port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.gateway.addresses()[0]
    }

    /// A connection to the gateway.
    pub async fn caller(&self) -> Caller {
        Caller::connect(self.address()).await
    }

    /// Kills an executor; returns where it was.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    pub fn kill(&mut self, executor: &str) -> SocketAddr {
        self.executors.swap_remove(executor).expect("an executor").kill()
    }

    /// Puts an executor where there was one.
    pub fn revive(&mut self, executor: &str, stub: Stub, address: SocketAddr) {
        self.executors.insert(executor.to_owned(), stub.serve_at(address));
    }

    /// The gateway alone; the executors as they were are kept by the caller.
    #[must_use]
    pub fn into_parts(self) -> (Running, IndexMap<String, Served>) {
        (self.gateway, self.executors)
    }
}

impl Builder {
    /// Adds an executor.
    #[must_use]
    pub fn executor(self, name: &str, stub: Stub) -> Self {
        self.served(name, stub.serve())
    }

    /// Adds an executor that serves already.
    #[must_use]
    pub fn served(mut self, name: &str, served: Served) -> Self {
        let executor = self.executor_at(name, served.address());
        self.settings.executors.insert(name.to_owned(), executor);
        self.executors.insert(name.to_owned(), served);
        self
    }

    /// Adds an executor that somebody else serves, or will.
    #[must_use]
    pub fn elsewhere(mut self, name: &str, address: SocketAddr) -> Self {
        let executor = self.executor_at(name, address);
        self.settings.executors.insert(name.to_owned(), executor);
        self
    }

    /// Adds an executor in shards, whose head the gateway is.
    #[must_use]
    pub fn sharded(mut self, name: &str, shards: Shards) -> Self {
        let executor = Executor { shards: Some(shards), ..Executor::default() };
        self.settings.executors.insert(name.to_owned(), executor);
        self
    }

    fn executor_at(&self, name: &str, address: SocketAddr) -> Executor {
        let mut executor = self.settings.executors.get(name).cloned().unwrap_or_default();
        executor.addresses.push(address.to_string().parse().expect("an address"));
        executor
    }

    /// The graph, instead of a chain of the executors: `a: b, c; b: end-gateway`.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    #[must_use]
    pub fn graph(mut self, description: &str) -> Self {
        for line in description.split(';') {
            let (from, to) = line.split_once(':').expect("`node: successors`");
            let to = to.split(',').map(|name| name.trim().to_owned()).collect();
            self.settings.graph.description.insert(from.trim().to_owned(), to);
        }
        self
    }

    /// Changes the gateway's settings.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Runs the gateway's connections on so many threads; without, they run on the test's.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Starts the gateway without waiting for it.
    ///
    /// # Errors
    ///
    /// If the settings are wrong.
    ///
    /// # Panics
    ///
    /// If there are no threads to be had.
    pub fn begin(mut self) -> Result<Sandbox, gateway::StartError> {
        let graph = &mut self.settings.graph.description;
        if graph.is_empty() {
            let names = self.settings.executors.keys().map(String::as_str);
            let chain: Vec<_> =
                [routing::START].into_iter().chain(names).chain([routing::END]).map(str::to_owned).collect();
            graph.extend(chain.windows(2).map(|pair| (pair[0].clone(), vec![pair[1].clone()])));
        }
        let workers = match self.threads {
            0 => Workers::current(),
            threads => Workers::start(threads).expect("threads"),
        };
        let gateway = gateway::start(self.settings, Arc::new(workers))?;
        Ok(Sandbox { gateway, executors: self.executors })
    }

    /// Starts the gateway and waits until it serves.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub async fn start(self) -> Sandbox {
        let sandbox = self.begin().expect("right settings");
        assert!(soon("the gateway is ready", sandbox.gateway.ready()).await, "the gateway does not start");
        sandbox
    }
}
