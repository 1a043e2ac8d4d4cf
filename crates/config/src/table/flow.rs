//! Keys that only the `executors` of a Flow have.

use super::Argument;
use super::build::{ENTRY, EXECUTOR, row};
use crate::form::{Form, METHODS};

pub(super) const ROWS: &[Argument] = &[
    row(ENTRY, "needs", Form::Texts, "Nodes to wait for; the last one before if left out"),
    row(ENTRY, "method", Form::Choice { of: METHODS, exact: true }, "How the entry joins the graph")
        .or("add"),
    row(ENTRY, "uses-before", Form::Text, "Executor to call before the shards"),
    row(ENTRY, "uses-after", Form::Text, "Executor to call after the shards"),
    row(ENTRY, "when", Form::Json, "Condition on documents; others pass by"),
    row(ENTRY, "external", Form::Flag, "Somebody else runs it").or("false"),
    row(ENTRY, "tls", Form::Flag, "Speak TLS to the external executor").or("false"),
    row(ENTRY, "grpc-metadata", Form::KeyValue, "Metadata for each gRPC call to it"),
    row(ENTRY, "ssl-certfile", Form::Text, "Certificate chain of the executor, PEM"),
    row(ENTRY, "ssl-keyfile", Form::Text, "Private key of the certificate, PEM"),
    row(EXECUTOR, "title", Form::Text, "Title of the executor's OpenAPI document"),
    row(EXECUTOR, "description", Form::Text, "Description in the executor's OpenAPI document"),
    row(EXECUTOR, "cors", Form::Flag, "Let web pages of any origin call the executor").or("false"),
    row(
        ENTRY,
        "uvicorn-kwargs",
        Form::KeyValue,
        "Settings of the executor's web server by their uvicorn names",
    ),
    row(ENTRY, "deployment-role", Form::Text, "Set by the method").accepted(),
    row(ENTRY, "include-gateway", Form::Flag, "A Deployment of its own gets a gateway").or("true"),
];
