//! One deployment of a Flow.

use indexmap::IndexMap;
use serde_json::Value;

use super::external::external;
use super::nodes::Node;
use super::{Document, options};
use crate::check::{Context, ExecutorFile, Settings, executor, polling};
use crate::files::{executor_file, is_yaml_path};
use crate::layers::{self, defaults, merged};
use crate::table::Program;
use crate::{Deployment, DeploymentRole, ExecutorSpec, Place};

/// What an entry says.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) values: layers::Values,
    pub(super) base: String,
    pub(super) process_name: Option<String>,
}

pub(super) fn deployment(
    document: &Document,
    name: &str,
    node: &Node,
    entry: Values,
    context: &mut Context<'_>,
) -> Deployment {
    let Values { mut values, base, process_name } = entry;
    let place = document.place(&base);
    let options = options(&values);
    let is_external = values.get("external").is_some_and(|(value, _)| *value == Value::Bool(true));
    let external = is_external.then(|| external(&values, &place, context));
    if is_external {
        // They say where it is, not where we listen.
        values.shift_remove("port");
        values.shift_remove("host");
    }
    let process_name = process_name.unwrap_or_else(|| name.to_owned());
    values.insert("name", (Value::String(process_name), place.clone()));
    let env = values.get("env").map(|(value, _)| environment(value)).unwrap_or_default();
    let layers = [
        ("defaults", defaults(Program::Deployment, context.env, &mut context.problems)),
        ("file", values),
        ("environment", layers::Values::new()),
        ("arguments", layers::Values::new()),
    ];
    let settings = Settings { values: merged(layers) };
    let search = settings.texts("extra-search-paths");
    let file = uses_file(document, settings.text("uses"), &settings.place("uses"), &search, context);
    let mut beside = |name: &str| {
        let text = settings.text(name)?;
        let file = uses_file(document, Some(text), &settings.place(name), &search, context);
        Some(executor_beside(name, &settings, file, context))
    };
    let (uses_before, uses_after) = (beside("uses-before"), beside("uses-after"));
    let executor = executor(&settings, context, Program::Deployment, file);
    let needs = node.needs.iter().filter(|need| *need != "gateway").cloned().collect();
    Deployment {
        name: name.to_owned(),
        role: node.role,
        needs,
        floating: node.floating,
        external,
        tls: executor.server.tls.clone(),
        polling: polling(&settings, context, executor.shards == 1),
        uses_before,
        uses_after,
        timeout_ready: settings.duration("timeout-ready"),
        env,
        options: if node.role == DeploymentRole::InspectPass { Default::default() } else { options },
        executor,
    }
}

/// The executor that `uses_before` or `uses_after` names: what is said for the shards' own code is not for it.
fn executor_beside(
    name: &str,
    settings: &Settings,
    file: Option<ExecutorFile>,
    context: &mut Context<'_>,
) -> ExecutorSpec {
    const OF_SHARDS: [&str; 6] =
        ["port", "uses-with", "uses-metas", "uses-requests", "uses-dynamic-batching", "py-modules"];
    let mut values = settings.values.clone();
    values.retain(|key, _| !OF_SHARDS.contains(key));
    if let Some(uses) = settings.values.get(name) {
        values.insert("uses", uses.clone());
    }
    // What is wrong with the rest is found where it is checked for the shards.
    let (n_problems, n_warnings) = (context.problems.len(), context.warnings.len());
    let executor = executor(&Settings { values }, context, Program::Deployment, file);
    context.problems.truncate(n_problems);
    context.warnings.truncate(n_warnings);
    executor
}

/// The executor file that `uses` names, if it names one.
fn uses_file(
    document: &Document,
    uses: Option<&str>,
    place: &Place,
    search: &[String],
    context: &mut Context<'_>,
) -> Option<ExecutorFile> {
    let name = uses.filter(|text| is_yaml_path(text))?;
    let path = document.beside(name, search);
    let n_before = context.problems.len();
    let file = executor_file(&path, context);
    // A file that is not there is a mistake of the one that names it.
    for problem in context.problems.iter_mut().skip(n_before).filter(|p| p.place == Place::CommandLine) {
        problem.place = place.clone();
    }
    file
}

/// Environment variables are texts, whatever they look like.
pub(super) fn environment(value: &Value) -> IndexMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), crate::form::text(value)?))).collect()
}
