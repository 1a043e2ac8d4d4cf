//! `gateway` and `executor`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::arguments::{self, Line};
use crate::check::{self, Addresses, Context, ExecutorFile, Settings};
use crate::files::{executor_file, flow_file, gateway_file, is_yaml_path};
use crate::layers::{Values, defaults, environment, merged, warn_ineffective};
use crate::table::{Program, arguments as known};
use crate::{Command, Environment, Help, Parsed, Place, Problem, help};

pub(super) fn gateway(argv: &[String], env: &Environment) -> Result<Parsed, Vec<Problem>> {
    let line = parse(Program::Gateway, argv)?;
    if line.help {
        return Ok(asked_for_help(Program::Gateway, env));
    }
    let mut context = Context::new(env, true);
    context.warnings.extend(line.warnings);
    let mut said = said(&line.values);
    let variables = environment(Program::Gateway, env, &mut context.problems, &mut context.warnings);
    let text =
        |name: &str| said.get(name).or_else(|| variables.get(name)).and_then(|(value, _)| value.as_str());
    let mut file = Values::new();
    if let Some(path) = text("flow").map(PathBuf::from) {
        let flow = naming(&mut context, "--flow", |context| flow_file(&path, context));
        file.extend(flow.map(|flow| flow.gateway).unwrap_or_default());
    }
    if let Some(path) = text("uses").filter(|uses| is_yaml_path(uses)).map(str::to_owned) {
        let path = find(&path, said.get("extra-search-paths").map(|(value, _)| value));
        let values = naming(&mut context, "--uses", |context| gateway_file(&path, context));
        if let Some(class) = values.get("uses") {
            said.insert("uses", class.clone());
        }
        file.extend(values);
    }
    if !context.problems.is_empty()
        && file.is_empty()
        && (said.contains_key("flow") || said.contains_key("uses"))
    {
        // Without its file nothing else that could be said about the gateway would be true.
        return Err(context.refusal());
    }
    let layers = [
        ("defaults", defaults(Program::Gateway, env, &mut context.problems)),
        ("file", file),
        ("environment", variables),
        ("arguments", said),
    ];
    let values = merged(layers);
    warn_ineffective(Program::Gateway, &values, &mut context.warnings);
    let spec = check::gateway(&Settings { values }, &mut context, Addresses::Required);
    let (spec, warnings) = context.finish(spec)?;
    Ok(Parsed { command: Command::Gateway(Box::new(spec)), warnings })
}

pub(super) fn executor(argv: &[String], env: &Environment) -> Result<Parsed, Vec<Problem>> {
    let line = parse(Program::Executor, argv)?;
    if line.help {
        return Ok(asked_for_help(Program::Executor, env));
    }
    let mut context = Context::new(env, true);
    context.warnings.extend(line.warnings);
    let layers = [
        ("defaults", defaults(Program::Executor, env, &mut context.problems)),
        ("file", Values::new()),
        ("environment", environment(Program::Executor, env, &mut context.problems, &mut context.warnings)),
        ("arguments", said(&line.values)),
    ];
    let settings = Settings { values: merged(layers) };
    warn_ineffective(Program::Executor, &settings.values, &mut context.warnings);
    let file: Option<ExecutorFile> =
        settings.text("uses").filter(|uses| is_yaml_path(uses)).and_then(|uses| {
            let path = find(uses, settings.value("extra-search-paths"));
            naming(&mut context, "--uses", |context| executor_file(&path, context))
        });
    let spec = check::executor(&settings, &mut context, Program::Executor, file);
    let (spec, warnings) = context.finish(spec)?;
    Ok(Parsed { command: Command::Executor(Box::new(spec)), warnings })
}

fn parse(program: Program, argv: &[String]) -> Result<Line, Vec<Problem>> {
    let known: Vec<_> = known(program).collect();
    let mut line = arguments::parse(&known, argv)?;
    line.warn_joined();
    Ok(line)
}

fn asked_for_help(program: Program, env: &Environment) -> Parsed {
    let text = help::program(program, env.contains_key("JINA_FULL_CLI"));
    super::plain(Command::Help(Help { text }))
}

/// The values of the command line with their places.
fn said(values: &indexmap::IndexMap<&'static str, Value>) -> Values {
    let place = |name: &str| Place::Argument(format!("--{name}"));
    values.iter().map(|(name, value)| (*name, (value.clone(), place(name)))).collect()
}

/// Reads a file; that it cannot be read at all is a mistake of the argument that names it.
fn naming<T>(context: &mut Context<'_>, argument: &str, read: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let n_before = context.problems.len();
    let result = read(context);
    for problem in context.problems.iter_mut().skip(n_before).filter(|p| p.place == Place::CommandLine) {
        problem.place = Place::Argument(argument.to_owned());
    }
    result
}

/// A file as it is named, or in one of the search paths.
fn find(name: &str, search: Option<&Value>) -> PathBuf {
    let search = search.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut found = search.map(|directory| Path::new(directory).join(name)).filter(|path| path.exists());
    if Path::new(name).exists() { PathBuf::from(name) } else { found.next().unwrap_or_else(|| name.into()) }
}
