//! The entries of a Flow's `executors`: keys, Deployment files, and Deployments written in place.

use serde_json::Value;

use super::super::lines::join;
use super::super::{Document, fields, is_yaml_path};
use crate::check::Context;
use crate::form::Object;
use crate::layers::Values;
use crate::table::Program;
use crate::{Place, Problem, Reason};

/// One entry of `executors` on its way into the graph.
pub(super) struct Entry {
    pub(super) name: Option<String>,
    /// The name for the processes, if it is not the node's.
    pub(super) process_name: Option<String>,
    pub(super) method: String,
    pub(super) needs: Option<Vec<String>>,
    pub(super) values: Values,
    pub(super) base: String,
}

pub(super) fn entries(document: &Document, inherited: &Values, context: &mut Context<'_>) -> Vec<Entry> {
    let key = if document.top.contains_key("executors") { "executors" } else { "deployments" };
    let items = match document.top.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => {
            context.expected(document.place(key), "a list of executors", other);
            return Vec::new();
        }
    };
    let mut entries = Vec::with_capacity(items.len());
    for (idx, item) in items.iter().enumerate() {
        let base = format!("{key}[{idx}]");
        match item {
            Value::String(path) if is_yaml_path(path) => {
                entries.extend(deployment_entry_file(document, &base, path, inherited, context));
            }
            Value::Object(fields) if fields.contains_key("jtype") => {
                entries.extend(deployment_entry(document, &base, fields, inherited, context));
            }
            Value::Object(fields) if fields.get("name").and_then(Value::as_str) == Some("gateway") => {}
            Value::Object(fields) => entries.push(entry(document, &base, fields, inherited, context)),
            Value::Null => entries.push(entry(document, &base, &Object::new(), inherited, context)),
            other => {
                context.expected(document.place(&base), "an executor's keys, or a Deployment file", other)
            }
        }
    }
    entries
}

pub(super) fn entry(
    document: &Document,
    base: &str,
    keys: &Object,
    inherited: &Values,
    context: &mut Context<'_>,
) -> Entry {
    let own = fields::read(document, base, keys, Program::Deployment, &["jcloud"], context);
    let mut values = inherited.clone();
    values.extend(own);
    let text = |values: &Values, name: &str| {
        values.get(name).and_then(|(value, _)| value.as_str()).map(str::to_owned)
    };
    let needs = values.shift_remove("needs").and_then(|(value, _)| {
        let names = value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
        Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty())
    });
    let method = text(&values, "method").unwrap_or_else(|| "add".to_owned());
    values.shift_remove("method");
    let name = text(&values, "name");
    Entry { name, process_name: None, method, needs, values, base: base.to_owned() }
}

/// `jtype: Deployment` inside a Flow: its `with` holds the keys, and its name is not the node's.
fn deployment_entry(
    document: &Document,
    base: &str,
    fields: &Object,
    inherited: &Values,
    context: &mut Context<'_>,
) -> Option<Entry> {
    if fields.get("jtype").and_then(Value::as_str) != Some("Deployment") {
        let found = fields.get("jtype").cloned().unwrap_or_default();
        context.expected(document.place(&join(base, "jtype")), "`jtype: Deployment`", &found);
        return None;
    }
    let with_base = join(base, "with");
    let Some(Value::Object(with)) = fields.get("with") else {
        context.problem(document.place(base), Reason::Missing { what: "`with`".to_owned() });
        return None;
    };
    let mut keys = with.clone();
    if let Some(needs) = fields.get("needs") {
        keys.insert("needs".to_owned(), needs.clone());
    }
    let mut entry = entry(document, &with_base, &keys, inherited, context);
    entry.process_name = entry.name.take();
    Some(entry)
}

fn deployment_entry_file(
    document: &Document,
    base: &str,
    path: &str,
    inherited: &Values,
    context: &mut Context<'_>,
) -> Option<Entry> {
    let found = document.beside(path, &[]);
    let inner = match Document::read(&found, context) {
        Ok(inner) => inner,
        Err(problem) => {
            let place =
                if problem.place == Place::CommandLine { document.place(base) } else { problem.place };
            context.problems.push(Problem::new(place, problem.reason));
            return None;
        }
    };
    let mut fields = inner.top.clone();
    fields.insert("jtype".to_owned(), Value::String(inner.jtype.clone()));
    deployment_entry(&inner, "", &fields, inherited, context)
}
