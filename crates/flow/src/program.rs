//! The program that is everything: gateway, executor, Flow, ping, export, check.

mod check;
mod export;
mod output;
mod ping;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use config::{Command, Environment, Parsed, Version};
use executor_runtime::Registry;

use output::{complain, print};

/// The exit code for arguments or a configuration that must be changed.
pub(crate) const WRONG: u8 = 2;

/// The whole of `flowgate`, with executors of one's own beside the built-in one.
#[must_use]
pub fn main(registry: &Registry) -> ExitCode {
    let env = crate::flow::environment();
    let mut words = std::env::args_os();
    // Scripts that ask `jina` for its version expect a bare one.
    let called = words.next().map(PathBuf::from);
    let as_jina = called.is_some_and(|called| called.file_name().is_some_and(|name| name == "jina"));
    let arguments = words.map(|argument| argument.to_string_lossy().into_owned());
    match config::command(&arguments.collect::<Vec<_>>(), &env) {
        Ok(Parsed { command: Command::Version(Version::Short), .. }) if as_jina => {
            print(&versions(Version::Short).rsplit(' ').next().map(str::to_owned).unwrap_or_default())
        }
        Ok(parsed) => run_command(parsed, &env, registry),
        Err(problems) => {
            for problem in problems {
                complain(&problem);
            }
            ExitCode::from(WRONG)
        }
    }
}

fn run_command(parsed: Parsed, env: &Environment, registry: &Registry) -> ExitCode {
    let Parsed { command, warnings } = parsed;
    if !matches!(command, Command::Gateway(_)) {
        for warning in &warnings {
            complain(&format!("warning: {warning}"));
        }
    }
    match command {
        // Its log has the warnings.
        Command::Gateway(spec) => gateway::run(*spec, &warnings),
        Command::Executor(spec) => executor::run(*spec, registry),
        Command::Flow(flow) => run::run(&flow, env, registry),
        Command::Ping(ping) => ping::run(&ping),
        Command::Export(export) => export::run(&export, env),
        Command::Check(check) => check::run(&check, env, registry),
        Command::Help(help) => print(&help.text),
        Command::Version(version) => print(&versions(version)),
    }
}

fn versions(version: Version) -> String {
    let report = info::Report::new(info::Traffic::default()).read();
    match version {
        Version::Short => {
            format!("flowgate {}, speaks Jina {}", report.flowgate["version"], report.jina["jina"])
        }
        Version::Full => {
            let versions = report.flowgate.iter().map(|(key, value)| (format!("flowgate-{key}"), value));
            let versions = versions.chain(report.jina.iter().map(|(key, value)| ((*key).to_owned(), value)));
            let lines = versions.map(|(key, value)| format!("- {key:30}{value}\n"));
            lines.chain(report.envs.iter().map(|(name, value)| format!("* {name:30}{value}\n"))).collect()
        }
    }
}
