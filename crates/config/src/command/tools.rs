//! `flow` and `check`.

use std::path::PathBuf;

use crate::arguments::{self, Line};
use crate::form::Form;
use crate::table::{Argument, Mark, On};
use crate::{Check, Command, FlowCommand, Help, Parsed, Problem, help};

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

static FLOW: [Argument; 1] = [row("uses", &[], Form::Text, "The Flow file")];
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
    Ok(Parsed { command: Command::Flow(FlowCommand { file }), warnings: line.warnings })
}

pub(super) fn check(argv: &[String]) -> Result<Parsed, Vec<Problem>> {
    let line = arguments::parse(&[], argv)?;
    if line.help {
        return Ok(helped("check FILE", &[]));
    }
    let file = line.positionals.first().map(PathBuf::from);
    let file = file.ok_or_else(|| vec![super::missing("the file")])?;
    Ok(Parsed { command: Command::Check(Check { file }), warnings: line.warnings })
}

pub(super) fn text(line: &Line, name: &str) -> Option<String> {
    line.values.get(name).and_then(|value| value.as_str()).map(str::to_owned)
}

pub(super) fn helped(usage: &str, arguments: &[&'static Argument]) -> Parsed {
    super::plain(Command::Help(Help { text: help::tool(usage, arguments) }))
}
