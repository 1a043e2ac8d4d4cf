//! Back from values to a command line, for processes that others start: containers, and Python executors.

use serde_json::{Map, Value};

use crate::form::Arity;
use crate::table::{Argument, Mark, Program, arguments};

/// Who is to read the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// This project: every argument is understood.
    Ours,
    /// Jina: our own arguments are left out.
    Jina,
}

/// The arguments of `program` that say what `options` say, in the order of the table. Keys are those of YAML;
/// values equal to the default, and keys that the command line does not have, are left out.
#[must_use]
pub fn command_line(program: Program, options: &Map<String, Value>, reader: Reader) -> Vec<String> {
    let mut argv = Vec::new();
    for argument in arguments(program).filter(|argument| reader == Reader::Ours || argument.mark != Mark::Own)
    {
        let Some(value) = options.get(&argument.key()) else { continue };
        let is_default =
            argument.default.is_some_and(|default| argument.form.read(&default.into()).as_ref() == Ok(value));
        if !is_default && !value.is_null() {
            write(&mut argv, argument, value);
        }
    }
    argv
}

fn write(argv: &mut Vec<String>, argument: &Argument, value: &Value) {
    let name = format!("--{}", argument.name);
    match (argument.form.arity(), value) {
        (Arity::None, Value::Bool(true)) => argv.push(name),
        (Arity::None, _) => {}
        (Arity::AtLeastOne | Arity::Any, Value::Array(items)) => {
            if !items.is_empty() {
                argv.push(name);
                argv.extend(items.iter().map(text));
            }
        }
        (Arity::One | Arity::AtLeastOne | Arity::Any, value) => {
            let value = text(value);
            // A value that looks like an option is one only if it stands alone.
            if value.starts_with('-') && value.parse::<f64>().is_err() {
                argv.push(format!("{name}={value}"));
            } else {
                argv.extend([name, value]);
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Command, Environment};

    #[test]
    fn what_is_rendered_is_read_again() {
        let options = json!({
            "name": "encoder/rep-0",
            "uses_with": {"model": "base"},
            "port": [8080, 8081],
            "protocol": ["GRPC", "HTTP"],
            "allow_concurrent": true,
            "quiet": false,
            "replicas": 1,
            "output_array_type": "-odd",
            "retries": -1,
            "timeout_send": 200,
            "max_waiting": 7,
            "when": {"not": "for the command line"},
        });
        let options = options.as_object().unwrap();
        let argv = command_line(Program::Executor, options, Reader::Ours);
        assert_eq!(
            argv.join(" "),
            "--timeout-send 200 --name encoder/rep-0 --uses-with {\"model\":\"base\"} --output-array-type=-odd \
             --allow-concurrent --port 8080 8081 --protocol GRPC HTTP --max-waiting 7"
        );
        assert!(
            !command_line(Program::Executor, options, Reader::Jina).contains(&"--max-waiting".to_owned())
        );
        let line: Vec<String> = std::iter::once("executor".to_owned()).chain(argv).collect();
        let parsed = crate::command(&line, &Environment::new()).unwrap();
        let Command::Executor(spec) = parsed.command else { panic!("{:?}", parsed.command) };
        assert_eq!((spec.max_waiting, spec.output_array_type.as_deref()), (7, Some("-odd")));
        assert_eq!(spec.server.listeners.len(), 2);
    }
}
