//! A Flow as code: the same keys as in a Flow file, so that both go through the same checks.

use std::path::PathBuf;
use std::time::Duration;

use executor_runtime::{Executor, Registry};
use serde::Serialize;
use serde_json::{Map, Value};

pub use config::Protocol;

/// The gateway of a Flow.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    options: Map<String, Value>,
}

/// One node of a Flow: an executor with its replicas.
#[derive(Debug, Clone)]
pub struct Deployment {
    options: Map<String, Value>,
    /// Makes the executor known, if it is one of this program.
    register: fn(Registry) -> Registry,
}

impl Gateway {
    /// The port to listen on; 0 takes a free one. Given once for each protocol.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        push(&mut self.options, "port", port.into());
        self
    }

    /// A protocol to serve; gRPC if none is given. May be given several times, with a port for each.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        push(&mut self.options, "protocol", protocol.name().into());
        self
    }

    /// The address to listen on.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.option("host", host)
    }

    /// Requests of one client stream that are worked on at once; 0 sets no limit.
    #[must_use]
    pub fn prefetch(self, requests: usize) -> Self {
        self.option("prefetch", requests)
    }

    /// How long each try of a call to an executor may take.
    #[must_use]
    pub fn timeout_send(self, timeout: Duration) -> Self {
        self.option("timeout_send", milliseconds(timeout))
    }

    /// How often a call to an executor is tried again.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        self.option("retries", retries)
    }

    /// Encrypts the ports.
    #[must_use]
    pub fn tls(self, certificates: impl Into<PathBuf>, private_key: impl Into<PathBuf>) -> Self {
        self.option("ssl_certfile", certificates.into()).option("ssl_keyfile", private_key.into())
    }

    /// Any key that a Flow file may have under `gateway`.
    #[must_use]
    pub fn option(mut self, key: &str, value: impl Serialize) -> Self {
        set(&mut self.options, key, value);
        self
    }

    pub(crate) fn into_options(self) -> Map<String, Value> {
        self.options
    }
}

impl Deployment {
    /// An executor of this program, which runs in this process.
    #[must_use]
    pub fn new<E: Executor>() -> Self {
        let mut deployment = Self::uses(E::class());
        deployment.register = Registry::with::<E>;
        deployment
    }

    /// An executor by name or file: one of the registered, or a Python one, for which a `jina` installation is
    /// needed.
    #[must_use]
    pub fn uses(executor: &str) -> Self {
        Self::pass_through().option("uses", executor)
    }

    /// An executor that hands documents through.
    #[must_use]
    pub fn pass_through() -> Self {
        Self { options: Map::new(), register: std::convert::identity }
    }

    /// An executor that somebody else runs, by its address; several are replicas of each other.
    #[must_use]
    pub fn external<A: AsRef<str>>(addresses: impl IntoIterator<Item = A>) -> Self {
        let mut deployment = Self::pass_through().option("external", true);
        for address in addresses {
            push(&mut deployment.options, "host", address.as_ref().into());
        }
        deployment
    }

    /// Its name in the graph; `executor0` and so on if none is given.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.option("name", name)
    }

    /// The nodes whose documents it takes; `gateway` for the client's. If none is given, the last that was added.
    #[must_use]
    pub fn needs<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<Value> = names.into_iter().map(|name| name.as_ref().into()).collect();
        self.options.insert("needs".to_owned(), names.into());
        self
    }

    /// Handed to the executor when it is made: anything that is written as a JSON object.
    #[must_use]
    pub fn uses_with(self, with: impl Serialize) -> Self {
        self.option("uses_with", with)
    }

    /// How many of it run side by side.
    #[must_use]
    pub fn replicas(self, replicas: u32) -> Self {
        self.option("replicas", replicas)
    }

    /// How many parts its data are in; each has its replicas.
    #[must_use]
    pub fn shards(self, shards: u32) -> Self {
        self.option("shards", shards)
    }

    /// Which shards get a call: `"ANY"`, `"ALL"`, or an object: endpoint to one of these, `*` for the others.
    #[must_use]
    pub fn polling(self, polling: impl Serialize) -> Self {
        self.option("polling", polling)
    }

    /// Nobody waits for its answer.
    #[must_use]
    pub fn floating(self) -> Self {
        self.option("floating", true)
    }

    /// It gets only documents that meet a condition, such as `{"tags__lang": {"$eq": "en"}}`.
    #[must_use]
    pub fn when(self, condition: impl Serialize) -> Self {
        self.option("when", condition)
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn workspace(self, folder: impl Into<PathBuf>) -> Self {
        self.option("workspace", folder.into())
    }

    /// The Python files that define the executor.
    #[must_use]
    pub fn py_modules<P: Into<PathBuf>>(self, files: impl IntoIterator<Item = P>) -> Self {
        let files: Vec<PathBuf> = files.into_iter().map(Into::into).collect();
        self.option("py_modules", files)
    }

    /// Any key that a Flow file may have in an entry of `executors`.
    #[must_use]
    pub fn option(mut self, key: &str, value: impl Serialize) -> Self {
        set(&mut self.options, key, value);
        self
    }

    pub(crate) fn into_parts(self) -> (Map<String, Value>, fn(Registry) -> Registry) {
        (self.options, self.register)
    }
}

/// A node that waits for others and merges what they return.
pub(crate) fn join(name: &str, method: &str, needs: Vec<Value>) -> Map<String, Value> {
    let mut options = Map::new();
    options.insert("name".to_owned(), name.into());
    options.insert("method".to_owned(), method.into());
    if !needs.is_empty() {
        options.insert("needs".to_owned(), needs.into());
    }
    options
}

/// Values that JSON cannot express become null; the check of the Flow then says what was expected.
fn set(options: &mut Map<String, Value>, key: &str, value: impl Serialize) {
    options.insert(key.to_owned(), serde_json::to_value(value).unwrap_or_default());
}

fn push(options: &mut Map<String, Value>, key: &str, value: Value) {
    match options.get_mut(key) {
        Some(Value::Array(values)) => values.push(value),
        _ => {
            options.insert(key.to_owned(), Value::Array(vec![value]));
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
