//! How Kubernetes asks whether a process is well.

use config::{Probes, Protocol};
use k8s_openapi::api::core::v1::{ExecAction, GRPCAction, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::container::Container;

/// Seconds between questions.
const PERIOD: i32 = 5;

/// Has it started; should it get requests; has it to be started again?
#[derive(Debug)]
pub(super) struct Questions {
    pub(super) startup: Probe,
    pub(super) readiness: Probe,
    pub(super) liveness: Probe,
}

/// `timeout_ready` is how many milliseconds the start may take.
pub(super) fn questions(container: &Container, probes: Probes, timeout_ready: Option<i64>) -> Questions {
    let once = question(container, probes);
    let allowed = match timeout_ready {
        Some(0..) => timeout_ready.unwrap_or(0),
        Some(_) | None => 600_000,
    };
    // As many as fit in, and no fewer than three.
    let failures = (allowed.saturating_add(4_999) / 5_000).clamp(3, i64::from(i32::MAX));
    let failures = i32::try_from(failures).unwrap_or(i32::MAX);
    Questions {
        startup: Probe { failure_threshold: Some(failures), initial_delay_seconds: Some(1), ..once.clone() },
        readiness: once.clone(),
        liveness: Probe { initial_delay_seconds: Some(30), ..once },
    }
}

fn question(container: &Container, probes: Probes) -> Probe {
    let (port, protocol) = container.ports.first().copied().unwrap_or((super::PORT, Protocol::Grpc));
    let mut probe = Probe { period_seconds: Some(PERIOD), timeout_seconds: Some(10), ..Probe::default() };
    match (probes, protocol) {
        (Probes::Native, Protocol::Http | Protocol::WebSocket) => {
            probe.http_get = Some(HTTPGetAction {
                path: Some("/".to_owned()),
                port: IntOrString::Int(port.into()),
                scheme: container.is_secure.then(|| "HTTPS".to_owned()),
                ..HTTPGetAction::default()
            });
        }
        // Kubernetes asks over gRPC without TLS only.
        (Probes::Native, Protocol::Grpc) if !container.is_secure => {
            probe.grpc = Some(GRPCAction { port: port.into(), service: None });
        }
        (Probes::Native | Probes::Exec, _) => probe.exec = Some(ping(container, port, protocol)),
    }
    probe
}

fn ping(container: &Container, port: u16, protocol: Protocol) -> ExecAction {
    let scheme = match (protocol, container.is_secure) {
        (Protocol::Grpc, false) => "grpc",
        (Protocol::Grpc, true) => "grpcs",
        (Protocol::Http | Protocol::WebSocket, false) => "http",
        (Protocol::Http | Protocol::WebSocket, true) => "https",
    };
    let command = ["jina", "ping", container.target, &format!("{scheme}://127.0.0.1:{port}")];
    ExecAction { command: Some(command.map(str::to_owned).into()) }
}
