//! A whole Flow, as its file describes it.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Address, ExecutorSpec, GatewaySpec, Polling, TlsServer};

/// A Flow: a gateway and the deployments behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowSpec {
    /// Whether it is a Deployment of its own, with a gateway that the file does not speak of.
    pub is_deployment: bool,
    /// Whether a gateway is run; a Deployment may do without, and then its ports and protocols are those of its executor.
    pub has_gateway: bool,
    /// Names the Kubernetes namespace.
    pub name: Option<String>,
    /// The file it was read from, if any.
    pub path: Option<PathBuf>,
    /// The gateway, its graph included. Addresses are known for deployments with a port or of other owners.
    pub gateway: GatewaySpec,
    /// What the file says about the gateway, by key, inherited values included. For rendering.
    pub gateway_options: Map<String, Value>,
    /// Environment of the gateway.
    pub gateway_env: IndexMap<String, String>,
    /// In the order in which they were added.
    pub deployments: Vec<Deployment>,
}

/// One node of the graph: an executor with its replicas and shards.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The node.
    pub name: String,
    /// What made it.
    pub role: DeploymentRole,
    /// Nodes it waits for, sorted; empty for the entry of the graph.
    pub needs: Vec<String>,
    /// Nobody waits for its answer.
    pub floating: bool,
    /// Not ours to start.
    pub external: Option<External>,
    /// One executor process of it. Name, ports and shard are those of the deployment as a whole.
    pub executor: ExecutorSpec,
    /// Which shards get a call.
    pub polling: Polling,
    /// Called before the shards. What belongs to the deployment as a whole is as in `executor`.
    pub uses_before: Option<ExecutorSpec>,
    /// Called after the shards, likewise.
    pub uses_after: Option<ExecutorSpec>,
    /// Encryption of its own listeners.
    pub tls: Option<TlsServer>,
    /// How long its start may take; `None` sets no limit.
    pub timeout_ready: Option<Duration>,
    /// Environment of its processes.
    pub env: IndexMap<String, String>,
    /// What the file says, by key, inherited values included. For rendering and for other runtimes.
    pub options: Map<String, Value>,
}

/// What made a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentRole {
    /// `add`.
    Executor,
    /// `needs` or `needs_all`.
    Join,
    /// `inspect`.
    Inspect,
    /// Stands beside an inspected node and hands documents through.
    InspectPass,
    /// Gathers all inspected nodes.
    InspectJoin,
}

/// A deployment that others run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// Its replicas; at least one.
    pub addresses: Vec<Address>,
}
