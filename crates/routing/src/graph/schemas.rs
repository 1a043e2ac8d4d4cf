//! Whether neighbours fit together: each executor must take what the one before it returns.

use std::sync::Arc;

use bytestring::ByteString;
use call::{DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT};
use docarray::discovery::Discovery;
use serde_json::{Map, Value};

use super::Graph;
use crate::Problem;
use crate::problem::Mismatch;

type Known<'a> = Option<&'a Arc<Discovery>>;

pub(super) fn check(graph: &Graph, discoveries: &[Option<Arc<Discovery>>]) -> Vec<Problem> {
    let known = |index: usize| discoveries.get(index).and_then(Option::as_ref);
    let mut problems = Vec::new();
    for (from, node) in graph.nodes[..graph.gateway()].iter().enumerate() {
        for &to in &node.successors {
            let (Some(returning), Some(taking)) = (known(from), known(to)) else { continue };
            let parts = if graph.nodes[to].reduces { &graph.nodes[to].parts[..] } else { &[] };
            let others: Vec<Known<'_>> =
                parts.iter().filter(|part| **part != from).map(|part| known(*part)).collect();
            let mismatches =
                returning.endpoints.keys().flat_map(|endpoint| compare(endpoint, returning, taking, &others));
            problems.extend(mismatches.map(|mismatch| Problem::Neighbours {
                from: graph.names[from].clone(),
                to: graph.names[to].clone(),
                mismatch,
            }));
        }
    }
    problems
}

/// What does not fit at one endpoint of the executor that returns. `others` return documents that are merged with its own.
///
/// A field is missing if the executor that takes requires it, and nobody before it can have filled it in: a field with
/// a default, or one that another branch brings, is complete when it gets there.
fn compare(
    endpoint: &ByteString,
    returning: &Discovery,
    taking: &Discovery,
    others: &[Known<'_>],
) -> Vec<Mismatch> {
    // The dry run carries no documents, and each implementation has its own schema for none.
    if endpoint == DRY_RUN_ENDPOINT {
        return Vec::new();
    }
    match taking.bound(endpoint) {
        None if endpoint == DEFAULT_ENDPOINT => return Vec::new(),
        None => return vec![Mismatch::Endpoint { endpoint: endpoint.clone() }],
        // The default endpoint takes what comes; its schema says little of this endpoint.
        Some(bound) if bound != endpoint => return Vec::new(),
        Some(_same) => {}
    }
    let (Some(output), Some(input)) = (returning.schema(endpoint), taking.schema(endpoint)) else {
        return Vec::new();
    };
    // Without properties at its root a schema says nothing of fields: the legacy document is such.
    let (Some(returned), Some(taken)) = (properties(&output.output.schema), properties(&input.input.schema))
    else {
        return Vec::new();
    };
    let mut mismatches = Vec::new();
    for (field, schema) in taken {
        let (endpoint, field) = (endpoint.clone(), field.clone());
        match returned.get(&field) {
            None => {
                let is_missing = is_required(&input.input.schema, &field)
                    && !others.iter().any(|other| may_return(*other, &endpoint, &field));
                if is_missing {
                    mismatches.push(Mismatch::Missing { endpoint, field });
                }
            }
            Some(other) => {
                // A union has no type at its top and fits what has none either.
                let (returned, taken) = (other.get("type"), schema.get("type"));
                if returned != taken {
                    let (returned, taken) = (type_name(returned), type_name(taken));
                    mismatches.push(Mismatch::Type { endpoint, field, returned, taken });
                }
            }
        }
    }
    let unknown = returned.keys().filter(|field| !taken.contains_key(*field));
    mismatches
        .extend(unknown.map(|field| Mismatch::Unknown { endpoint: endpoint.clone(), field: field.clone() }));
    mismatches
}

/// Whether documents without the field are refused: it has no default.
fn is_required(schema: &Value, field: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|name| name == field))
}

/// Whether an executor may fill a field in. One of which nothing is known may, and so may the client.
fn may_return(other: Known<'_>, endpoint: &str, field: &str) -> bool {
    let Some(other) = other else { return true };
    let schema = other.schema(endpoint).and_then(|schema| properties(&schema.output.schema));
    schema.is_none_or(|fields| fields.contains_key(field))
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn type_name(kind: Option<&Value>) -> String {
    match kind {
        None => "a union".to_owned(),
        Some(Value::String(name)) => name.clone(),
        Some(other) => other.to_string(),
    }
}
