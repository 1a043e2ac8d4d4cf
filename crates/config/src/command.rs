//! From a command line to what is to be done.

mod export;
mod ping;
mod process;
mod tools;

use std::path::{Path, PathBuf};

use indexmap::{IndexMap, IndexSet};

use crate::check::{Addresses, Context, Settings, gateway as check_gateway};
use crate::files::{LoadedFlow, built_flow, flow_file};
use crate::layers::{Values, defaults, environment, merged};
use crate::nearest::nearest;
use crate::table::Program;
use crate::{Command, Environment, FlowSpec, Help, Parsed, Place, Problem, Reason, Version, Warning, help};

/// The commands and what each does.
pub(crate) const COMMANDS: &[(&str, &str)] = &[
    ("gateway", "Run a gateway"),
    ("executor", "Run an executor, or the head before the shards of one (also called pod)"),
    ("flow", "Run a Flow: flow --uses FILE"),
    ("ping", "Ask a process how it is: ping {gateway,executor,flow} ADDRESS"),
    ("export", "Write manifests for a Flow: export {kubernetes,docker-compose} FILE OUT"),
    ("check", "Validate a file and show its graph: check FILE"),
    ("help", "Show the arguments of a command, or those about a word: help COMMAND|WORD"),
];

/// Reads a command line without the name of the program, such as `gateway --port 8080`.
///
/// # Errors
///
/// Everything that is wrong, at once. The caller prints it and ends with exit code 2.
pub fn command(argv: &[String], env: &Environment) -> Result<Parsed, Vec<Problem>> {
    let Some((name, rest)) = argv.split_first() else {
        return Ok(plain(Command::Help(Help { text: help::overview() })));
    };
    match name.as_str() {
        "gateway" => process::gateway(rest, env),
        "executor" | "pod" => process::executor(rest, env),
        "flow" => tools::flow(rest),
        "ping" => ping::ping(rest),
        "export" => export::export(rest, env),
        "check" => tools::check(rest),
        "help" => Ok(plain(Command::Help(Help { text: help_about(rest, env) }))),
        "-h" | "--help" => Ok(plain(Command::Help(Help { text: help::overview() }))),
        "-v" | "--version" => Ok(plain(Command::Version(Version::Short))),
        "-vf" | "--version-full" => Ok(plain(Command::Version(Version::Full))),
        unknown => {
            let names = COMMANDS.iter().map(|(name, _)| *name);
            let hint =
                nearest(unknown, names).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
            let names: Vec<_> = COMMANDS.iter().map(|(name, _)| *name).collect();
            let message = format!("no command `{unknown}`{hint} (there are {})", names.join(", "));
            Err(vec![Problem::new(Place::CommandLine, Reason::Conflict { message })])
        }
    }
}

fn help_about(rest: &[String], env: &Environment) -> String {
    let all = env.contains_key("JINA_FULL_CLI");
    match rest.first().map(String::as_str) {
        Some("gateway") => help::program(Program::Gateway, all),
        Some("executor" | "pod") => help::program(Program::Executor, all),
        Some("ping") => help::tool("ping {gateway,executor,flow} ADDRESS", &ping::arguments()),
        Some("export") => help::tool(export::USAGE, &export::arguments()),
        Some("flow") => help::tool("flow --uses FILE", &tools::flow_arguments()),
        Some("check") => help::tool(tools::CHECK_USAGE, &tools::check_arguments()),
        Some(word) => help::about(word),
        None => help::overview(),
    }
}

fn plain(command: Command) -> Parsed {
    Parsed { command, warnings: Vec::new() }
}

fn missing(what: &str) -> Problem {
    Problem::new(Place::CommandLine, Reason::Missing { what: what.to_owned() })
}

impl<'a> Context<'a> {
    pub(crate) fn new(env: &'a Environment, files_exist: bool) -> Self {
        Self { env, given: None, problems: Vec::new(), warnings: Vec::new(), files_exist }
    }

    /// The result with the warnings, or every problem; each only once.
    fn finish<T>(self, result: T) -> Result<(T, Vec<Warning>), Vec<Problem>> {
        if !self.problems.is_empty() {
            return Err(self.refusal());
        }
        let warnings: IndexSet<_> = self.warnings.into_iter().collect();
        Ok((result, warnings.into_iter().collect()))
    }

    fn refusal(self) -> Vec<Problem> {
        self.problems.into_iter().collect::<IndexSet<_>>().into_iter().collect()
    }
}

impl FlowSpec {
    /// Reads a file with `jtype: Flow` or `jtype: Deployment`.
    ///
    /// Files that the Flow's processes will need, certificates for instance, need not be there yet.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at once.
    pub fn read(path: &Path, env: &Environment) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        Self::read_given(path, env, &IndexMap::new())
    }

    /// As [`FlowSpec::read`], with what `${{ CONTEXT.x }}` stands for in the file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at once.
    pub fn read_given(
        path: &Path,
        env: &Environment,
        given: &IndexMap<String, String>,
    ) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let mut context = Context { given: Some(given.clone()), ..Context::new(env, false) };
        match flow_file(path, &mut context) {
            Some(flow) => Self::of(flow, Some(path.to_owned()), context),
            None => Err(context.refusal()),
        }
    }

    /// Takes what a Flow file would say, as programs put it together: variables are not filled in and texts stay
    /// as they are.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, at once.
    pub fn of_built(
        top: serde_json::Map<String, serde_json::Value>,
        env: &Environment,
    ) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let mut context = Context::new(env, false);
        let flow = built_flow(top, &mut context);
        Self::of(flow, None, context)
    }

    fn of(
        flow: LoadedFlow,
        path: Option<PathBuf>,
        mut context: Context<'_>,
    ) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let env = context.env;
        let said = environment(Program::Gateway, env, &mut context.problems, &mut context.warnings);
        let layers = [
            ("defaults", defaults(Program::Gateway, env, &mut context.problems)),
            ("file", flow.gateway),
            ("environment", said),
            ("arguments", Values::new()),
        ];
        let settings = Settings { values: merged(layers) };
        let gateway = check_gateway(&settings, &mut context, Addresses::Later);
        context.finish(Self {
            is_deployment: flow.is_deployment,
            has_gateway: flow.has_gateway,
            name: flow.name,
            path,
            gateway,
            gateway_options: flow.gateway_options,
            gateway_env: flow.gateway_env,
            deployments: flow.deployments,
        })
    }
}

#[cfg(test)]
mod tests;
