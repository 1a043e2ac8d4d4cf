//! The one table of everything that can be configured.
//!
//! A row is an argument on the command line, a key in YAML (with underscores), a variable (`FLOWGATE_` and the
//! name in capitals), a line of `--help` and a line of `docs/configuration.md`.

mod build;
mod executor;
mod flow;
mod gateway;
mod own;
mod shared;
pub(crate) mod variables;

use crate::form::Form;

/// Why something has no effect where no class in Python is run.
pub(crate) const PYTHON: &str = "it concerns Python code";

/// One thing that can be configured.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Long name, with hyphens.
    pub name: &'static str,
    /// Other long names.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub form: Form,
    /// The default as it would be written; `None` if there is none.
    pub default: Option<&'static str>,
    /// What it means here.
    pub mark: Mark,
    /// Where it is known.
    pub on: On,
    /// One sentence.
    pub help: &'static str,
    /// Why it does nothing here, for those who may expect otherwise.
    pub ineffective: Option<&'static str>,
}

/// What an argument means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Of Jina; it has an effect.
    Honoured,
    /// Of Jina; it has no effect, there neither.
    Accepted,
    /// Of Jina; it concerns Python, containers or the Hub.
    Elsewhere,
    /// Of Jina, where it does nothing; here it has an effect.
    Beyond,
    /// Our own.
    Own,
}

/// Where an argument is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct On {
    /// `gateway`, and gateway keys of a Flow.
    pub gateway: bool,
    /// `executor`.
    pub executor: bool,
    /// Entries of a Flow's `executors`.
    pub deployment: bool,
}

/// A set of arguments that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// `gateway`.
    Gateway,
    /// `executor`.
    Executor,
    /// An entry of a Flow's `executors`; it has no command line.
    Deployment,
}

/// Every argument of `program`, in the order of the documentation.
pub fn arguments(program: Program) -> impl Iterator<Item = &'static Argument> {
    all().filter(move |argument| match program {
        Program::Gateway => argument.on.gateway,
        Program::Executor => argument.on.executor,
        Program::Deployment => argument.on.deployment,
    })
}

/// Every argument there is. A name that means different things to different programs has a row for each.
pub fn all() -> impl Iterator<Item = &'static Argument> {
    let tables = [shared::ROWS, gateway::ROWS, executor::ROWS, flow::ROWS, own::ROWS];
    tables.into_iter().flatten()
}

/// The argument of `program` that a YAML key names, aliases included.
pub(crate) fn by_key(program: Program, key: &str) -> Option<&'static Argument> {
    let name = key.replace('_', "-");
    arguments(program).find(|argument| argument.name == name || argument.aliases.contains(&name.as_str()))
}

impl Argument {
    /// The key in YAML.
    #[must_use]
    pub fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("FLOWGATE_{}", self.key().to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_program_knows_a_name_twice() {
        for program in [Program::Gateway, Program::Executor, Program::Deployment] {
            let mut seen = HashSet::new();
            for argument in arguments(program) {
                for name in std::iter::once(&argument.name).chain(argument.aliases) {
                    assert!(seen.insert(*name), "{program:?} knows --{name} twice");
                }
            }
        }
    }

    #[test]
    fn every_default_is_a_value_of_its_argument() {
        for argument in all() {
            if let Some(default) = argument.default {
                argument
                    .form
                    .read(&default.into())
                    .unwrap_or_else(|reason| panic!("{}: {reason}", argument.name));
            }
        }
    }

    #[test]
    fn help_is_one_sentence() {
        for argument in all() {
            assert!(argument.help.len() > 8 && !argument.help.ends_with('.'), "{}", argument.name);
            assert!(argument.help.chars().next().is_some_and(char::is_uppercase), "{}", argument.name);
        }
    }
}
