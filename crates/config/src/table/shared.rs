//! Arguments of gateway and executor alike.

use super::build::{BOTH, row};
use super::{Argument, PYTHON};
use crate::form::{COMPRESSIONS, Form};

const TELEMETRY: &str = "metrics and traces are not sent to anybody yet";
const CONTAINERS: &str = "it concerns containers that another program starts";

pub(super) const ROWS: &[Argument] = &[
    row(BOTH, "workspace", Form::Text, "Base directory of what an executor keeps"),
    row(
        BOTH,
        "log-config",
        Form::Text,
        "Layout of the log: default, plain, json, docker, remote, profile, quiet or a file",
    )
    .or("default"),
    row(BOTH, "quiet", Form::Flag, "Log nothing").or("false"),
    row(BOTH, "quiet-error", Form::Flag, "Log errors without stack traces").or("false").beyond(),
    row(BOTH, "workspace-id", Form::Text, "Identifies a workspace to an orchestrator").accepted(),
    row(BOTH, "extra-search-paths", Form::Texts, "Directories in which files named by others are looked up"),
    row(
        BOTH,
        "timeout-ctrl",
        Form::Integer,
        "How many seconds an orchestrator waits for the end of the process",
    )
    .or("60")
    .accepted(),
    row(BOTH, "k8s-namespace", Form::Text, "Kubernetes namespace of the process").accepted(),
    row(BOTH, "entrypoint", Form::Text, "Overrides the entry point of a container")
        .elsewhere()
        .warn(CONTAINERS),
    row(BOTH, "docker-kwargs", Form::KeyValue, "Options of the container engine")
        .elsewhere()
        .warn(CONTAINERS),
    row(BOTH, "py-modules", Form::Texts, "Python files that define what is used").elsewhere().warn(PYTHON),
    row(BOTH, "grpc-server-options", Form::KeyValue, "Options of the gRPC server by their gRPC names"),
    row(
        BOTH,
        "grpc-channel-options",
        Form::KeyValue,
        "Options of gRPC channels towards executors by their gRPC names",
    ),
    row(
        BOTH,
        "compression",
        Form::Choice { of: COMPRESSIONS, exact: true },
        "Compression of requests towards executors",
    ),
    row(
        BOTH,
        "timeout-send",
        Form::Milliseconds,
        "Limit of each try of a call to an executor; negative means none",
    ),
    row(BOTH, "timeout-ready", Form::Milliseconds, "How long an orchestrator waits for readiness")
        .or("600000")
        .accepted(),
    row(BOTH, "env", Form::KeyValue, "Environment variables for the process, set by whoever starts it")
        .accepted(),
    row(BOTH, "env-from-secret", Form::KeyValue, "Environment variables from Kubernetes secrets").accepted(),
    row(BOTH, "image-pull-secrets", Form::Texts, "Kubernetes secrets for pulling the image").accepted(),
    row(BOTH, "noblock-on-start", Form::Flag, "Tells an orchestrator not to wait").or("false").accepted(),
    row(BOTH, "floating", Form::Flag, "Nobody waits for the answer of this node").or("false").accepted(),
    row(BOTH, "reload", Form::Flag, "Restart when source files change").or("false").elsewhere().warn(PYTHON),
    row(BOTH, "monitoring", Form::Flag, "Serve Prometheus metrics").or("false").warn(TELEMETRY),
    row(BOTH, "port-monitoring", Form::Ports, "Port of the Prometheus metrics; any free one if left out"),
    row(
        BOTH,
        "retries",
        Form::Integer,
        "Further tries of a call to an executor; negative means one for each replica, at least three",
    )
    .or("-1"),
    row(BOTH, "tracing", Form::Flag, "Send traces over OTLP").or("false").warn(TELEMETRY),
    row(BOTH, "traces-exporter-host", Form::Text, "Host of the collector of traces"),
    row(BOTH, "traces-exporter-port", Form::Port, "Port of the collector of traces"),
    row(BOTH, "metrics", Form::Flag, "Send metrics over OTLP").or("false").warn(TELEMETRY),
    row(BOTH, "metrics-exporter-host", Form::Text, "Host of the collector of metrics"),
    row(BOTH, "metrics-exporter-port", Form::Port, "Port of the collector of metrics"),
    row(BOTH, "stateful", Form::Flag, "Keep replicas of the executor consistent by consensus").or("false"),
    row(
        BOTH,
        "peer-ports",
        Form::PeerPorts,
        "Ports of the replicas of a stateful executor on this machine, by shard if there are several",
    ),
];
