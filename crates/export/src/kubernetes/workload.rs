//! A Deployment or StatefulSet, and the pods that it keeps.

mod pod;

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment, StatefulSet, StatefulSetSpec,
    StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PodTemplateSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Map, Value};

use super::container::Container;
use super::service::{app, config_map, metadata, monitor, peers_service, services};
use super::{Documents, Target, policies};
use crate::{Error, File, stateful};

/// Pods of one kind, and how they are reached.
#[derive(Debug)]
pub(super) struct Workload<'a> {
    /// The node of the graph, or `gateway`.
    pub(super) deployment: &'a str,
    /// What its processes are called in logs, without shard and replica.
    pub(super) jina_name: &'a str,
    pub(super) name: String,
    pub(super) pod_type: &'static str,
    /// Empty if it is no shard.
    pub(super) shard_id: String,
    pub(super) replicas: u32,
    /// The first one is reached from outside.
    pub(super) containers: Vec<Container>,
    pub(super) env: &'a IndexMap<String, String>,
    /// What the file says.
    pub(super) options: &'a Map<String, Value>,
    /// Where volumes are mounted, perhaps behind the path on a host.
    pub(super) volumes: Vec<&'a str>,
    /// Whether consensus keeps the pods consistent.
    pub(super) is_stateful: bool,
    pub(super) is_headless: bool,
    pub(super) is_monitored: bool,
    pub(super) tls_secret: Option<&'a str>,
    /// With the authorities of the executors that it calls.
    pub(super) ca_secret: Option<&'a str>,
}

impl Workload<'_> {
    /// Everything about it, in one file.
    pub(super) fn file(&self, directory: &Path, target: Target<'_>) -> Result<File, Error> {
        let mut documents = Documents::default();
        documents.push(&config_map(self, target))?;
        for service in services(self, target) {
            documents.push(&service)?;
        }
        if self.is_stateful {
            documents.push(&peers_service(self, target))?;
        }
        if self.volumes.is_empty() {
            documents.push(&self.deployment(target))?;
        } else {
            documents.push(&self.stateful_set(target))?;
        }
        if self.is_monitored {
            documents.push(&monitor(self, target))?;
        }
        let autoscale = target.cluster.autoscale.get(self.deployment).filter(|_| self.pod_type != "HEAD");
        if target.cluster.disruption_budgets && (self.replicas > 1 || autoscale.is_some()) {
            documents.push(&policies::disruption_budget(self, target))?;
        }
        if let Some(replicas) = autoscale {
            documents.push(&policies::autoscaler(self, *replicas, target))?;
        }
        Ok(File { path: directory.join(format!("{}.yml", self.name)), content: documents.0 })
    }

    pub(super) fn config_map(&self) -> String {
        format!("{}-configmap", self.name)
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.volumes.is_empty() { "Deployment" } else { "StatefulSet" }
    }

    fn selector(&self) -> LabelSelector {
        LabelSelector { match_labels: Some(app(&self.name)), ..LabelSelector::default() }
    }

    /// The number of pods, unless an autoscaler has the say.
    fn n_replicas(&self, target: Target<'_>) -> Option<i32> {
        let is_scaled = self.pod_type != "HEAD" && target.cluster.autoscale.contains_key(self.deployment);
        if is_scaled { None } else { i32::try_from(self.replicas).ok() }
    }

    fn deployment(&self, target: Target<'_>) -> Deployment {
        let surge = RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        };
        Deployment {
            metadata: ObjectMeta { labels: None, ..metadata(&self.name, target) },
            spec: Some(DeploymentSpec {
                replicas: self.n_replicas(target),
                selector: self.selector(),
                strategy: Some(DeploymentStrategy {
                    type_: Some("RollingUpdate".to_owned()),
                    rolling_update: Some(surge),
                }),
                template: self.template(target),
                ..DeploymentSpec::default()
            }),
            ..Deployment::default()
        }
    }

    fn stateful_set(&self, target: Target<'_>) -> StatefulSet {
        let claims = (0..self.volumes.len()).map(|idx| self.claim(idx, target)).collect();
        StatefulSet {
            metadata: ObjectMeta { labels: None, ..metadata(&self.name, target) },
            spec: Some(StatefulSetSpec {
                replicas: self.n_replicas(target),
                selector: self.selector(),
                service_name: Some(if self.is_stateful {
                    stateful::peers_service(&self.name)
                } else {
                    self.name.clone()
                }),
                // None is ready before all are there; later, each is before the next one is changed.
                pod_management_policy: self.is_stateful.then(|| "Parallel".to_owned()),
                update_strategy: self.is_stateful.then(|| StatefulSetUpdateStrategy {
                    type_: Some("RollingUpdate".to_owned()),
                    ..StatefulSetUpdateStrategy::default()
                }),
                template: self.template(target),
                volume_claim_templates: Some(claims),
                ..StatefulSetSpec::default()
            }),
            ..StatefulSet::default()
        }
    }

    /// The name of the claim for the volume `idx`.
    fn claim_name(&self, idx: usize) -> String {
        if idx == 0 { format!("{}-volume", self.name) } else { format!("{}-volume-{idx}", self.name) }
    }

    fn claim(&self, idx: usize, target: Target<'_>) -> PersistentVolumeClaim {
        let claims = &target.cluster.claims;
        let storage = BTreeMap::from([("storage".to_owned(), Quantity(claims.capacity.clone()))]);
        PersistentVolumeClaim {
            metadata: ObjectMeta { name: Some(self.claim_name(idx)), ..ObjectMeta::default() },
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(claims.access_modes.clone()),
                storage_class_name: Some(claims.class.clone()),
                resources: Some(VolumeResourceRequirements {
                    requests: Some(storage),
                    ..VolumeResourceRequirements::default()
                }),
                ..PersistentVolumeClaimSpec::default()
            }),
            ..PersistentVolumeClaim::default()
        }
    }

    fn template(&self, target: Target<'_>) -> PodTemplateSpec {
        let labels = [
            ("app", self.name.as_str()),
            ("jina_deployment_name", self.jina_name),
            ("ns", target.namespace),
            ("pod_type", self.pod_type),
            ("shard_id", &self.shard_id),
        ];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let annotations = BTreeMap::from([("linkerd.io/inject".to_owned(), "enabled".to_owned())]);
        PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(labels.into()),
                annotations: Some(annotations),
                ..ObjectMeta::default()
            }),
            spec: Some(pod::spec(self, target)),
        }
    }
}
