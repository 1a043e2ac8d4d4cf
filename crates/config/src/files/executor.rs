//! A file that configures an executor: `uses: FILE`.

use std::path::Path;

use super::{Document, fields};
use crate::check::{Context, ExecutorFile};
use crate::form::Form;

const KEYS: &[&str] = &[
    "with",
    "metas",
    "requests",
    "dynamic_batching",
    "py_modules",
    "version",
    "uses_with",
    "name",
    "jcloud",
];

/// What an executor file says; `None` if it cannot be read, which is a problem then.
pub(crate) fn executor_file(path: &Path, context: &mut Context<'_>) -> Option<ExecutorFile> {
    let document = match without_context(context, |context| Document::read(path, context)) {
        Ok(document) => document,
        Err(problem) => {
            context.problems.push(problem);
            return None;
        }
    };
    fields::only(&document, KEYS, context);
    let mut metas = fields::mapping(&document, "metas", context);
    let modules = document.top.get("py_modules").cloned().or_else(|| metas.shift_remove("py_modules"));
    let py_modules = modules.and_then(|modules| Form::Texts.read(&modules).ok());
    let py_modules = py_modules.iter().filter_map(|list| list.as_array()).flatten();
    let mut with = fields::mapping(&document, "with", context);
    with.extend(fields::mapping(&document, "uses_with", context));
    let requests = fields::mapping(&document, "requests", context);
    let dynamic_batching = fields::mapping(&document, "dynamic_batching", context);
    Some(ExecutorFile {
        path: path.to_owned(),
        class: document.jtype.clone(),
        with,
        metas,
        requests,
        dynamic_batching,
        py_modules: py_modules.filter_map(|module| module.as_str()).map(str::to_owned).collect(),
        place: Some(document.place("")),
    })
}

/// Notes what is wrong with the variables of a file that somebody else reads, who also says what else is wrong.
pub(crate) fn check_variables(path: &Path, context: &mut Context<'_>) {
    // A file that cannot be read as YAML is left to that reader: there are tags that only Python knows.
    let _ = without_context(context, |context| Document::read(path, context));
}

/// The process that runs an executor reads the file, wherever it is started, and no command tells it a context.
fn without_context<T>(context: &mut Context<'_>, read: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let given = context.given.take();
    let result = read(context);
    context.given = given;
    result
}
