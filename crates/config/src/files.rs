//! Flow, Gateway, Deployment and Executor files.

mod executor;
mod fields;
mod flow;
mod gateway;
mod interpolate;
mod lines;
pub(crate) mod log_layout;
mod yaml;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::check::Context;
use crate::form::Object;
use crate::{Place, Problem, Reason, coerce};
use lines::Lines;

pub(crate) use executor::{check_variables, executor_file};
pub(crate) use flow::{LoadedFlow, built_flow, flow_file};
pub(crate) use gateway::gateway_file;

/// A file, its variables filled in and its texts converted.
#[derive(Debug)]
pub(crate) struct Document {
    path: PathBuf,
    lines: Lines,
    /// What the file is about: `Flow`, or the name of a class.
    jtype: String,
    /// The top level, without `jtype`.
    top: Object,
}

impl Document {
    /// What a program put together instead of writing it into a file.
    fn built(jtype: &str, top: Object) -> Self {
        Self { path: PathBuf::from(jtype), lines: Lines::default(), jtype: jtype.to_owned(), top }
    }

    /// Reads a file.
    fn read(path: &Path, context: &mut Context<'_>) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let reason = Reason::Unreadable { path: path.to_owned(), message: error.to_string() };
            Problem::new(Place::CommandLine, reason)
        })?;
        Self::parse(path, &text, context)
    }

    /// Reads the text of a file.
    fn parse(path: &Path, text: &str, context: &mut Context<'_>) -> Result<Self, Problem> {
        let (tag, value) = yaml::read(path, text)?;
        let lines = Lines::scan(text);
        let place = |key: &str| lines.place(path, key);
        let value = interpolate::tree(
            value,
            context.env,
            context.given.as_ref(),
            &place,
            &mut context.problems,
            &mut context.warnings,
        );
        let (mut top, jtype) = match coerce::tree(value) {
            Value::Object(top) => (top, tag),
            Value::Null => (Object::new(), tag),
            other => return Err(Problem::new(place(""), crate::form::expected("a mapping", &other))),
        };
        let written = top.shift_remove("jtype").and_then(|jtype| crate::form::text(&jtype));
        let Some(jtype) = jtype.or(written) else {
            let what = "`jtype`, such as `jtype: Flow`,".to_owned();
            return Err(Problem::new(place(""), Reason::Missing { what }));
        };
        Ok(Self { path: path.to_owned(), lines, jtype, top })
    }

    fn place(&self, key: &str) -> Place {
        self.lines.place(&self.path, key)
    }

    /// A file that this one names: beside it, in one of the search paths, or as it stands.
    fn beside(&self, name: &str, search: &[String]) -> PathBuf {
        let here = self.path.parent().map(Path::to_owned).unwrap_or_default();
        let directories = std::iter::once(here).chain(search.iter().map(PathBuf::from));
        let found = directories.map(|directory| directory.join(name)).find(|path| path.exists());
        found.unwrap_or_else(|| PathBuf::from(name))
    }
}

/// Whether a text names a YAML file.
pub(crate) fn is_yaml_path(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/_-.".contains(c));
    plain && Path::new(text).extension().is_some_and(|end| end == "yml" || end == "yaml")
}

#[cfg(test)]
mod tests;
