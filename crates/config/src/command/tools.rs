//! `flow` and `check`.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value;

use crate::arguments::{self, Line};
use crate::form::{Form, expected};
use crate::table::{Argument, Mark, On};
use crate::{Check, Command, FlowCommand, Help, Parsed, Place, Problem, help, units};

/// A row of a tool's arguments, which no file and no variable says.
pub(super) const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    form: Form,
    help: &'static str,
) -> Argument {
    let on = On { gateway: false, executor: false, deployment: false };
    Argument { name, aliases, form, default: None, mark: Mark::Honoured, on, help, ineffective: None }
}

/// What a Flow file may ask for, on every command that reads one.
pub(super) const CONTEXT: Argument =
    row("context", &[], Form::KeyValue, "What `${{ CONTEXT.KEY }}` stands for in the file");

/// The values of [`CONTEXT`].
pub(super) fn given(line: &Line) -> IndexMap<String, String> {
    let given = line.values.get(CONTEXT.name).and_then(Value::as_object).cloned().unwrap_or_default();
    given.into_iter().filter_map(|(key, value)| Some((key, crate::form::text(&value)?))).collect()
}

static FLOW: [Argument; 2] = [row("uses", &[], Form::Text, "The Flow file"), CONTEXT];
pub(super) fn flow_arguments() -> Vec<&'static Argument> {
    FLOW.iter().collect()
}

pub(super) fn flow(argv: &[String]) -> Result<Parsed, Vec<Problem>> {
    let line = arguments::parse(&flow_arguments(), argv)?;
    if line.help {
        return Ok(helped("flow --uses FILE", &flow_arguments()));
    }
    let file = text(&line, "uses").or_else(|| line.positionals.first().cloned());
    let file = file.map(PathBuf::from).ok_or_else(|| vec![super::missing("the Flow file (--uses FILE)")])?;
    Ok(Parsed {
        command: Command::Flow(FlowCommand { file, context: given(&line) }),
        warnings: line.warnings,
    })
}

pub(super) const CHECK_USAGE: &str = "check FILE [--live]";

static CHECK: [Argument; 3] = [
    CONTEXT,
    row("live", &[], Form::Flag, "Ask the executors that run what they take and return, too"),
    row("timeout", &[], Form::Milliseconds, "How long they have to answer, all together; 5s if left out"),
];

/// How long executors have to answer if nobody says.
const LIVE_TIMEOUT: i64 = 5000;

pub(super) fn check_arguments() -> Vec<&'static Argument> {
    CHECK.iter().collect()
}

pub(super) fn check(argv: &[String]) -> Result<Parsed, Vec<Problem>> {
    let line = arguments::parse(&check_arguments(), argv)?;
    if line.help {
        return Ok(helped(CHECK_USAGE, &check_arguments()));
    }
    let mut problems = Vec::new();
    let file = line.positionals.first().map(PathBuf::from);
    if file.is_none() {
        problems.push(super::missing("the file"));
    }
    let live = line.values.get("live").and_then(Value::as_bool).unwrap_or(false);
    let timeout = line.values.get("timeout").and_then(Value::as_i64).unwrap_or(LIVE_TIMEOUT);
    let allowed = units::duration(timeout).filter(|allowed| !allowed.is_zero());
    if allowed.is_none() {
        let reason = expected("a time that is not 0", &timeout.into());
        problems.push(Problem::new(Place::Argument("--timeout".to_owned()), reason));
    }
    match file {
        Some(file) if problems.is_empty() => {
            let check = Check { file, context: given(&line), live: allowed.filter(|_| live) };
            Ok(Parsed { command: Command::Check(check), warnings: line.warnings })
        }
        _ => Err(problems),
    }
}

pub(super) fn text(line: &Line, name: &str) -> Option<String> {
    line.values.get(name).and_then(|value| value.as_str()).map(str::to_owned)
}

pub(super) fn helped(usage: &str, arguments: &[&'static Argument]) -> Parsed {
    super::plain(Command::Help(Help { text: help::tool(usage, arguments) }))
}
