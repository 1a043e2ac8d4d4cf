//! docker-compose.

mod certificates;

use config::{Port, Protocol};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::{self, Calls, Place};
use crate::flow::{Flow, Image, Node};
use crate::names::label;
use crate::stateful::Peers;
use crate::{Error, yaml};

/// Every executor has a host of its own, so all may have the same port.
const PORT: u16 = 8081;
const MONITORING: u16 = 9090;
/// The first port of a gateway that says none.
const GATEWAY: u16 = 51000;
/// Where executors keep files, and where that is on the host.
const WORKSPACE: &str = "/app/.cache/jina";
const VOLUME: &str = "~/.cache/jina:/app";

#[derive(Debug, Serialize)]
struct Project {
    networks: IndexMap<String, Network>,
    services: IndexMap<String, Service>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    volumes: IndexMap<String, Volume>,
}

/// One that the engine keeps, with its own settings.
#[derive(Debug, Serialize)]
struct Volume {}

#[derive(Debug, Serialize)]
struct Network {
    driver: &'static str,
}

#[derive(Debug, Serialize)]
struct Service {
    image: String,
    entrypoint: [&'static str; 1],
    command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expose: Vec<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<String>,
    healthcheck: HealthCheck,
    environment: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deploy: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<String>,
    stop_grace_period: &'static str,
    networks: [String; 1],
}

#[derive(Debug, Serialize)]
struct HealthCheck {
    test: Vec<String>,
    interval: &'static str,
    timeout: &'static str,
    start_period: String,
}

/// With `mounts_certificates` the files that processes read their certificates and keys from are those of this machine.
pub(crate) fn file(flow: &Flow<'_>, network: &str, mounts_certificates: bool) -> Result<String, Error> {
    let (mut services, mut volumes) = (IndexMap::new(), IndexMap::new());
    for node in &flow.nodes {
        add_node(flow, node, network, &mut services);
        volumes.extend(states(node).into_iter().map(|volume| (volume, Volume {})));
    }
    if flow.spec.has_gateway {
        services.insert("gateway".to_owned(), gateway(flow, network));
    }
    if mounts_certificates {
        for service in services.values_mut() {
            certificates::mount(&mut service.command, &mut service.volumes);
        }
    }
    let networks = IndexMap::from([(network.to_owned(), Network { driver: "bridge" })]);
    yaml::write(&Project { networks, services, volumes })
}

fn add_node(flow: &Flow<'_>, node: &Node<'_>, network: &str, services: &mut IndexMap<String, Service>) {
    let place = Place { port: PORT, monitoring: MONITORING, namespace: None, workspace: workspace(node) };
    if node.is_sharded() {
        let (before, after) = (format!("{}/uses-before", node.name), format!("{}/uses-after", node.name));
        let address =
            |image: &Option<Image>, name: &str| image.as_ref().map(|_| called(node, &label(name), 0));
        let shards = node.shards().into_iter().map(|(shard, name)| {
            let replicas = replicas(node, &name).into_iter();
            (shard.to_string(), replicas.map(|name| host(node, &name)).collect())
        });
        let calls = Calls {
            shards: shards.collect::<Map<_, _>>(),
            before: address(&node.before, &before),
            after: address(&node.after, &after),
        };
        let arguments = arguments::head(node, calls, place);
        let head = service(flow, node, &node.head, &arguments, network);
        services.insert(format!("{}-head", node.label()), head);
        for (image, name) in [(&node.before, before), (&node.after, after)] {
            if let Some(image) = image {
                let arguments = arguments::beside(node, &name, image.uses.as_deref(), place);
                services.insert(label(&name), service(flow, node, image, &arguments, network));
            }
        }
    }
    for (shard, name) in node.shards() {
        let replicas = replicas(node, &name);
        let addresses: Vec<_> = replicas.iter().map(|name| host(node, name)).collect();
        for (this, name) in (0..).zip(replicas) {
            let peers = node.is_stateful().then(|| Peers { addresses: addresses.clone(), this: Some(this) });
            let arguments = arguments::worker(node, &name, shard, peers.as_ref(), place);
            let mut service = service(flow, node, &node.image, &arguments, network);
            if let Some(workspace) = node.own_volume() {
                service.volumes = vec![format!("{}:{}", state(&name), escaped(workspace))];
            }
            services.insert(label(&name), service);
        }
    }
}

/// A service for each replica, called like the deployment or shard if it is the only one.
fn replicas(node: &Node<'_>, name: &str) -> Vec<String> {
    match node.deployment.executor.replicas {
        ..=1 => vec![name.to_owned()],
        several => (0..several).map(|replica| format!("{name}/rep-{replica}")).collect(),
    }
}

/// The volumes of a stateful executor, one for each replica.
fn states(node: &Node<'_>) -> Vec<String> {
    let shards = node.own_volume().map(|_| node.shards());
    let names = shards.into_iter().flatten().flat_map(|(_, name)| replicas(node, &name));
    names.map(|name| state(&name)).collect()
}

/// The volume for the state of the process called `name`.
fn state(name: &str) -> String {
    format!("{}-state", label(name))
}

/// Where the gateway or a head finds the process called `name`.
fn host(node: &Node<'_>, name: &str) -> String {
    called(node, &label(name), node.grpc())
}

/// The address of a service of a node at one of its ports.
fn called(node: &Node<'_>, service: &str, port: u16) -> String {
    let scheme = if node.is_secure() { "grpcs://" } else { "" };
    format!("{scheme}{service}:{}", PORT + port)
}

fn service(flow: &Flow<'_>, node: &Node<'_>, image: &Image, command: &[String], network: &str) -> Service {
    let is_worker = *image == node.image;
    let said = node.texts("volumes");
    let volumes = match (&image.uses, said.is_empty()) {
        (None, _) => Vec::new(),
        (Some(_), false) => said.into_iter().map(str::to_owned).collect(),
        (Some(_), true) if workspace(node).is_some() => vec![VOLUME.to_owned()],
        (Some(_), true) => Vec::new(),
    };
    let scheme = if node.is_secure() { "grpcs://" } else { "" };
    let address = format!("{scheme}127.0.0.1:{}", PORT + if is_worker { node.grpc() } else { 0 });
    let published = if node.is_monitored() { vec![MONITORING] } else { Vec::new() };
    Service {
        image: image.name.clone(),
        entrypoint: ["jina"],
        command: command.iter().map(|argument| escaped(argument)).collect(),
        // Replicas cannot share a port of the host, so that the engine picks one.
        ports: published.iter().map(u16::to_string).collect(),
        expose: published,
        healthcheck: health(image, "executor", &address, node.option("timeout_ready")),
        environment: environment(flow, &node.deployment.env, &node.deployment.options),
        deploy: node.option("gpus").filter(|_| is_worker).map(devices),
        volumes,
        stop_grace_period: "35s",
        networks: [network.to_owned()],
    }
}

/// Where the executor keeps files if the Flow does not say so; `None` if nothing is to be mounted for it.
fn workspace(node: &Node<'_>) -> Option<&'static str> {
    let is_said = node.option("volumes").is_some();
    let is_off = node.option("disable_auto_volume") == Some(&Value::Bool(true));
    (!is_said && !is_off).then_some(WORKSPACE)
}

fn gateway(flow: &Flow<'_>, network: &str) -> Service {
    let options = &flow.spec.gateway_options;
    let listeners = &flow.spec.gateway.server.listeners;
    let mut ports = Vec::with_capacity(listeners.len());
    let mut free = GATEWAY..;
    for listener in listeners {
        ports.push(match listener.port {
            Port::Fixed(port) => port,
            Port::Free => free.next().unwrap_or(GATEWAY),
        });
    }
    let monitoring = options.get("port_monitoring").and_then(|ports| ports.get(0)).and_then(Value::as_u64);
    let monitoring = monitoring.and_then(|port| u16::try_from(port).ok()).unwrap_or(MONITORING);
    let place = Place { port: PORT, monitoring, namespace: None, workspace: None };
    let addresses = flow.addresses(|node| {
        if node.is_sharded() {
            return vec![called(node, &format!("{}-head", node.label()), 0)];
        }
        replicas(node, node.name).iter().map(|name| host(node, name)).collect()
    });
    let command = arguments::gateway(flow, &ports, &addresses, place);
    let mut published = ports.clone();
    if options.get("monitoring") == Some(&Value::Bool(true)) {
        published.push(monitoring);
    }
    let scheme = match (listeners.first().and_then(|listener| listener.protocols.first()), flow.is_secure()) {
        (Some(Protocol::Grpc) | None, false) => "grpc",
        (Some(Protocol::Grpc) | None, true) => "grpcs",
        (Some(Protocol::Http | Protocol::WebSocket), false) => "http",
        (Some(Protocol::Http | Protocol::WebSocket), true) => "https",
    };
    let address = format!("{scheme}://127.0.0.1:{}", ports.first().copied().unwrap_or(GATEWAY));
    Service {
        image: flow.gateway.name.clone(),
        entrypoint: ["jina"],
        command: command.iter().map(|argument| escaped(argument)).collect(),
        ports: published.iter().map(|port| format!("{port}:{port}")).collect(),
        expose: published,
        healthcheck: health(&flow.gateway, "gateway", &address, options.get("timeout_ready")),
        environment: environment(flow, flow.environment(), options),
        deploy: None,
        volumes: Vec::new(),
        stop_grace_period: "35s",
        networks: [network.to_owned()],
    }
}

/// Secrets are taken from the environment of whoever starts the containers.
fn environment(
    flow: &Flow<'_>,
    said: &IndexMap<String, String>,
    options: &Map<String, Value>,
) -> Vec<String> {
    let secrets = options.get("env_from_secret").and_then(Value::as_object).into_iter().flatten();
    let said = said.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    let level = format!("JINA_LOG_LEVEL={}", flow.log_level.unwrap_or("INFO"));
    std::iter::once(level).chain(said).chain(secrets.map(|(name, _)| name.clone())).collect()
}

/// A dollar sign would be read as the beginning of a variable of the host.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

fn health(image: &Image, target: &str, address: &str, timeout_ready: Option<&Value>) -> HealthCheck {
    let allowed = timeout_ready.and_then(Value::as_u64).unwrap_or(600_000);
    // In Python the question alone costs seconds of a processor.
    let (interval, timeout) = if image.is_gateways { ("2s", "10s") } else { ("10s", "60s") };
    HealthCheck {
        test: ["CMD", "jina", "ping", target, address].map(str::to_owned).into(),
        interval,
        timeout,
        start_period: format!("{}s", allowed.div_ceil(1000)),
    }
}

fn devices(gpus: &Value) -> Value {
    let count = match gpus.as_str() {
        Some(text) => text.parse::<u32>().map_or_else(|_| text.into(), Value::from),
        None => gpus.clone(),
    };
    let device = serde_json::json!({"driver": "nvidia", "count": count, "capabilities": ["gpu"]});
    serde_json::json!({"resources": {"reservations": {"devices": [device]}}})
}
