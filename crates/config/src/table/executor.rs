//! Arguments of the executor alone, on the command line and in a Flow.

use super::build::{EXECUTOR, PROCESS, row};
use super::{Argument, PYTHON};
use crate::form::{Form, NETWORK_MODES, PROTOCOLS, PROVIDERS, ROLES};

const CONTAINERS: &str = "it concerns containers that another program starts";
const HUB: &str = "nothing is loaded from the Hub";

pub(super) const ROWS: &[Argument] = &[
    row(
        EXECUTOR,
        "name",
        Form::Text,
        "Name in logs, metrics and traces; the part before the first / names the deployment",
    ),
    row(
        EXECUTOR,
        "polling",
        Form::JsonOrText,
        "Which shards get a call: ANY, ALL, or JSON: endpoint to ANY or ALL, * for the others",
    )
    .or("ANY"),
    row(EXECUTOR, "shards", Form::Count, "How many shards there are").or("1"),
    row(EXECUTOR, "replicas", Form::Count, "How many replicas there are").or("1"),
    row(EXECUTOR, "native", Form::Flag, "Run in this process").or("false").accepted(),
    row(
        EXECUTOR,
        "uses",
        Form::Text,
        "Name of an executor, an executor file, docker://image; the pass-through executor if left out",
    ),
    row(EXECUTOR, "uses-with", Form::KeyValue, "Handed to the executor when it is made"),
    row(EXECUTOR, "uses-metas", Form::KeyValue, "Overrides the executor's name, description and workspace"),
    row(
        EXECUTOR,
        "uses-requests",
        Form::KeyValue,
        "Endpoint to method, where it differs from the executor's own",
    ),
    row(
        EXECUTOR,
        "uses-dynamic-batching",
        Form::KeyValue,
        "Endpoint to its batching: preferred_batch_size, timeout, flush_all, use_custom_metric",
    ),
    row(EXECUTOR, "output-array-type", Form::Text, "Array type on the wire"),
    row(EXECUTOR, "exit-on-exceptions", Form::Texts, "Names of errors that end the process"),
    row(EXECUTOR, "no-reduce", Form::Flag, "Leave inputs or shard results unmerged")
        .aliases(&["disable-reduce"])
        .or("false"),
    row(EXECUTOR, "allow-concurrent", Form::Flag, "Let calls run at the same time").or("false"),
    row(
        EXECUTOR,
        "raft-configuration",
        Form::KeyValue,
        "Settings of consensus between the replicas of a stateful executor",
    ),
    row(EXECUTOR, "volumes", Form::Texts, "Mounts of the container").elsewhere(),
    row(EXECUTOR, "gpus", Form::Text, "GPUs of the container").elsewhere(),
    row(EXECUTOR, "disable-auto-volume", Form::Flag, "Mount nothing by default").or("false").elsewhere(),
    row(
        EXECUTOR,
        "force-network-mode",
        Form::Choice { of: NETWORK_MODES, exact: false },
        "Network of the container",
    )
    .or("AUTO")
    .elsewhere()
    .warn(CONTAINERS),
    row(EXECUTOR, "host", Form::Hosts, "Address or name to listen on").aliases(&["host-in"]).or("0.0.0.0"),
    row(EXECUTOR, "runtime-cls", Form::Text, "HeadRuntime makes the process a head").or("WorkerRuntime"),
    row(EXECUTOR, "shard-id", Form::Count, "Number of this shard").or("0"),
    row(EXECUTOR, "pod-role", Form::Choice { of: ROLES, exact: false }, "HEAD makes the process a head")
        .or("WORKER"),
    row(EXECUTOR, "replica-id", Form::Count, "Number of this replica").or("0"),
    row(EXECUTOR, "install-requirements", Form::Flag, "Install Python requirements")
        .or("false")
        .elsewhere()
        .warn(PYTHON),
    row(
        EXECUTOR,
        "port",
        Form::Ports,
        "Ports to listen on, one for each protocol; any free ones if left out",
    )
    .aliases(&["ports"]),
    row(EXECUTOR, "protocol", Form::Choices { of: PROTOCOLS }, "Protocols to serve")
        .aliases(&["protocols"])
        .or("GRPC"),
    row(
        EXECUTOR,
        "provider",
        Form::Choice { of: PROVIDERS, exact: false },
        "Conventions of a cloud provider",
    )
    .or("NONE"),
    row(EXECUTOR, "provider-endpoint", Form::Text, "SageMaker: the endpoint that becomes /invocations"),
    row(EXECUTOR, "force-update", Form::Flag, "Load from the Hub again")
        .aliases(&["force"])
        .or("false")
        .elsewhere()
        .warn(HUB),
    row(EXECUTOR, "prefer-platform", Form::Text, "Platform of images from the Hub").elsewhere().warn(HUB),
    row(PROCESS, "uses-before-address", Form::Text, "Head: executor to call before the shards"),
    row(PROCESS, "uses-after-address", Form::Text, "Head: executor to call after the shards"),
    row(PROCESS, "connection-list", Form::Json, "Head: shard to its addresses, as JSON"),
];
