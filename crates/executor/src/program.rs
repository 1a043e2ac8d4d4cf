//! The program: from its arguments to its exit code.

use std::io;
use std::process::ExitCode;

use config::{Command, Environment, Parsed, Version};
use executor_runtime::Registry;

use crate::run::{NAME, run};

/// Runs the executor that the arguments of the process ask for, out of `registry`.
///
/// The arguments are those of `jina executor`. The command's name may stand before them.
#[must_use]
pub fn main(registry: &Registry) -> ExitCode {
    let mut arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into()).collect();
    let named = arguments.get(1).is_some_and(|first| !first.starts_with('-'));
    if arguments.is_empty() || named {
        arguments.drain(..1.min(arguments.len()));
    } else {
        "executor".clone_into(&mut arguments[0]);
    }
    let text = |name: std::ffi::OsString| name.into_string().ok();
    let environment: Environment =
        std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    match config::command(&arguments, &environment) {
        Ok(Parsed { command, warnings }) => {
            for warning in &warnings {
                say(&mut io::stderr(), &format!("executor: {warning}"));
            }
            obey(command, registry)
        }
        Err(problems) => {
            for problem in &problems {
                server::complain(NAME, problem);
            }
            ExitCode::from(2)
        }
    }
}

fn obey(command: Command, registry: &Registry) -> ExitCode {
    match command {
        Command::Executor(spec) => return run(*spec, registry),
        Command::Help(help) => say(&mut io::stdout(), &help.text),
        Command::Version(Version::Short) => say(&mut io::stdout(), env!("CARGO_PKG_VERSION")),
        Command::Version(Version::Full) => {
            let sections = info::Report::new(info::Traffic::default()).read();
            for (name, value) in sections.jina.iter().chain(&sections.envs) {
                say(&mut io::stdout(), &format!("- {name}: {value}"));
            }
        }
        Command::Gateway(_)
        | Command::Flow(_)
        | Command::Ping(_)
        | Command::Export(_)
        | Command::Check(_) => {
            say(
                &mut io::stderr(),
                "executor: this program runs executors only; `flowgate` knows this command",
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Writes a line for the user. If nobody listens there is nobody to tell.
fn say(to: &mut impl io::Write, text: &str) {
    let _unheard = writeln!(to, "{text}");
}
