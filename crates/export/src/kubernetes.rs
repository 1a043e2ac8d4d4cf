//! Kubernetes.

mod container;
mod policies;
mod probes;
mod service;
mod workload;

use std::path::Path;

use config::{Cluster, Services};
use serde::Serialize;
use serde_json::Value;

use crate::arguments::{self, Calls, Place};
use crate::flow::{Flow, Node};
use crate::names::{is_label, label};
use crate::stateful::{self, Peers};
use crate::{Error, File, Problem, yaml};
use container::Container;
use workload::Workload;

/// Every pod has an address of its own, so all may have the same ports.
const PORT: u16 = 8080;
const MONITORING: u16 = 9090;
/// Those of the executors in the pod of a head.
const BEFORE: u16 = 8078;
const AFTER: u16 = 8079;

/// Where everything goes and how.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    log_level: Option<&'a str>,
}

/// The documents of one file.
#[derive(Debug, Default)]
struct Documents(String);

impl Documents {
    fn push(&mut self, document: &impl Serialize) -> Result<(), Error> {
        if !self.0.is_empty() {
            self.0.push_str("---\n");
        }
        self.0.push_str(&yaml::write(document)?);
        Ok(())
    }
}

pub(crate) fn files(flow: &Flow<'_>, cluster: &Cluster, out: &Path) -> Result<Vec<File>, Error> {
    let from_name = flow.spec.name.as_deref().map(label);
    let namespace = cluster.namespace.clone().or(from_name).unwrap_or_else(|| "default".to_owned());
    check(flow, cluster, &namespace)?;
    let target = Target { cluster, namespace: &namespace, log_level: flow.log_level };
    let mut files = Vec::new();
    for node in &flow.nodes {
        let directory =
            if flow.spec.is_deployment { out.to_owned() } else { out.join(&node.deployment.name) };
        for workload in workloads(node, target) {
            files.push(workload.file(&directory, target)?);
        }
    }
    if !flow.spec.is_deployment {
        files.push(gateway(flow, target).file(&out.join("gateway"), target)?);
    }
    Ok(files)
}

fn check(flow: &Flow<'_>, cluster: &Cluster, namespace: &str) -> Result<(), Error> {
    let mut problems = Vec::new();
    if !is_label(namespace) {
        problems.push(Problem::NoName { name: namespace.to_owned(), what: "a Kubernetes namespace" });
    }
    let is_node = |name: &String| flow.nodes.iter().any(|node| node.deployment.name == *name);
    let is_known = |name: &String| name == "gateway" || is_node(name);
    for (argument, names) in [
        ("--autoscale", cluster.autoscale.keys().collect::<Vec<_>>()),
        ("--requests", cluster.requests.keys().collect()),
    ] {
        for deployment in names.into_iter().filter(|name| !is_known(name)) {
            problems.push(Problem::NoDeployment { argument, deployment: deployment.clone() });
        }
    }
    for deployment in cluster.executor_tls_secrets.keys().filter(|name| !is_node(name)) {
        let argument = "--executor-tls-secrets";
        problems.push(Problem::NoDeployment { argument, deployment: deployment.clone() });
    }
    stateful::check_cluster(&flow.nodes, cluster, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(Error::Problems(problems)) }
}

/// The deployment itself, or its head and each of its shards.
fn workloads<'a>(node: &'a Node<'a>, target: Target<'a>) -> Vec<Workload<'a>> {
    let place = place(PORT, target);
    let of_node = |name: String, pod_type, container| Workload {
        deployment: &node.deployment.name,
        jina_name: node.name,
        name: label(&name),
        pod_type,
        shard_id: String::new(),
        replicas: node.deployment.executor.replicas,
        containers: vec![container],
        env: &node.deployment.env,
        options: &node.deployment.options,
        volumes: Vec::new(),
        is_stateful: false,
        is_headless: target.cluster.services == Services::Headless,
        is_monitored: node.is_monitored(),
        tls_secret: node.tls_secret,
        ca_secret: None,
    };
    let mut workloads = Vec::new();
    if node.is_sharded() {
        workloads.push(head(node, target, of_node));
    }
    for (shard, name) in node.shards() {
        let peers = node.is_stateful().then(|| peers(node, &label(&name), target));
        let mut arguments = arguments::worker(node, &name, shard, peers.as_ref(), place);
        if node.tls_secret.is_some() {
            container::use_tls_secret(&mut arguments, container::EXECUTOR);
        }
        // Replicas that call each other must trust each other.
        let ca_secret = target.cluster.executors_ca_secret.as_deref();
        let ca_secret = ca_secret.filter(|_| node.is_stateful() && node.is_secure());
        if ca_secret.is_some() {
            container::use_ca_secret(&mut arguments);
        }
        let container = Container::executor(node, &node.image, arguments, PORT);
        workloads.push(Workload {
            shard_id: shard.to_string(),
            volumes: node.own_volume().map_or_else(|| node.texts("volumes"), |volume| vec![volume]),
            is_stateful: node.is_stateful(),
            ca_secret,
            ..of_node(name, "WORKER", container)
        });
    }
    workloads
}

fn head<'a>(
    node: &'a Node<'a>,
    target: Target<'a>,
    of_node: impl Fn(String, &'static str, Container) -> Workload<'a>,
) -> Workload<'a> {
    let shards = node.shards().into_iter();
    let calls = Calls {
        shards: shards
            .map(|(shard, name)| (shard.to_string(), Value::from(called(node, &label(&name), target))))
            .collect(),
        before: node.before.as_ref().map(|_| format!("127.0.0.1:{BEFORE}")),
        after: node.after.as_ref().map(|_| format!("127.0.0.1:{AFTER}")),
    };
    let mut arguments = arguments::head(node, calls, place(PORT, target));
    if node.tls_secret.is_some() {
        container::use_tls_secret(&mut arguments, container::EXECUTOR);
    }
    if target.cluster.executors_ca_secret.is_some() {
        container::use_ca_secret(&mut arguments);
    }
    let container = Container::head(node, arguments, PORT);
    let mut head = of_node(format!("{}-head", node.name), "HEAD", container);
    head.replicas = 1;
    head.ca_secret = target.cluster.executors_ca_secret.as_deref();
    for (image, name, port) in [(&node.before, "uses-before", BEFORE), (&node.after, "uses-after", AFTER)] {
        if let Some(image) = image {
            let full = format!("{}/{name}", node.name);
            let arguments = arguments::beside(node, &full, image.uses.as_deref(), place(port, target));
            head.containers.push(Container::beside(name, image, arguments, port));
        }
    }
    head
}

fn gateway<'a>(flow: &'a Flow<'a>, target: Target<'a>) -> Workload<'a> {
    let protocols = flow.protocols();
    let ports: Vec<u16> = (PORT..).take(protocols.len()).collect();
    let addresses = flow.addresses(|node| {
        let name = node.label();
        let name = if node.is_sharded() { format!("{name}-head") } else { name };
        let scheme = if node.is_secure() { "" } else { "grpc://" };
        vec![format!("{scheme}{}", called(node, &name, target))]
    });
    let mut arguments = arguments::gateway(flow, &ports, &addresses, place(PORT, target));
    if target.cluster.tls_secret.is_some() {
        container::use_tls_secret(&mut arguments, container::GATEWAY);
    }
    if target.cluster.executors_ca_secret.is_some() {
        container::use_ca_secret(&mut arguments);
    }
    let is_secure = flow.is_secure() || target.cluster.tls_secret.is_some();
    let options = &flow.spec.gateway_options;
    let replicas = options.get("replicas").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    Workload {
        deployment: "gateway",
        jina_name: "gateway",
        name: "gateway".to_owned(),
        pod_type: "GATEWAY",
        shard_id: String::new(),
        replicas: replicas.unwrap_or(1),
        containers: vec![Container::gateway(&flow.gateway, arguments, &protocols, is_secure)],
        env: flow.environment(),
        options,
        volumes: Vec::new(),
        is_stateful: false,
        is_headless: false,
        is_monitored: options.get("monitoring") == Some(&Value::Bool(true)),
        tls_secret: target.cluster.tls_secret.as_deref(),
        ca_secret: target.cluster.executors_ca_secret.as_deref(),
    }
}

fn place(port: u16, target: Target<'_>) -> Place<'_> {
    Place { port, monitoring: MONITORING, namespace: Some(target.namespace), workspace: None }
}

/// How the gateway or a head calls what is called `name`: plain, unless the address says otherwise.
fn called(node: &Node<'_>, name: &str, target: Target<'_>) -> String {
    let scheme = if node.is_secure() { "grpcs://" } else { "" };
    format!("{scheme}{}", address(node, name, target))
}

/// The pods of a StatefulSet, each by its name, which is that of its host.
fn peers(node: &Node<'_>, set: &str, target: Target<'_>) -> Peers {
    let scheme = if node.is_secure() { "grpcs://" } else { "" };
    let service = address(node, &stateful::peers_service(set), target);
    let replicas = 0..node.deployment.executor.replicas;
    let addresses = replicas.map(|replica| format!("{scheme}{set}-{replica}.{service}")).collect();
    Peers { addresses, this: None }
}

/// Where the gateway or a head finds what is called `name`.
fn address(node: &Node<'_>, name: &str, target: Target<'_>) -> String {
    // Heads have one port, whatever their shards have.
    let offset = if name.ends_with("-head") && node.is_sharded() { 0 } else { node.grpc() };
    format!("{name}.{}.svc:{}", target.namespace, PORT + offset)
}
