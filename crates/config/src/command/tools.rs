//! `flow`, `export` and `check`.

use std::path::PathBuf;

use crate::arguments::{self, Line};
use crate::form::{Form, expected};
use crate::table::{Argument, Mark, On};
use crate::{Check, Command, Export, ExportFormat, FlowCommand, Help, Parsed, Place, Problem, help};

const fn row(name: &'static str, aliases: &'static [&'static str], help: &'static str) -> Argument {
    let on = On { gateway: false, executor: false, deployment: false };
    let (form, mark) = (Form::Text, Mark::Honoured);
    Argument { name, aliases, form, default: None, mark, on, help, ineffective: None }
}

static FLOW: [Argument; 1] = [row("uses", &[], "The Flow file")];
static EXPORT: [Argument; 2] = [
    row("k8s-namespace", &[], "Kubernetes namespace; the Flow's name if left out"),
    row("network-name", &["network_name"], "Network of docker-compose"),
];

pub(super) fn flow_arguments() -> Vec<&'static Argument> {
    FLOW.iter().collect()
}

pub(super) fn export_arguments() -> Vec<&'static Argument> {
    EXPORT.iter().collect()
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

pub(super) fn export(argv: &[String]) -> Result<Parsed, Vec<Problem>> {
    let line = arguments::parse(&export_arguments(), argv)?;
    if line.help {
        return Ok(helped("export {kubernetes,docker-compose} FILE OUT", &export_arguments()));
    }
    let mut positionals = line.positionals.iter();
    let format = match positionals.next().map(String::as_str) {
        Some("kubernetes") => Ok(ExportFormat::Kubernetes { namespace: text(&line, "k8s-namespace") }),
        Some("docker-compose") => {
            let network = text(&line, "network-name").unwrap_or_else(|| "jina-network".to_owned());
            Ok(ExportFormat::DockerCompose { network })
        }
        Some(other) => {
            let reason = expected("one of kubernetes, docker-compose", &other.into());
            Err(Problem::new(Place::Argument("FORMAT".to_owned()), reason))
        }
        None => Err(super::missing("the format, one of kubernetes, docker-compose,")),
    };
    let file = positionals.next().map(PathBuf::from).ok_or_else(|| super::missing("the Flow file"));
    let out = positionals.next().map(PathBuf::from).ok_or_else(|| super::missing("where to write"));
    match (format, file, out) {
        (Ok(format), Ok(file), Ok(out)) => {
            Ok(Parsed { command: Command::Export(Export { format, file, out }), warnings: line.warnings })
        }
        (format, file, out) => Err([format.err(), file.err(), out.err()].into_iter().flatten().collect()),
    }
}

fn text(line: &Line, name: &str) -> Option<String> {
    line.values.get(name).and_then(|value| value.as_str()).map(str::to_owned)
}

fn helped(usage: &str, arguments: &[&'static Argument]) -> Parsed {
    super::plain(Command::Help(Help { text: help::tool(usage, arguments) }))
}
