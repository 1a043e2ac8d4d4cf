//! What makes a workload reachable and known: its ConfigMap, Services and ServiceMonitor.

use std::collections::BTreeMap;

use config::Protocol;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::workload::Workload;
use super::{MONITORING, Target};
use crate::stateful;

pub(super) fn metadata(name: &str, target: Target<'_>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(target.namespace.to_owned()),
        labels: Some(app(name)),
        ..ObjectMeta::default()
    }
}

pub(super) fn app(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("app".to_owned(), name.to_owned())])
}

pub(super) fn config_map(workload: &Workload<'_>, target: Target<'_>) -> ConfigMap {
    let level = target.log_level.map(|level| ("JINA_LOG_LEVEL".to_owned(), level.to_owned()));
    let said = workload.env.iter().map(|(name, value)| (name.clone(), value.clone()));
    ConfigMap {
        metadata: ObjectMeta { labels: None, ..metadata(&workload.config_map(), target) },
        data: Some(level.into_iter().chain(said).collect()),
        ..ConfigMap::default()
    }
}

/// One for the first protocol, called like the workload, and one for each further protocol.
pub(super) fn services(workload: &Workload<'_>, target: Target<'_>) -> Vec<Service> {
    let ports = workload.containers.first().map(|container| container.ports.as_slice()).unwrap_or_default();
    let mut services = Vec::with_capacity(ports.len());
    for (idx, (port, protocol)) in ports.iter().enumerate() {
        let name = if idx == 0 {
            workload.name.clone()
        } else {
            format!("{}-{idx}-{}", workload.name, protocol.name().to_lowercase())
        };
        let mut of_service = vec![service_port("port", *port)];
        if idx == 0 && workload.is_monitored {
            of_service.push(service_port("monitoring", MONITORING));
        }
        services.push(Service {
            metadata: metadata(&name, target),
            spec: Some(ServiceSpec {
                type_: Some("ClusterIP".to_owned()),
                cluster_ip: workload.is_headless.then(|| "None".to_owned()),
                ports: Some(of_service),
                selector: Some(app(&workload.name)),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        });
    }
    services
}

/// By which the pods of a stateful executor find each other, long before they are ready.
pub(super) fn peers_service(workload: &Workload<'_>, target: Target<'_>) -> Service {
    let ports = workload.containers.first().map(|container| container.ports.as_slice()).unwrap_or_default();
    let grpc = ports.iter().filter(|(_, protocol)| *protocol == Protocol::Grpc);
    Service {
        metadata: metadata(&stateful::peers_service(&workload.name), target),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            ports: Some(grpc.map(|(port, _)| service_port("peers", *port)).collect()),
            selector: Some(app(&workload.name)),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn service_port(name: &str, port: u16) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: port.into(),
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::Int(port.into())),
        ..ServicePort::default()
    }
}

/// For the Prometheus operator, which is no part of Kubernetes.
pub(super) fn monitor(workload: &Workload<'_>, target: Target<'_>) -> Value {
    let labels = json!({"app": workload.name});
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": workload.name, "namespace": target.namespace, "labels": labels},
        "spec": {
            "endpoints": [{"port": "monitoring"}],
            "namespaceSelector": {"matchNames": [target.namespace]},
            "selector": {"matchLabels": labels},
        },
    })
}
