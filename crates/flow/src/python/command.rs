//! The command line of `jina executor`.

use std::ffi::OsString;
use std::path::Path;

use config::table::{self, Argument, Mark, Program};
use config::{Deployment, Uses};
use serde_json::Value;

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

/// One process of a deployment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process<'a> {
    /// The deployment.
    pub(crate) deployment: &'a Deployment,
    /// The name in logs and `__results__`.
    pub(crate) name: &'a str,
    /// Where it is to listen.
    pub(crate) port: u16,
    /// Which shard it is.
    pub(crate) shard: u32,
    /// Where relative files are looked for.
    pub(crate) folder: Option<&'a Path>,
}

/// The arguments after `jina`.
pub(crate) fn arguments(process: Process<'_>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["executor", "--native"].map(OsString::from).into();
    let mut say = |name: &str, values: Vec<OsString>| {
        arguments.push(format!("--{name}").into());
        arguments.extend(values);
    };
    say("name", vec![process.name.into()]);
    say("host", vec!["127.0.0.1".into()]);
    say("port", vec![process.port.to_string().into()]);
    say("shard-id", vec![process.shard.to_string().into()]);
    match &process.deployment.executor.uses {
        Uses::PassThrough => {}
        Uses::Name(uses) | Uses::Image(uses) | Uses::Hub(uses) => say("uses", vec![uses.into()]),
        Uses::File { path, .. } => say("uses", vec![path.into()]),
    }
    if let Some(folder) = process.folder {
        say("extra-search-paths", vec![folder.into()]);
    }
    for (key, value) in &process.deployment.options {
        let Some(argument) = known(key) else { continue };
        if argument.mark == Mark::Own || PER_PROCESS.contains(&argument.name) {
            continue;
        }
        if let Some(values) = spelled(value) {
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
