//! Arguments of the gateway alone.

use super::Argument;
use super::build::{GATEWAY, row};
use crate::form::{Form, PROTOCOLS, PROVIDERS, ROLES};

pub(super) const ROWS: &[Argument] = &[
    row(GATEWAY, "name", Form::Text, "Name in logs, metrics and traces").or("gateway"),
    row(GATEWAY, "prefetch", Form::Integer, "Requests in flight for each client stream; 0 means any number")
        .or("1000"),
    row(GATEWAY, "title", Form::Text, "Title of the OpenAPI document"),
    row(GATEWAY, "description", Form::Text, "Description in the OpenAPI document"),
    row(GATEWAY, "cors", Form::Flag, "Let web pages of any origin call").or("false"),
    row(GATEWAY, "uvicorn-kwargs", Form::KeyValue, "Settings of the web server by their uvicorn names"),
    row(GATEWAY, "ssl-certfile", Form::Text, "Certificate chain for clients, PEM; needs --ssl-keyfile"),
    row(GATEWAY, "ssl-keyfile", Form::Text, "Private key of the certificate, PEM; needs --ssl-certfile"),
    row(GATEWAY, "no-debug-endpoints", Form::Flag, "Leave out the debugging routes over HTTP").or("false"),
    row(
        GATEWAY,
        "no-crud-endpoints",
        Form::Flag,
        "Leave out the routes /index, /search, /update, /delete over HTTP",
    )
    .or("false"),
    row(
        GATEWAY,
        "expose-endpoints",
        Form::Json,
        "HTTP routes of their own for endpoints of executors, as JSON",
    ),
    row(GATEWAY, "expose-graphql-endpoint", Form::Flag, "Serve GraphQL over HTTP").or("false").beyond(),
    row(GATEWAY, "host", Form::Text, "Address or name to listen on").aliases(&["host-in"]).or("0.0.0.0"),
    row(GATEWAY, "proxy", Form::Flag, "Keep the proxy variables of the environment").or("false").accepted(),
    row(GATEWAY, "uses", Form::Text, "One of the built-in gateways, or a file that configures one"),
    row(GATEWAY, "uses-with", Form::KeyValue, "Handed to a gateway of Python code")
        .elsewhere()
        .warn("only built-in gateways run here"),
    row(GATEWAY, "replicas", Form::Count, "Gateways that Kubernetes runs").or("1").accepted(),
    row(GATEWAY, "graph-description", Form::Json, "The graph as JSON: node to list of successors").or("{}"),
    row(GATEWAY, "graph-conditions", Form::Json, "Conditions as JSON: node to filter").or("{}"),
    row(GATEWAY, "deployments-addresses", Form::Json, "Addresses as JSON: node to list of host:port")
        .or("{}"),
    row(
        GATEWAY,
        "deployments-metadata",
        Form::Json,
        "Metadata for gRPC calls as JSON: node to object of texts",
    )
    .or("{}"),
    row(GATEWAY, "deployments-no-reduce", Form::Json, "Nodes that get their inputs unmerged, as a JSON list")
        .aliases(&["deployments-disable-reduce"])
        .or("[]"),
    row(GATEWAY, "runtime-cls", Form::Text, "Name of the runtime").or("GatewayRuntime").accepted(),
    row(GATEWAY, "shard-id", Form::Count, "Number of the shard").or("0").accepted(),
    row(GATEWAY, "replica-id", Form::Count, "Number of the replica").or("0").accepted(),
    row(GATEWAY, "pod-role", Form::Choice { of: ROLES, exact: false }, "Role of the process")
        .or("GATEWAY")
        .accepted(),
    row(GATEWAY, "port", Form::Ports, "Ports to listen on, one for each protocol; any free ones if left out")
        .aliases(&["ports", "port-expose", "port-in"]),
    row(GATEWAY, "protocol", Form::Choices { of: PROTOCOLS }, "Protocols to serve")
        .aliases(&["protocols"])
        .or("GRPC"),
    row(GATEWAY, "provider", Form::Choice { of: PROVIDERS, exact: false }, "Conventions of a cloud provider")
        .or("NONE")
        .accepted(),
    row(GATEWAY, "provider-endpoint", Form::Text, "Endpoint that a cloud provider calls").accepted(),
];
