//! The arguments of each process, as `jina` takes them.

use config::Reader;
use config::table::Program;
use serde_json::{Map, Value, json};

use crate::flow::{Flow, Node};
use crate::stateful::Peers;

/// What is said about a process by where it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The first of its ports.
    pub(crate) port: u16,
    /// The port of its metrics, if it has any.
    pub(crate) monitoring: u16,
    pub(crate) namespace: Option<&'a str>,
    /// Where it keeps files, unless the Flow says so.
    pub(crate) workspace: Option<&'a str>,
}

/// What is for whoever starts the process: it is in the manifest, not among the arguments.
const NOT_FOR_PROCESSES: [&str; 18] = [
    "env",
    "env_from_secret",
    "image_pull_secrets",
    "volumes",
    "name",
    "host",
    "port",
    "port_monitoring",
    "uses",
    "protocol",
    "workspace_id",
    "k8s_namespace",
    "noblock_on_start",
    "native",
    "docker_kwargs",
    "entrypoint",
    "force_network_mode",
    "disable_auto_volume",
];

/// What the shards' own code is told and nobody else.
const OF_SHARDS: [&str; 11] = [
    "uses_with",
    "uses_metas",
    "uses_requests",
    "uses_dynamic_batching",
    "py_modules",
    "replicas",
    "polling",
    "stateful",
    "peer_ports",
    "raft_configuration",
    "replica_id",
];

/// One process of a deployment, or of a shard of it, called `name`; `peers` are those of a stateful one.
pub(crate) fn worker(
    node: &Node<'_>,
    name: &str,
    shard: u32,
    peers: Option<&Peers>,
    place: Place<'_>,
) -> Vec<String> {
    let mut options = options(node, name, place);
    options.remove("polling");
    if shard > 0 {
        options.insert("shard_id".to_owned(), shard.into());
    }
    let ports = (place.port..).take(node.protocols.len());
    options.insert("port".to_owned(), ports.collect());
    options.insert("protocol".to_owned(), node.protocols.iter().map(|protocol| protocol.name()).collect());
    if let Some(uses) = &node.image.uses {
        options.insert("uses".to_owned(), uses.as_str().into());
        let workspace = place.workspace.map(Value::from);
        if let Some(workspace) = workspace.filter(|_| !options.contains_key("workspace")) {
            options.insert("workspace".to_owned(), workspace);
        }
    }
    let Some(peers) = peers else { return executor(&options) };
    // They were of one machine.
    options.retain(|key, _| key != "peer_ports" && key != "replica_id");
    options.insert("peers".to_owned(), json!(peers.addresses));
    options.extend(node.state().map(|workspace| ("workspace".to_owned(), workspace.into())));
    let mut arguments = executor(&options);
    // Said even if it is 0: whoever says nothing is found by the name of its host.
    arguments.extend(peers.this.into_iter().flat_map(|this| ["--replica-id".to_owned(), this.to_string()]));
    arguments
}

/// The executor before or after the shards, called `name`.
pub(crate) fn beside(node: &Node<'_>, name: &str, uses: Option<&str>, place: Place<'_>) -> Vec<String> {
    let mut options = options(node, name, place);
    options.retain(|key, _| !OF_SHARDS.contains(&key.as_str()));
    if let Some(uses) = uses {
        options.insert("uses".to_owned(), uses.into());
        let workspace = place.workspace.map(Value::from);
        if let Some(workspace) = workspace.filter(|_| !options.contains_key("workspace")) {
            options.insert("workspace".to_owned(), workspace);
        }
    }
    // The head reports metrics of the deployment; two processes in one pod cannot share a port.
    if place.namespace.is_some() {
        options.retain(|key, _| key != "monitoring" && key != "port_monitoring");
        // Nobody but the head of its pod calls it.
        options.retain(|key, _| !["tls_certfile", "tls_keyfile", "tls_client_ca"].contains(&key.as_str()));
    }
    executor(&options)
}

/// What a head calls: its shards, and the executors before and after them.
pub(crate) struct Calls {
    pub(crate) shards: Map<String, Value>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The head of a deployment in shards.
pub(crate) fn head(node: &Node<'_>, calls: Calls, place: Place<'_>) -> Vec<String> {
    let mut options = options(node, &format!("{}/head", node.name), place);
    let polling = options.get("polling").cloned();
    options.retain(|key, _| !OF_SHARDS.contains(&key.as_str()) && key != "workspace");
    if let Some(polling) = polling {
        options.insert("polling".to_owned(), polling);
    }
    let said = json!({"runtime_cls": "HeadRuntime", "pod_role": "HEAD", "connection_list": calls.shards});
    options.extend(said.as_object().cloned().unwrap_or_default());
    let beside = [("uses_before_address", calls.before), ("uses_after_address", calls.after)];
    options.extend(beside.into_iter().filter_map(|(key, address)| Some((key.to_owned(), address?.into()))));
    executor(&options)
}

/// The gateway, which finds each node at `addresses`.
pub(crate) fn gateway(
    flow: &Flow<'_>,
    ports: &[u16],
    addresses: &Map<String, Value>,
    place: Place<'_>,
) -> Vec<String> {
    let mut options = common(&flow.spec.gateway_options, place);
    options.remove("workspace");
    let graph = &flow.spec.gateway.graph;
    let said = json!({
        "graph_description": graph.description,
        "graph_conditions": graph.conditions,
        "deployments_addresses": addresses,
        "deployments_metadata": graph.metadata,
        "deployments_no_reduce": graph.no_reduce,
        "port": ports,
        "protocol": flow.protocols().iter().map(|protocol| protocol.name()).collect::<Vec<_>>(),
    });
    options.extend(said.as_object().cloned().unwrap_or_default());
    if let Some(uses) = &flow.gateway.uses {
        options.insert("uses".to_owned(), uses.as_str().into());
    }
    let mut arguments = vec!["gateway".to_owned()];
    arguments.extend(config::command_line(Program::Gateway, &options, Reader::Ours));
    arguments
}

fn options(node: &Node<'_>, name: &str, place: Place<'_>) -> Map<String, Value> {
    let mut options = common(&node.deployment.options, place);
    options.insert("name".to_owned(), name.into());
    options.insert("port".to_owned(), json!([place.port]));
    options
}

/// What the file says of a process itself.
fn common(said: &Map<String, Value>, place: Place<'_>) -> Map<String, Value> {
    let mut options = said.clone();
    options.retain(|key, _| !NOT_FOR_PROCESSES.contains(&key.as_str()));
    if options.get("monitoring") == Some(&Value::Bool(true)) {
        options.insert("port_monitoring".to_owned(), json!([place.monitoring]));
    }
    if let Some(namespace) = place.namespace {
        options.insert("k8s_namespace".to_owned(), namespace.into());
    }
    options
}

fn executor(options: &Map<String, Value>) -> Vec<String> {
    let mut arguments = vec!["executor".to_owned()];
    arguments.extend(config::command_line(Program::Executor, options, Reader::Ours));
    arguments.push("--native".to_owned());
    arguments
}
