//! The pods of a workload.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapEnvSource, Container as KubernetesContainer, ContainerPort, EnvFromSource, EnvVar,
    EnvVarSource, ExecAction, KeyToPath, Lifecycle, LifecycleHandler, LocalObjectReference,
    ObjectFieldSelector, PodSecurityContext, PodSpec, ResourceRequirements, SeccompProfile,
    SecretKeySelector, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use super::Workload;
use crate::kubernetes::container::{CA_DIRECTORY, CA_FILE, Container, TLS_DIRECTORY};
use crate::kubernetes::probes::{Questions, questions};
use crate::kubernetes::{MONITORING, Target};
use crate::stateful::mounted_at;

/// How many seconds a pod goes on serving after it has been asked to end, until nobody is sent to it any more.
/// Services notice at once; callers that chose the pod by its name keep its address as long as their resolver,
/// which is for half a minute with CoreDNS, and look it up again every ten seconds.
const UNTIL_FORGOTTEN: u32 = 2;
const UNTIL_FORGOTTEN_BY_NAME: u32 = 40;

/// What a process may take to finish its work, and a little more.
const UNTIL_FINISHED: u32 = 30;

/// Whom our images run as, so that they may write on volumes.
const USER: i64 = 10_001;

const TLS: &str = "tls";
const CA: &str = "executors-ca";

pub(super) fn spec(workload: &Workload<'_>, target: Target<'_>) -> PodSpec {
    let is_ours = workload.containers.iter().all(|container| container.image.is_gateways);
    let secrets = workload.options.get("image_pull_secrets").and_then(Value::as_array).into_iter().flatten();
    let secrets: Vec<_> = secrets
        .filter_map(Value::as_str)
        .map(|name| LocalObjectReference { name: name.to_owned() })
        .collect();
    let volume = |name: &str, secret: &str, items| Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.to_owned()),
            items,
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    };
    let tls = workload.tls_secret.map(|secret| volume(TLS, secret, None));
    // Keys that may stand beside the authorities are of no concern here.
    let authorities = KeyToPath { key: CA_FILE.to_owned(), path: CA_FILE.to_owned(), ..KeyToPath::default() };
    let ca = workload.ca_secret.map(|secret| volume(CA, secret, Some(vec![authorities])));
    let volumes: Vec<_> = tls.into_iter().chain(ca).collect();
    PodSpec {
        containers: workload
            .containers
            .iter()
            .map(|container| container_spec(workload, container, target))
            .collect(),
        image_pull_secrets: (!secrets.is_empty()).then_some(secrets),
        security_context: (is_ours || workload.is_stateful).then(|| PodSecurityContext {
            run_as_non_root: is_ours.then_some(true),
            fs_group: workload.is_stateful.then_some(USER),
            seccomp_profile: is_ours
                .then(|| SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() }),
            ..PodSecurityContext::default()
        }),
        automount_service_account_token: is_ours.then_some(false),
        // A service called `flowgate-…` would otherwise be taken for arguments.
        enable_service_links: is_ours.then_some(false),
        termination_grace_period_seconds: Some((until_forgotten(workload) + UNTIL_FINISHED).into()),
        volumes: (!volumes.is_empty()).then_some(volumes),
        ..PodSpec::default()
    }
}

fn until_forgotten(workload: &Workload<'_>) -> u32 {
    if workload.is_headless { UNTIL_FORGOTTEN_BY_NAME } else { UNTIL_FORGOTTEN }
}

fn container_spec(workload: &Workload<'_>, container: &Container, target: Target<'_>) -> KubernetesContainer {
    let timeout_ready = workload.options.get("timeout_ready").and_then(Value::as_i64);
    let Questions { startup, readiness, liveness } =
        questions(container, target.cluster.probes, timeout_ready);
    let sleep = format!("sleep {}", until_forgotten(workload));
    let mounts = mounts(workload, container);
    KubernetesContainer {
        name: container.name.to_owned(),
        image: Some(container.image.name.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(vec!["jina".to_owned()]),
        args: Some(container.arguments.clone()),
        ports: Some(ports(workload, container)),
        env: Some(environment(workload, target)),
        env_from: Some(vec![EnvFromSource {
            config_map_ref: Some(ConfigMapEnvSource { name: workload.config_map(), ..Default::default() }),
            ..EnvFromSource::default()
        }]),
        resources: resources(workload, container, target),
        startup_probe: Some(startup),
        readiness_probe: Some(readiness),
        liveness_probe: Some(liveness),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(ExecAction { command: Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), sleep]) }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        volume_mounts: (!mounts.is_empty()).then_some(mounts),
        // Of other images it is not known what they need.
        security_context: container.image.is_gateways.then(|| SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        ..KubernetesContainer::default()
    }
}

fn is_first(workload: &Workload<'_>, container: &Container) -> bool {
    workload.containers.first().is_some_and(|first| first.name == container.name)
}

fn ports(workload: &Workload<'_>, container: &Container) -> Vec<ContainerPort> {
    let monitoring = (workload.is_monitored && is_first(workload, container)).then_some(MONITORING);
    let ports = container.ports.iter().map(|(port, _)| *port).chain(monitoring);
    ports.map(|port| ContainerPort { container_port: port.into(), ..ContainerPort::default() }).collect()
}

fn environment(workload: &Workload<'_>, target: Target<'_>) -> Vec<EnvVar> {
    let plain = |name: &str, value: &str| EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..EnvVar::default()
    };
    let field = |name: &str, path: &str| EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector { field_path: path.to_owned(), api_version: None }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    };
    let kind = format!("K8S_{}_NAME", workload.kind().to_uppercase());
    let mut environment = vec![
        field("POD_UID", "metadata.uid"),
        plain("JINA_DEPLOYMENT_NAME", workload.jina_name),
        plain(&kind, &workload.name),
        plain("K8S_NAMESPACE_NAME", target.namespace),
        field("K8S_POD_NAME", "metadata.name"),
    ];
    let secrets = workload.options.get("env_from_secret").and_then(Value::as_object).into_iter().flatten();
    environment.extend(secrets.map(|(name, secret)| {
        let text = |key: &str| secret.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        EnvVar {
            name: name.clone(),
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: text("name"),
                    key: text("key"),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
            ..EnvVar::default()
        }
    }));
    environment
}

/// What it needs, as far as somebody said so, and how many GPUs.
fn resources(
    workload: &Workload<'_>,
    container: &Container,
    target: Target<'_>,
) -> Option<ResourceRequirements> {
    let requests = target.cluster.requests.get(workload.deployment);
    let requests =
        requests.filter(|_| is_first(workload, container) && workload.pod_type != "HEAD").map(|resources| {
            let (cpu, memory) = (Quantity(resources.cpu.clone()), Quantity(resources.memory.clone()));
            BTreeMap::from([("cpu".to_owned(), cpu), ("memory".to_owned(), memory)])
        });
    // The gateway and heads are known to get by with little.
    let little = || {
        let needs = [("cpu", "100m"), ("memory", "64Mi")];
        needs.map(|(name, quantity)| (name.to_owned(), Quantity(quantity.to_owned()))).into()
    };
    let requests = requests.or_else(|| container.image.is_gateways.then(little));
    let gpus = workload.options.get("gpus").and_then(Value::as_str).filter(|gpus| *gpus != "all");
    let limits = gpus
        .filter(|_| container.has_gpus)
        .map(|gpus| BTreeMap::from([("nvidia.com/gpu".to_owned(), Quantity(gpus.to_owned()))]));
    (requests.is_some() || limits.is_some()).then(|| ResourceRequirements {
        requests,
        limits,
        ..ResourceRequirements::default()
    })
}

fn mounts(workload: &Workload<'_>, container: &Container) -> Vec<VolumeMount> {
    let mut mounts = Vec::new();
    if container.has_volumes {
        for (idx, volume) in workload.volumes.iter().enumerate() {
            mounts.push(VolumeMount {
                name: workload.claim_name(idx),
                mount_path: mounted_at(volume).to_owned(),
                ..VolumeMount::default()
            });
        }
    }
    let secret = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    if workload.tls_secret.is_some() && container.is_secure {
        mounts.push(secret(TLS, TLS_DIRECTORY));
    }
    if workload.ca_secret.is_some() && is_first(workload, container) {
        mounts.push(secret(CA, CA_DIRECTORY));
    }
    mounts
}
