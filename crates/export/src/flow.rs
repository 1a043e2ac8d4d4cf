//! The processes of a Flow, whatever runs them.

use std::collections::HashMap;

use config::{Deployment, Export, ExportFormat, FlowSpec, Protocol, Uses};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::names::{is_label, label};
use crate::{Error, Problem, stateful};

/// A Flow that can be exported.
#[derive(Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) spec: &'a FlowSpec,
    /// Those that are ours to start.
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) gateway: Image,
    pub(crate) log_level: Option<&'a str>,
}

/// A deployment that is ours to start.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) deployment: &'a Deployment,
    /// Its processes are called so in logs; the node's name but for Deployment files.
    pub(crate) name: &'a str,
    pub(crate) image: Image,
    pub(crate) before: Option<Image>,
    pub(crate) after: Option<Image>,
    /// The head's.
    pub(crate) head: Image,
    /// Whose place in the list is that of its port.
    pub(crate) protocols: Vec<Protocol>,
    /// Where its certificate comes from, if not from a file that it names.
    pub(crate) tls_secret: Option<&'a str>,
}

/// An image and what is to be run in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) name: String,
    /// Whether it is the gateway's, about which is known what it needs.
    pub(crate) is_gateways: bool,
    /// The argument `uses`; `None` is the executor that hands documents through, or a built-in gateway.
    pub(crate) uses: Option<String>,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(spec: &'a FlowSpec, export: &'a Export) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut nodes = Vec::new();
        for deployment in spec.deployments.iter().filter(|deployment| deployment.external.is_none()) {
            nodes.extend(node(spec, deployment, export, &mut problems));
        }
        for node in &nodes {
            stateful::check(node, &export.format, &mut problems);
        }
        check_names(&nodes, &mut problems);
        if !problems.is_empty() {
            return Err(Error::Problems(problems));
        }
        let uses = spec.gateway_options.get("uses").and_then(Value::as_str);
        let gateway = match uses.and_then(|uses| uses.strip_prefix("docker://")) {
            Some(image) => {
                Image { name: image.to_owned(), is_gateways: false, uses: Some(CONFIG.to_owned()) }
            }
            None => {
                Image { name: export.gateway_image.clone(), is_gateways: true, uses: uses.map(str::to_owned) }
            }
        };
        Ok(Self { spec, nodes, gateway, log_level: export.log_level.as_deref() })
    }

    /// The protocols of the gateway, in the order of its ports.
    pub(crate) fn protocols(&self) -> Vec<Protocol> {
        self.spec.gateway.server.listeners.iter().flat_map(|listener| listener.protocols.clone()).collect()
    }

    /// Whether the gateway speaks TLS to clients.
    pub(crate) fn is_secure(&self) -> bool {
        self.spec.gateway.server.tls.is_some()
    }

    /// The gateway's environment. Of secrets only the names are known.
    pub(crate) fn environment(&self) -> &IndexMap<String, String> {
        &self.spec.gateway_env
    }

    /// Where every node of the graph is; `address` says it of those that are ours to start.
    pub(crate) fn addresses(&self, address: impl Fn(&Node<'_>) -> Vec<String>) -> Map<String, Value> {
        let mut addresses = Map::new();
        for deployment in &self.spec.deployments {
            let of_it = match &deployment.external {
                Some(external) => external.addresses.iter().map(ToString::to_string).collect(),
                None => {
                    let node = self.nodes.iter().find(|node| node.deployment.name == deployment.name);
                    node.map(&address).unwrap_or_default()
                }
            };
            addresses.insert(deployment.name.clone(), of_it.into());
        }
        addresses
    }
}

impl Node<'_> {
    /// What its processes and objects are called.
    pub(crate) fn label(&self) -> String {
        label(self.name)
    }

    pub(crate) fn is_sharded(&self) -> bool {
        self.deployment.executor.shards > 1
    }

    /// The name of each shard, with its number; of the deployment itself if it has none.
    pub(crate) fn shards(&self) -> Vec<(u32, String)> {
        if self.is_sharded() {
            (0..self.deployment.executor.shards)
                .map(|shard| (shard, format!("{}-{shard}", self.name)))
                .collect()
        } else {
            vec![(0, self.name.to_owned())]
        }
    }

    /// The place of the port for calls of the gateway among the ports.
    pub(crate) fn grpc(&self) -> u16 {
        let idx = self.protocols.iter().position(|protocol| *protocol == Protocol::Grpc);
        idx.and_then(|idx| u16::try_from(idx).ok()).unwrap_or(0)
    }

    /// Whether its port is encrypted, which only executors of this project do.
    pub(crate) fn is_secure(&self) -> bool {
        self.option("tls_certfile").is_some() || self.tls_secret.is_some()
    }

    pub(crate) fn is_monitored(&self) -> bool {
        self.option("monitoring") == Some(&Value::Bool(true))
    }

    pub(crate) fn option(&self, key: &str) -> Option<&Value> {
        self.deployment.options.get(key)
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<&str> {
        let items = self.option(key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// The file in the image of an executor or gateway that says what to run.
const CONFIG: &str = "config.yml";

fn node<'a>(
    spec: &FlowSpec,
    deployment: &'a Deployment,
    export: &'a Export,
    problems: &mut Vec<Problem>,
) -> Option<Node<'a>> {
    let mut image = |uses: &Uses, text: Option<&str>| match image(deployment, uses, text, export) {
        Ok(image) => Some(image),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let text = |key: &str| deployment.options.get(key).and_then(Value::as_str);
    let is_sharded = deployment.executor.shards > 1;
    let mut beside = |executor: &Option<config::ExecutorSpec>, key: &str| match executor {
        Some(executor) if is_sharded => image(&executor.uses, text(key)).map(Some),
        _ => Some(None),
    };
    let (before, after) =
        (beside(&deployment.uses_before, "uses_before"), beside(&deployment.uses_after, "uses_after"));
    let own = image(&deployment.executor.uses, text("uses"));
    // Clients call a Deployment itself where it has no gateway.
    let is_called =
        !spec.has_gateway || spec.is_deployment && matches!(export.format, ExportFormat::Kubernetes(_));
    let protocols = if is_called && spec.has_gateway {
        spec.gateway.server.listeners.iter().flat_map(|listener| listener.protocols.clone()).collect()
    } else {
        let listeners = deployment.executor.server.listeners.iter();
        listeners.flat_map(|listener| listener.protocols.clone()).collect::<Vec<_>>()
    };
    if !is_called && !protocols.contains(&Protocol::Grpc) {
        problems.push(Problem::NoGrpc { deployment: deployment.name.clone() });
    }
    let name = deployment.executor.name.as_deref().unwrap_or(&deployment.name);
    let head = Image { name: export.gateway_image.clone(), is_gateways: true, uses: None };
    let tls_secret = match &export.format {
        ExportFormat::Kubernetes(cluster) => {
            cluster.executor_tls_secrets.get(&deployment.name).map(String::as_str)
        }
        ExportFormat::DockerCompose { .. } => None,
    };
    Some(Node { deployment, name, image: own?, before: before?, after: after?, head, protocols, tls_secret })
}

/// The image of an executor; `text` is what the file says in `uses`.
fn image(
    deployment: &Deployment,
    uses: &Uses,
    text: Option<&str>,
    export: &Export,
) -> Result<Image, Problem> {
    let name = || deployment.name.clone();
    match (uses, &export.executor_image) {
        (Uses::PassThrough, _) => {
            Ok(Image { name: export.gateway_image.clone(), is_gateways: true, uses: None })
        }
        (Uses::Image(image), _) => {
            Ok(Image { name: image.clone(), is_gateways: false, uses: Some(CONFIG.to_owned()) })
        }
        (Uses::Hub(uses), _) => Err(Problem::Hub { deployment: name(), uses: uses.clone() }),
        (Uses::Name(class) | Uses::File { name: class, .. }, Some(image)) => {
            let uses = text.map_or_else(|| class.clone(), str::to_owned);
            Ok(Image { name: image.clone(), is_gateways: false, uses: Some(uses) })
        }
        (Uses::Name(class) | Uses::File { name: class, .. }, None) => {
            Err(Problem::InNoImage { deployment: name(), uses: class.clone() })
        }
    }
}

fn check_names(nodes: &[Node<'_>], problems: &mut Vec<Problem>) {
    let mut seen = HashMap::from([("gateway".to_owned(), "gateway".to_owned())]);
    for node in nodes {
        let mut names: Vec<String> = node.shards().into_iter().map(|(_, name)| name).collect();
        if node.is_sharded() {
            names.push(format!("{}/head", node.name));
        }
        for one in names {
            let name = label(&one);
            if !is_label(&name) {
                problems.push(Problem::NoName { name: one.clone(), what: "a deployment" });
            }
            if let Some(other) = seen.insert(name.clone(), one.clone()) {
                problems.push(Problem::SameName { one, other, name });
            }
        }
    }
}
