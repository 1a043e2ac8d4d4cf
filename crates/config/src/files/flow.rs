//! Flow and Deployment files.

mod entries;
mod entry;
mod external;
mod nodes;

use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::lines::join;
use super::{Document, fields};
use crate::check::Context;
use crate::form::Object;
use crate::layers::Values;
use crate::table::{Program, by_key};
use crate::{Deployment, DeploymentRole, Place, Reason};
use entries::{Entry, entries, entry};
use nodes::Nodes;

/// Keys under `with` that are the Flow's own.
const OWN: &[&str] = &[
    "name",
    "workspace",
    "log_config",
    "quiet",
    "quiet_error",
    "workspace_id",
    "suppress_root_logging",
    "uses",
    "reload",
    "env",
    "inspect",
    "args",
    "kwargs",
    "asyncio",
    "return_responses",
    "uses_with",
];

/// What executors do not take over from the Flow, beside its own keys.
const NOT_FOR_EXECUTORS: &[&str] = &["port", "port-monitoring", "protocol", "name", "needs", "method", "env"];

/// What the Flow itself tells the gateway.
const DERIVED: &[&str] = &[
    "graph_description",
    "graph_conditions",
    "deployments_addresses",
    "deployments_metadata",
    "deployments_no_reduce",
    "deployment_role",
];

const TOP: &[&str] =
    &["version", "with", "gateway", "executors", "deployments", "jcloud", "py_modules", "metas"];

/// What a Flow file says.
#[derive(Debug)]
pub(crate) struct LoadedFlow {
    pub(crate) is_deployment: bool,
    pub(crate) has_gateway: bool,
    pub(crate) name: Option<String>,
    /// The gateway's values, the graph included.
    pub(crate) gateway: Values,
    /// What was said about the gateway in so many words.
    pub(crate) gateway_options: Object,
    pub(crate) gateway_env: IndexMap<String, String>,
    pub(crate) deployments: Vec<Deployment>,
}

/// Reads a file with `jtype: Flow` or `jtype: Deployment`.
pub(crate) fn flow_file(path: &Path, context: &mut Context<'_>) -> Option<LoadedFlow> {
    let document = match Document::read(path, context) {
        Ok(document) => document,
        Err(problem) => {
            context.problems.push(problem);
            return None;
        }
    };
    match document.jtype.as_str() {
        "Flow" | "AsyncFlow" => Some(flow(&document, context)),
        "Deployment" => Some(deployment(&document, context)),
        other => {
            context.expected(document.place("jtype"), "`jtype: Flow` or `jtype: Deployment`", &other.into());
            None
        }
    }
}

/// Takes what a program put together instead of writing it into a file.
pub(crate) fn built_flow(top: Object, context: &mut Context<'_>) -> LoadedFlow {
    flow(&Document::built("Flow", top), context)
}

fn flow(document: &Document, context: &mut Context<'_>) -> LoadedFlow {
    fields::only(document, TOP, context);
    check_version(document, context);
    let with = fields::mapping(document, "with", context);
    for key in with.keys().filter(|key| !OWN.contains(&key.as_str())) {
        if by_key(Program::Gateway, key).is_none() && by_key(Program::Deployment, key).is_none() {
            let programs = [Program::Gateway, Program::Deployment];
            fields::unknown(document, "with", key, &programs, OWN, context);
        }
    }
    let gateway = fields::mapping(document, "gateway", context);
    for (base, entries) in [("with", &with), ("gateway", &gateway)] {
        for key in entries.keys().filter(|key| DERIVED.contains(&key.as_str())) {
            context.conflict(document.place(&join(base, key)), "a Flow derives this from its executors");
        }
    }
    let mut gateway_values = inherited(document, &with, Program::Gateway, context);
    gateway_values.extend(fields::read(document, "gateway", &gateway, Program::Gateway, DERIVED, context));
    let gateway_env = [&gateway, &with].into_iter().find_map(|entries| entries.get("env"));
    let gateway_env = gateway_env.map(entry::environment).unwrap_or_default();

    let for_executors = inherited(document, &with, Program::Deployment, context);
    let entries = entries(document, &for_executors, context);
    let inspect = with.get("inspect").and_then(Value::as_str).unwrap_or("COLLECT").to_ascii_uppercase();
    if !["HANG", "REMOVE", "COLLECT"].contains(&inspect.as_str()) {
        context.expected(
            document.place("with.inspect"),
            "one of HANG, REMOVE, COLLECT",
            &inspect.as_str().into(),
        );
    }
    let (nodes, deployments) = connect(document, entries, &inspect, context);
    let gateway_options = options(&gateway_values);
    derive(document, &nodes, &deployments, &mut gateway_values);
    let name = with.get("name").and_then(crate::form::text);
    LoadedFlow {
        is_deployment: false,
        has_gateway: true,
        name,
        gateway: gateway_values,
        gateway_options,
        gateway_env,
        deployments,
    }
}

/// A Deployment. What concerns clients is its gateway's, unless it is to have none.
fn deployment(document: &Document, context: &mut Context<'_>) -> LoadedFlow {
    fields::only(document, &["version", "with", "name", "uses", "needs", "jcloud"], context);
    if !document.top.contains_key("with") {
        let what = "`with`".to_owned();
        context.problem(document.place(""), Reason::Missing { what });
    }
    let with = fields::mapping(document, "with", context);
    let of_gateway = |key: &str| by_key(Program::Gateway, key).is_some();
    const FOR_CLIENTS: [&str; 12] = [
        "port",
        "ports",
        "host",
        "log_config",
        "protocol",
        "protocols",
        "cors",
        "title",
        "description",
        "uvicorn_kwargs",
        "ssl_certfile",
        "ssl_keyfile",
    ];
    let mut gateway = Values::new();
    let mut executor = Object::new();
    let include = with.get("include_gateway").or_else(|| with.get("include-gateway"));
    let has_gateway = include.and_then(Value::as_bool) != Some(false);
    for (key, value) in &with {
        let is_external = with.get("external").and_then(Value::as_bool) == Some(true);
        if has_gateway
            && FOR_CLIENTS.contains(&key.as_str())
            && !(is_external && ["port", "ports", "host"].contains(&key.as_str()))
        {
            gateway.extend(fields::read(
                document,
                "with",
                &Object::from_iter([(key.clone(), value.clone())]),
                Program::Gateway,
                &[],
                context,
            ));
        } else if by_key(Program::Deployment, key).is_some() || !of_gateway(key) {
            executor.insert(key.clone(), value.clone());
        }
    }
    let entry = entry(document, "with", &executor, &Values::new(), context);
    let name = entry.name.clone().unwrap_or_else(|| "executor".to_owned());
    let entry = Entry { name: Some(name), method: "add".to_owned(), needs: None, ..entry };
    let (nodes, deployments) = connect(document, vec![entry], "HANG", context);
    let gateway_options = options(&gateway);
    derive(document, &nodes, &deployments, &mut gateway);
    LoadedFlow {
        is_deployment: true,
        has_gateway,
        name: None,
        gateway,
        gateway_options,
        gateway_env: IndexMap::new(),
        deployments,
    }
}

fn check_version(document: &Document, context: &mut Context<'_>) {
    let Some(version) = document.top.get("version") else { return };
    let major = crate::form::text(version).and_then(|text| text.split('.').next().map(str::to_owned));
    if major.as_deref() != Some("1") {
        context.expected(document.place("version"), "version 1", version);
    }
}

/// What a program takes over from the Flow's `with`.
fn inherited(document: &Document, with: &Object, program: Program, context: &mut Context<'_>) -> Values {
    let mut others: Vec<&str> = OWN.to_vec();
    others.retain(|key| *key != "log_config" && !(*key == "workspace" && program == Program::Deployment));
    let known = |key: &String| {
        by_key(program, key).is_some_and(|argument| {
            program == Program::Gateway || !NOT_FOR_EXECUTORS.contains(&argument.name)
        })
    };
    let entries: Object =
        with.iter().filter(|(key, _)| known(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let others: Vec<&str> = others.into_iter().chain(DERIVED.iter().copied()).collect();
    let mut values = fields::read(document, "with", &entries, program, &others, context);
    if let Some((Value::String(path), _)) = values.get_mut("workspace")
        && let Ok(absolute) = std::path::absolute(&*path)
    {
        *path = absolute.display().to_string();
    }
    values
}

// === the graph ===

/// Adds every entry to the graph, as its method says.
fn connect(
    document: &Document,
    entries: Vec<Entry>,
    inspect: &str,
    context: &mut Context<'_>,
) -> (Nodes, Vec<Deployment>) {
    let mut nodes = Nodes::default();
    let mut built = Vec::new();
    for entry in entries {
        if inspect == "REMOVE" && entry.method.ends_with("inspect") {
            continue;
        }
        let place = document.place(&entry.base);
        let floating = entry.values.get("floating").is_some_and(|(value, _)| *value == Value::Bool(true));
        let added = nodes.add_by_method(&entry.method, entry.name.as_deref(), entry.needs.clone(), floating);
        match added {
            Ok(names) => built.extend(names.into_iter().map(|name| (name, entry_for(&entry), place.clone()))),
            Err(message) => context.conflict(place, message),
        }
    }
    if inspect == "COLLECT" && nodes.has_uncollected_inspects() {
        match nodes.add_by_method("gather_inspect", None, None, false) {
            Ok(names) => built.extend(names.into_iter().map(|name| (name, None, document.place("")))),
            Err(message) => context.conflict(document.place(""), message),
        }
    }
    for (node, message) in nodes.check() {
        let place = built.iter().find(|(name, ..)| *name == node).map(|(.., place)| place.clone());
        context.conflict(place.unwrap_or(Place::CommandLine), message);
    }
    let mut deployments = Vec::new();
    for (name, entry, _) in built {
        let node = nodes.get(&name).cloned().unwrap_or_default();
        // The node beside an inspected one only hands documents through.
        let is_plain = matches!(node.role, DeploymentRole::InspectPass);
        let entry = entry.filter(|_| !is_plain).unwrap_or_default();
        deployments.push(entry::deployment(document, &name, &node, entry, context));
    }
    (nodes, deployments)
}

fn entry_for(entry: &Entry) -> Option<entry::Values> {
    let (values, base) = (entry.values.clone(), entry.base.clone());
    Some(entry::Values { values, base, process_name: entry.process_name.clone() })
}

/// What the graph tells the gateway.
fn derive(document: &Document, nodes: &Nodes, deployments: &[Deployment], gateway: &mut Values) {
    let description = nodes.description();
    let mut conditions = Object::new();
    let mut addresses = Object::new();
    let mut metadata = Object::new();
    let mut no_reduce = Vec::new();
    for deployment in deployments {
        let key = || deployment.name.clone();
        if let Some(when) = deployment.options.get("when") {
            conditions.insert(key(), when.clone());
        }
        if let Some(pairs) = deployment.options.get("grpc_metadata") {
            metadata.insert(key(), pairs.clone());
        }
        if deployment.options.get("no_reduce") == Some(&Value::Bool(true)) {
            no_reduce.push(deployment.name.clone());
        }
        let known = external::addresses(deployment);
        if !known.is_empty() {
            addresses.insert(key(), known.iter().map(ToString::to_string).collect());
        }
    }
    let place = document.place(if document.top.contains_key("executors") { "executors" } else { "with" });
    let derived: [(&'static str, Value); 5] = [
        ("graph-description", json!(description)),
        ("graph-conditions", Value::Object(conditions)),
        ("deployments-addresses", Value::Object(addresses)),
        ("deployments-metadata", Value::Object(metadata)),
        ("deployments-no-reduce", json!(no_reduce)),
    ];
    gateway.extend(derived.map(|(name, value)| (name, (value, place.clone()))));
}

/// Values by YAML key.
fn options(values: &Values) -> Object {
    values.iter().map(|(name, (value, _))| (name.replace('-', "_"), value.clone())).collect()
}
