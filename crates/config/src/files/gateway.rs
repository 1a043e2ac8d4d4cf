//! A file that configures a gateway: `gateway --uses FILE`.

use std::path::Path;

use serde_json::Value;

use super::{Document, fields};
use crate::check::Context;
use crate::layers::Values;
use crate::table::Program;

/// Keys that concern Python, or nobody.
const PYTHON: &[&str] = &["with", "version", "py_modules", "metas", "runtime_name", "meter", "tracer"];

/// The values in a gateway file. `uses` is the class that it names.
pub(crate) fn gateway_file(path: &Path, context: &mut Context<'_>) -> Values {
    let document = match Document::read(path, context) {
        Ok(document) => document,
        Err(problem) => {
            context.problems.push(problem);
            return Values::new();
        }
    };
    let with = fields::mapping(&document, "with", context);
    let mut values = fields::read(&document, "", &document.top, Program::Gateway, PYTHON, context);
    values.extend(fields::read(&document, "with", &with, Program::Gateway, &[], context));
    values.insert("uses", (Value::String(document.jtype.clone()), document.place("jtype")));
    values
}
