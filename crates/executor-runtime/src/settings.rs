//! How an executor is hosted.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderName;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::Batching;

/// The header that says how urgent a request is: a whole number, 0 if it does not come, more is more urgent.
pub(crate) const PRIORITY: HeaderName = HeaderName::from_static("x-priority");

/// How an executor is hosted.
#[derive(Debug, Clone)]
pub struct ExecutorSettings {
    /// The replica's name, such as `encoder/rep-0`. The part before the first `/` names the deployment.
    pub name: String,
    /// What the executor is made with.
    pub uses_with: Map<String, Value>,
    /// The executor's own name; without one, its class.
    pub meta_name: Option<String>,
    /// Endpoint → function, where it differs from what the code says.
    pub uses_requests: IndexMap<String, String>,
    /// The base of the directories that executors keep things in.
    pub workspace: PathBuf,
    /// Which shard this is.
    pub shard_id: u32,
    /// How many there are.
    pub shards: u32,
    /// Which replica this is.
    pub replica_id: u32,
    /// How many there are.
    pub replicas: u32,
    /// Whether functions that are not `async` may run at the same time.
    pub allow_concurrent: bool,
    /// Calls that run at the same time. Fewer of functions that are not `async`, see `allow_concurrent`.
    pub max_running: usize,
    /// Calls that wait for their turn; more are refused.
    pub max_waiting: usize,
    /// How long one call of the code may take. A stream of documents is no such call.
    pub max_call_time: Option<Duration>,
    /// Bytes of memory that the process may use.
    pub memory_limit: Option<u64>,
    /// Endpoint or function → how its calls are gathered into batches.
    pub batching: IndexMap<String, Batching>,
    /// Classes of errors after which the process ends.
    pub exit_on_exceptions: Vec<String>,
    /// What is in flight at once.
    pub limits: call::Limits,
    /// The gRPC side.
    pub grpc: grpc::server::Settings,
}

impl Default for ExecutorSettings {
    fn default() -> Self {
        Self {
            name: "executor".to_owned(),
            uses_with: Map::new(),
            meta_name: None,
            uses_requests: IndexMap::new(),
            workspace: PathBuf::from("workspace"),
            shard_id: 0,
            shards: 1,
            replica_id: 0,
            replicas: 1,
            allow_concurrent: false,
            max_running: 1000,
            max_waiting: 10_000,
            max_call_time: None,
            memory_limit: None,
            batching: IndexMap::new(),
            exit_on_exceptions: Vec::new(),
            limits: call::Limits::default(),
            // Requests of one `Call` stream are answered one after the other, as executors in Python do.
            grpc: grpc::server::Settings {
                mark_errors: true,
                prefetch: 1,
                forward: vec![PRIORITY],
                ..Default::default()
            },
        }
    }
}

impl ExecutorSettings {
    /// The deployment that this replica belongs to.
    #[must_use]
    pub fn deployment(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }
}

/// What an executor is told when it is made.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The replica's name, such as `encoder/rep-0`.
    pub name: String,
    /// The deployment's name.
    pub deployment: String,
    /// The executor's own name, its class unless configured.
    pub meta_name: String,
    /// Where it may keep things: `<workspace>/<meta_name>/<shard_id>`. Replicas of a shard share it. It need
    /// not exist yet; [`Setup::workspace`] makes it.
    pub workspace: PathBuf,
    /// Which shard this is.
    pub shard_id: u32,
    /// How many there are.
    pub shards: u32,
    /// Which replica this is.
    pub replica_id: u32,
    /// How many there are.
    pub replicas: u32,
}

impl Setup {
    /// The directory that the executor may keep things in, made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn workspace(&self) -> io::Result<&Path> {
        std::fs::create_dir_all(&self.workspace)?;
        Ok(&self.workspace)
    }

    pub(crate) fn of(settings: &ExecutorSettings, class: &str) -> Self {
        let meta_name = settings.meta_name.clone().unwrap_or_else(|| class.to_owned());
        Self {
            name: settings.name.clone(),
            deployment: settings.deployment().to_owned(),
            workspace: settings.workspace.join(&meta_name).join(settings.shard_id.to_string()),
            meta_name,
            shard_id: settings.shard_id,
            shards: settings.shards,
            replica_id: settings.replica_id,
            replicas: settings.replicas,
        }
    }
}
