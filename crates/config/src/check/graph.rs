//! The JSON arguments that describe the graph.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Context, Settings};
use crate::{Address, Graph, Place, Reason};

pub(super) fn graph(settings: &Settings, context: &mut Context<'_>) -> Graph {
    let mut graph = Graph::default();
    for (node, next, place) in entries(settings, context, "graph-description", "node to list of successors") {
        let names = names(&next, &place, context);
        graph.description.insert(node, names);
    }
    for (node, condition, place) in entries(settings, context, "graph-conditions", "node to filter") {
        match condition {
            Value::Object(_) => {
                graph.conditions.insert(node, condition);
            }
            other => context.expected(place, "an object such as {\"tags__lang\": {\"$eq\": \"en\"}}", &other),
        }
    }
    for (node, list, place) in
        entries(settings, context, "deployments-addresses", "node to list of addresses")
    {
        // A Deployment of its own writes a list for each protocol; calls are gRPC.
        let (list, place) = match list {
            Value::Object(mut by_protocol) => {
                (by_protocol.shift_remove("GRPC").unwrap_or(Value::Array(Vec::new())), place.within("GRPC"))
            }
            list => (list, place),
        };
        let addresses = addresses(&list, &place, context);
        graph.addresses.insert(node, addresses);
    }
    for (node, pairs, place) in entries(settings, context, "deployments-metadata", "node to object of texts")
    {
        let pairs = metadata(&pairs, &place, context);
        graph.metadata.insert(node, pairs);
    }
    if let Some(list) = settings.value("deployments-no-reduce") {
        graph.no_reduce = names(list, &settings.place("deployments-no-reduce"), context);
    }
    graph
}

/// The entries of an object with the place of each.
fn entries(
    settings: &Settings,
    context: &mut Context<'_>,
    name: &str,
    what: &str,
) -> Vec<(String, Value, Place)> {
    let place = settings.place(name);
    match settings.value(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(entries)) => {
            entries.iter().map(|(key, value)| (key.clone(), value.clone(), place.within(key))).collect()
        }
        Some(other) => {
            context.expected(place, &format!("an object: {what}"), other);
            Vec::new()
        }
    }
}

fn names(value: &Value, place: &Place, context: &mut Context<'_>) -> Vec<String> {
    let Value::Array(items) = value else {
        context.expected(place.clone(), "a list of names", value);
        return Vec::new();
    };
    let mut names = Vec::with_capacity(items.len());
    for (idx, item) in items.iter().enumerate() {
        match item {
            Value::String(name) => names.push(name.clone()),
            other => context.expected(place.within(&format!("[{idx}]")), "a name", other),
        }
    }
    names
}

/// One address or a list of them.
pub(super) fn addresses(value: &Value, place: &Place, context: &mut Context<'_>) -> Vec<Address> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut addresses = Vec::with_capacity(items.len());
    for (idx, item) in items.iter().enumerate() {
        let place = if items.len() > 1 { place.within(&format!("[{idx}]")) } else { place.clone() };
        match item {
            Value::String(text) => addresses.extend(address(text, place, context)),
            other => context.expected(place, "an address such as `host:port`", other),
        }
    }
    addresses
}

/// One address.
pub(crate) fn address(text: &str, place: Place, context: &mut Context<'_>) -> Option<Address> {
    match text.parse() {
        Ok(address) => Some(address),
        Err(invalid) => {
            context.problem(place, Reason::Conflict { message: crate::InvalidAddress::to_string(&invalid) });
            None
        }
    }
}

pub(super) fn metadata(value: &Value, place: &Place, context: &mut Context<'_>) -> IndexMap<String, String> {
    let Value::Object(pairs) = value else {
        context.expected(place.clone(), "an object of texts", value);
        return IndexMap::new();
    };
    let mut metadata = IndexMap::new();
    for (key, value) in pairs {
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        match crate::form::text(value) {
            Some(text) if is_key => {
                metadata.insert(key.to_ascii_lowercase(), text);
            }
            Some(_) => {
                let what = "letters, digits, `-`, `_` and `.` in a metadata key";
                context.expected(place.clone(), what, &key.as_str().into());
            }
            None => context.expected(place.within(key), "a text", value),
        }
    }
    metadata
}
