//! The command line of `jina executor`.

use std::ffi::OsString;
use std::path::Path;

use config::table::{self, Argument, Mark, Program};
use config::{Deployment, Uses};
use serde_json::{Value, json};

use crate::devices::Variables;

/// Keys that are said for each process, not for the deployment.
const PER_PROCESS: [&str; 10] = [
    "name",
    "port",
    "host",
    "uses",
    "shard-id",
    "replica-id",
    "native",
    "pod-role",
    "runtime-cls",
    "extra-search-paths",
];

/// Keys that are said to the container engine.
const OF_CONTAINERS: [&str; 8] = [
    "volumes",
    "gpus",
    "entrypoint",
    "docker-kwargs",
    "disable-auto-volume",
    "force-network-mode",
    "env",
    "py-modules",
];

/// One process of a deployment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process<'a> {
    /// The deployment.
    pub(crate) deployment: &'a Deployment,
    /// The name in logs and `__results__`.
    pub(crate) name: &'a str,
    /// Where it is to listen; in a container, where that is reached.
    pub(crate) host: &'a str,
    /// One for each protocol.
    pub(crate) ports: &'a [u16],
    /// Its variables, those of the deployment with what is said to this process alone.
    pub(crate) variables: &'a Variables,
    /// Which shard it is.
    pub(crate) shard: u32,
    /// Where relative files are looked for.
    pub(crate) folder: Option<&'a Path>,
    /// Whether it has an address of its own, and files that are not those of the Flow.
    pub(crate) container: bool,
}

/// The arguments after `jina`; in a container, those after the `jina executor` of its entry point.
pub(crate) fn arguments(process: Process<'_>) -> Vec<OsString> {
    let first: &[&str] = if process.container { &["--native"] } else { &["executor", "--native"] };
    let mut arguments: Vec<OsString> = first.iter().map(OsString::from).collect();
    let mut say = |name: &str, values: Vec<OsString>| {
        arguments.push(format!("--{name}").into());
        arguments.extend(values);
    };
    say("name", vec![process.name.into()]);
    say("host", vec![if process.container { "0.0.0.0" } else { process.host }.into()]);
    say("port", process.ports.iter().map(|port| port.to_string().into()).collect());
    say("shard-id", vec![process.shard.to_string().into()]);
    match &process.deployment.executor.uses {
        // Which executor it is, an image knows.
        _ if process.container => {}
        Uses::PassThrough => {}
        Uses::Name(uses) | Uses::Image(uses) | Uses::Hub(uses) => say("uses", vec![uses.into()]),
        Uses::File { path, .. } => say("uses", vec![path.into()]),
    }
    if let Some(folder) = process.folder.filter(|_| !process.container) {
        say("extra-search-paths", vec![folder.into()]);
    }
    for (key, value) in &process.deployment.options {
        let Some(argument) = known(key) else { continue };
        if argument.mark == Mark::Own || PER_PROCESS.contains(&argument.name) {
            continue;
        }
        if process.container && OF_CONTAINERS.contains(&argument.name) {
            continue;
        }
        // The deployment's own words are not yet those for this process.
        let variables = (argument.name == "env").then(|| json!(process.variables));
        if let Some(values) = spelled(variables.as_ref().unwrap_or(value)) {
            say(argument.name, values);
        }
    }
    arguments
}

/// The argument that a key of a Flow file stands for.
fn known(key: &str) -> Option<&'static Argument> {
    let name = key.replace('_', "-");
    let named = |argument: &&Argument| argument.name == name || argument.aliases.contains(&&*name);
    table::arguments(Program::Executor).find(named)
}

/// A value as Jina's command line takes it; `None` if there is nothing to say.
fn spelled(value: &Value) -> Option<Vec<OsString>> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some(Vec::new()),
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => Some(values.iter().map(|value| text(value).into()).collect()),
        Value::Number(_) | Value::String(_) | Value::Object(_) => Some(vec![text(value).into()]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
