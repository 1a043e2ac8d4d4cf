//! Deployments whose replicas are kept consistent by consensus: what they need wherever they run, and what is wrong.

use std::path::Path;

use config::{Cluster, ExportFormat, Protocol, Uses};
use serde_json::Value;

use crate::Problem;
use crate::flow::Node;
use crate::names::label;

/// The longest name of a StatefulSet: Kubernetes puts ten characters behind it for a label of pods, and a hyphen.
const LONGEST_SET: usize = 52;

/// The replicas of one shard, in the order of their numbers.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    /// `HOST:PORT` of each.
    pub(crate) addresses: Vec<String>,
    /// The number of the one that is started, unless it finds itself among the addresses by the name of its host.
    pub(crate) this: Option<u32>,
}

impl<'a> Node<'a> {
    pub(crate) fn is_stateful(&self) -> bool {
        self.deployment.executor.stateful.is_some()
    }

    /// Where the replicas of a stateful executor keep their log; `None` for others.
    pub(crate) fn state(&self) -> Option<&'a str> {
        let executor = &self.deployment.executor;
        let said = executor.workspace.as_deref().and_then(Path::to_str);
        let said = said.or_else(|| executor.uses_metas.get("workspace").and_then(Value::as_str));
        said.filter(|_| self.is_stateful())
    }

    /// Where each replica of a stateful executor needs a volume, because the Flow names none.
    pub(crate) fn own_volume(&self) -> Option<&'a str> {
        self.state().filter(|_| self.texts("volumes").is_empty())
    }
}

/// The name of the service that tells replicas of each other.
pub(crate) fn peers_service(set: &str) -> String {
    format!("{set}-peers")
}

/// Where a volume is in containers. What may stand before it is a path on the host of docker, or a name.
pub(crate) fn mounted_at(volume: &str) -> &str {
    volume.split(':').nth(1).unwrap_or(volume)
}

pub(crate) fn check(node: &Node<'_>, format: &ExportFormat, problems: &mut Vec<Problem>) {
    if !node.is_stateful() {
        return;
    }
    let deployment = || node.deployment.name.clone();
    match &node.deployment.executor.uses {
        Uses::Image(image) => {
            problems.push(Problem::StatefulImage { deployment: deployment(), image: image.clone() });
        }
        Uses::PassThrough => problems.push(Problem::StatefulPassThrough { deployment: deployment() }),
        Uses::Hub(_) | Uses::Name(_) | Uses::File { .. } => {}
    }
    let is_told = problems.contains(&Problem::NoGrpc { deployment: deployment() });
    if !is_told && !node.protocols.contains(&Protocol::Grpc) {
        problems.push(Problem::StatefulWithoutGrpc { deployment: deployment() });
    }
    let Some(workspace) = node.state() else { return };
    if !workspace.starts_with('/') {
        let workspace = workspace.to_owned();
        problems.push(Problem::RelativeWorkspace { deployment: deployment(), workspace });
        return;
    }
    let volumes = node.texts("volumes");
    let is_off = matches!(format, ExportFormat::DockerCompose { .. })
        && node.option("disable_auto_volume") == Some(&Value::Bool(true));
    let is_kept = if volumes.is_empty() {
        !is_off
    } else {
        volumes.iter().any(|volume| Path::new(workspace).starts_with(mounted_at(volume)))
    };
    if !is_kept {
        problems.push(Problem::StateOnNoVolume { deployment: deployment(), workspace: workspace.to_owned() });
    }
}

/// What is wrong for Kubernetes alone.
pub(crate) fn check_cluster(nodes: &[Node<'_>], cluster: &Cluster, problems: &mut Vec<Problem>) {
    let names: Vec<String> = nodes.iter().flat_map(|node| node.shards()).map(|(_, name)| name).collect();
    for node in nodes.iter().filter(|node| node.is_stateful()) {
        if cluster.autoscale.contains_key(&node.deployment.name) {
            problems.push(Problem::StatefulScaled { deployment: node.deployment.name.clone() });
        }
        for (_, one) in node.shards() {
            if label(&one).len() > LONGEST_SET {
                problems.push(Problem::LongSet { name: one.clone(), most: LONGEST_SET });
            }
            let name = peers_service(&label(&one));
            if let Some(other) = names.iter().find(|other| label(other) == name) {
                problems.push(Problem::PeersName { deployment: one, other: other.clone(), name });
            }
        }
    }
}
