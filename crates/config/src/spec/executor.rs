//! An executor process: a worker, or the head before the shards of one.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Address, Client, HttpSpec, LogSpec, Server, Stateful, Telemetry};

/// Everything that an executor process is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutorSpec {
    /// In logs, metrics and traces, such as `encoder/rep-0`; the part before the first `/` names the deployment.
    pub name: Option<String>,
    /// Worker or head.
    pub role: Role,
    /// Where it listens.
    pub server: Server,
    /// How a head calls its workers.
    pub client: Client,
    /// What runs.
    pub uses: Uses,
    /// Worker processes that run it, if its class is in Python and this process is to run it.
    pub python: Option<PythonSpec>,
    /// Python files that define it; for those who start Python.
    pub py_modules: Vec<String>,
    /// Handed to the executor when it is made.
    pub uses_with: Map<String, Value>,
    /// Overrides the executor's own `name`, `description`, `workspace`.
    pub uses_metas: Map<String, Value>,
    /// Endpoint → name of a method, where it differs from the executor's own binding.
    pub uses_requests: IndexMap<String, String>,
    /// Endpoint or method → dynamic batching.
    pub uses_dynamic_batching: IndexMap<String, Batching>,
    /// Base directory of what the executor keeps.
    pub workspace: Option<PathBuf>,
    /// Which shard this is.
    pub shard_id: u32,
    /// Which replica this is.
    pub replica_id: u32,
    /// How many shards there are.
    pub shards: u32,
    /// How many replicas there are.
    pub replicas: u32,
    /// How the replicas are kept consistent, if they are.
    pub stateful: Option<Stateful>,
    /// Whether calls may run at the same time.
    pub allow_concurrent: bool,
    /// How many calls may run at the same time.
    pub max_running: usize,
    /// How many calls may wait for the executor; more are refused.
    pub max_waiting: usize,
    /// How long one call of the executor's code may take, if that is limited.
    pub max_call_time: Option<Duration>,
    /// Bytes of memory that the process may use, if that is limited.
    pub memory_limit: Option<u64>,
    /// Array type on the wire, `numpy` and the like.
    pub output_array_type: Option<String>,
    /// Errors, by name, that end the process.
    pub exit_on_exceptions: Vec<String>,
    /// The HTTP side, if there is one.
    pub http: HttpSpec,
    /// Whose conventions the HTTP server follows.
    pub provider: Provider,
    /// SageMaker: the endpoint that becomes `/invocations`.
    pub provider_endpoint: Option<String>,
    /// Metrics and traces.
    pub telemetry: Telemetry,
    /// Logs.
    pub log: LogSpec,
}

/// An executor in Python, run by worker processes.
#[derive(Debug, Clone, PartialEq)]
pub struct PythonSpec {
    /// An executor file, or the name of a class.
    pub uses: String,
    /// The user's Python.
    pub interpreter: PathBuf,
    /// How many worker processes.
    pub workers: NonZeroUsize,
    /// Whether they take new code where files of the executor change.
    pub reload: bool,
    /// Bytes of data that each may have.
    pub memory_limit: Option<u64>,
    /// How long loading the executor may take.
    pub start_limit: Duration,
    /// What is said of dynamic batching besides the executor's own word, as it was said.
    pub dynamic_batching: Map<String, Value>,
    /// Directories in which the file and its modules are looked up.
    pub search_paths: Vec<String>,
}

/// What kind of process it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// It runs an executor.
    Worker,
    /// It spreads calls over shards.
    Head(Head),
}

/// What stands before the shards of an executor.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// At least one, in the order of their numbers.
    pub shards: Vec<Shard>,
    /// Which shards get a call.
    pub polling: Polling,
    /// Whether answers of several shards stay unmerged.
    pub no_reduce: bool,
    /// Called before the shards.
    pub uses_before: Option<Address>,
    /// Called after the shards.
    pub uses_after: Option<Address>,
    /// Labels the pool in metrics.
    pub deployment: String,
}

/// One shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its number.
    pub id: u32,
    /// Where its replicas are; at least one.
    pub addresses: Vec<Address>,
}

/// Which shards get a call, by endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polling {
    /// Endpoints with a rule of their own; `/search` and `/index` always have one.
    pub endpoints: IndexMap<String, PollingRule>,
    /// All others.
    pub fallback: PollingRule,
}

/// Which shards get a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollingRule {
    /// One of them.
    Any,
    /// All of them.
    All,
}

impl Polling {
    /// The rule for `endpoint`.
    #[must_use]
    pub fn rule(&self, endpoint: &str) -> PollingRule {
        self.endpoints.get(endpoint).copied().unwrap_or(self.fallback)
    }
}

/// What an executor runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uses {
    /// The executor that hands documents through.
    PassThrough,
    /// An executor by its name.
    Name(String),
    /// An executor file; what it says is already part of the specification.
    File {
        /// Where it is.
        path: PathBuf,
        /// The name in it.
        name: String,
    },
    /// A container image.
    Image(String),
    /// From the Hub.
    Hub(String),
}

/// How calls to an endpoint are gathered into batches. What is not said is left to the executor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Batching {
    /// Documents that make a batch.
    pub preferred_batch_size: Option<usize>,
    /// How long the first document waits at most.
    pub timeout: Option<Duration>,
    /// Whether everything that waits goes at once.
    pub flush_all: Option<bool>,
    /// Whether the executor counts documents its own way.
    pub use_custom_metric: Option<bool>,
    /// False switches off what the executor itself asks for.
    pub use_dynamic_batching: Option<bool>,
}

/// Whose conventions an executor's HTTP server follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// Our own.
    #[default]
    None,
    /// Amazon SageMaker.
    Sagemaker,
    /// Azure ML.
    Azure,
}
