//! Command lines, read the way Python's `argparse` reads them.
//!
//! Manifests in the field rely on its rules: `--x v` and `--x=v`, unique prefixes, lists of elements, negative
//! numbers as values, elements with a blank inside that are no options, unknown options that stop nothing.

use indexmap::IndexMap;
use serde_json::Value;

use crate::form::{Arity, Form};
use crate::nearest::nearest;
use crate::table::{self, Argument, Mark};
use crate::{Place, Problem, Reason, Warning};

/// What a command line says.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// By the argument's name, in canonical form; the last one counts.
    pub(crate) values: IndexMap<&'static str, Value>,
    /// Elements that belong to no argument.
    pub(crate) positionals: Vec<String>,
    /// Whether help was asked for.
    pub(crate) help: bool,
    /// Unknown arguments.
    pub(crate) warnings: Vec<Warning>,
}

/// What an element of the command line is.
enum Element<'a> {
    Value,
    Known { argument: &'static Argument, value: Option<&'a str> },
    Ambiguous(Vec<&'static str>),
    Unknown,
    Help,
}

/// Reads the elements after the subcommand.
pub(crate) fn parse(known: &[&'static Argument], argv: &[String]) -> Result<Line, Vec<Problem>> {
    let mut line = Line::default();
    let mut problems = Vec::new();
    let mut rest = argv;
    while let Some((element, after)) = rest.split_first() {
        rest = after;
        if element == "--" {
            line.positionals.extend(rest.iter().cloned());
            break;
        }
        match classify(known, element) {
            Element::Value => line.positionals.push(element.clone()),
            Element::Help => line.help = true,
            Element::Unknown => {
                let name = element.split('=').next().unwrap_or(element);
                line.warn_unknown(known, name);
            }
            Element::Ambiguous(names) => problems.push(Problem::new(
                Place::Argument(element.clone()),
                Reason::Conflict { message: format!("may mean any of --{}", names.join(", --")) },
            )),
            Element::Known { argument, value } => {
                let values = if let Some(value) = value {
                    vec![value.to_owned()]
                } else {
                    let n = take(known, argument.form.arity(), rest);
                    let (values, after) = rest.split_at(n);
                    rest = after;
                    values.to_vec()
                };
                if let Err(reason) = line.set(argument, &values, value.is_some()) {
                    problems.push(Problem::new(Place::Argument(format!("--{}", argument.name)), reason));
                }
            }
        }
    }
    if problems.is_empty() || line.help { Ok(line) } else { Err(problems) }
}

fn classify<'a>(known: &[&'static Argument], element: &'a str) -> Element<'a> {
    if !element.starts_with('-') || element == "-" {
        return Element::Value;
    }
    if matches!(element, "-h" | "--help") {
        return Element::Help;
    }
    let (name, value) = match element.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (element, None),
    };
    if let Some(name) = name.strip_prefix("--") {
        match find(known, name) {
            Ok(Some(argument)) => return Element::Known { argument, value },
            Ok(None) => {}
            Err(names) => return Element::Ambiguous(names),
        }
    }
    let number = element.strip_prefix('-').is_some_and(|digits| digits.parse::<f64>().is_ok());
    if number || element.contains(' ') { Element::Value } else { Element::Unknown }
}

/// The argument of that name, or of the only name that begins so. Jina's own names are looked at first, so that
/// prefixes that are unique there stay so.
fn find(known: &[&'static Argument], name: &str) -> Result<Option<&'static Argument>, Vec<&'static str>> {
    let names = |argument: &&'static Argument| {
        let argument = *argument;
        std::iter::once(argument.name)
            .chain(argument.aliases.iter().copied())
            .map(move |name| (name, argument))
    };
    if let Some((_, argument)) = known.iter().flat_map(names).find(|(full, _)| *full == name) {
        return Ok(Some(argument));
    }
    for own in [false, true] {
        let of_these = known.iter().filter(|argument| (argument.mark == Mark::Own) == own);
        let mut found: Vec<_> = of_these.flat_map(names).filter(|(full, _)| full.starts_with(name)).collect();
        found.dedup_by_key(|(_, argument)| argument.name);
        match found.as_slice() {
            [] => {}
            [(_, argument)] => return Ok(Some(argument)),
            several => return Err(several.iter().map(|(full, _)| *full).collect()),
        }
    }
    Ok(None)
}

/// How many of the following elements are values of an argument.
fn take(known: &[&'static Argument], arity: Arity, rest: &[String]) -> usize {
    let is_value = |element: &&String| *element != "--" && matches!(classify(known, element), Element::Value);
    let most = match arity {
        Arity::None => 0,
        Arity::One => 1,
        Arity::AtLeastOne | Arity::Any => usize::MAX,
    };
    rest.iter().take_while(is_value).count().min(most)
}

impl Line {
    fn set(&mut self, argument: &'static Argument, values: &[String], attached: bool) -> Result<(), Reason> {
        let missing = |what: &str| Reason::Missing { what: what.to_owned() };
        let value = match argument.form.arity() {
            Arity::None if attached => {
                let found = values.join(" ");
                return Err(Reason::Expected { expected: "no value".to_owned(), found });
            }
            Arity::None => Value::Bool(true),
            Arity::One => {
                let [value] = values else { return Err(missing("the value")) };
                argument.form.read(&value.as_str().into())?
            }
            Arity::AtLeastOne if values.is_empty() => return Err(missing("at least one value")),
            Arity::AtLeastOne | Arity::Any => {
                argument.form.read(&values.iter().map(String::as_str).collect())?
            }
        };
        match (argument.form, self.values.get_mut(argument.name), value) {
            (Form::KeyValue, Some(Value::Object(before)), Value::Object(more)) => before.extend(more),
            (_, _, value) => {
                self.values.insert(argument.name, value);
            }
        }
        Ok(())
    }

    /// Only names that are unknown to every command are worth a word.
    fn warn_unknown(&mut self, known: &[&'static Argument], element: &str) {
        let Some(name) = element.strip_prefix("--").filter(|name| !name.is_empty()) else {
            self.warnings.push(Warning::UnknownArgument { argument: element.to_owned(), nearest: None });
            return;
        };
        let elsewhere =
            table::all().any(|argument| argument.name == name || argument.aliases.contains(&name));
        if !elsewhere {
            let names = known.iter().map(|argument| argument.name);
            let warning =
                Warning::UnknownArgument { argument: element.to_owned(), nearest: nearest(name, names) };
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    /// Warns about elements that look like an argument and its value in one.
    pub(crate) fn warn_joined(&mut self) {
        let joined = self.positionals.iter().filter(|element| element.starts_with("--"));
        let warnings =
            joined.map(|element| Warning::UnknownArgument { argument: element.clone(), nearest: None });
        self.warnings.extend(warnings);
    }
}

#[cfg(test)]
mod tests;
