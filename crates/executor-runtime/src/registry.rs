//! The executors that a process can host.

use std::error::Error;
use std::sync::Arc;

use bytestring::ByteString;
use docarray::discovery::Discovery;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::endpoint::Bound;
use crate::state::State;
use crate::{Executor, Failure, Setup};

/// Executors by the names of their classes.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    entries: IndexMap<&'static str, Entry>,
}

/// One executor that can be hosted.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    class: &'static str,
    build: fn(Map<String, Value>, &Setup) -> Result<Instance, BuildError>,
    tell: fn(&IndexMap<String, String>) -> Discovery,
}

/// An executor that is made.
pub(crate) struct Instance {
    /// By endpoint, in the order of the code.
    pub(crate) endpoints: IndexMap<ByteString, Arc<Bound>>,
    pub(crate) state: State,
    pub(crate) close: Box<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>,
}

/// An executor that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// What it is to be made with does not fit.
    #[error("`with` of executor {executor} is not as it should be")]
    With {
        /// The class.
        executor: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Its code refuses.
    #[error("executor {executor} cannot be made")]
    New {
        /// The class.
        executor: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Registry {
    /// A registry of no executors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an executor. One of the same name is replaced.
    #[must_use]
    pub fn with<E: Executor>(mut self) -> Self {
        self.entries.insert(E::class(), Entry::of::<E>());
        self
    }

    /// The executor of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries.keys().copied()
    }
}

impl Entry {
    /// The executor `E`.
    #[must_use]
    pub fn of<E: Executor>() -> Self {
        Self { class: E::class(), build: build::<E>, tell: tell::<E> }
    }

    /// The name of its class.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        self.class
    }

    /// What the executor will say of itself, which its code tells without being run. `uses_requests` are the endpoints
    /// that are bound to other functions, by name.
    #[must_use]
    pub fn discovery(&self, uses_requests: &IndexMap<String, String>) -> Discovery {
        (self.tell)(uses_requests)
    }

    pub(crate) fn build(&self, with: Map<String, Value>, setup: &Setup) -> Result<Instance, BuildError> {
        (self.build)(with, setup)
    }
}

fn build<E: Executor>(with: Map<String, Value>, setup: &Setup) -> Result<Instance, BuildError> {
    let executor = Arc::new(E::build(with, setup)?);
    let state = State::of(&executor);
    let mut endpoints = IndexMap::new();
    for endpoint in E::endpoints() {
        let (names, bound) = endpoint.bind(&executor, &state);
        let bound = Arc::new(bound);
        endpoints.extend(names.into_iter().map(|name| (name, bound.clone())));
    }
    Ok(Instance { endpoints, state, close: Box::new(move || executor.clone().close()) })
}

fn tell<E: Executor>(uses_requests: &IndexMap<String, String>) -> Discovery {
    let mut discovery = Discovery::default();
    for endpoint in E::endpoints() {
        let rebound = uses_requests.iter().filter(|(_, method)| *method == endpoint.method);
        let mut names: Vec<ByteString> = rebound.map(|(name, _)| name.as_str().into()).collect();
        if names.is_empty() {
            names = endpoint.names.into_iter().map(ByteString::from_static).collect();
        }
        discovery.endpoints.extend(names.into_iter().map(|name| (name, Some(endpoint.schema.clone()))));
    }
    discovery
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("endpoints", &self.endpoints.keys()).finish_non_exhaustive()
    }
}
