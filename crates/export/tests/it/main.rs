//! What is exported, beside what Jina exports of the same files.
//!
//! Both sides are parsed. What Jina wrote is changed, step by step, by the differences that are meant, each named
//! where it is made and in `docs/differences.md`; then both must be equal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails fails the test")]

mod arguments;
mod compose;
mod kubernetes;
mod refusals;
mod stateful;

use std::fs;
use std::path::{Path, PathBuf};

use config::{Command, Environment, Export, FlowSpec};
use serde::Deserialize as _;
use serde_json::Value;

/// Every example that Jina exported.
fn examples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exported");
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut examples: Vec<_> = entries.filter(|path| path.join("docker-compose.yml").exists()).collect();
    examples.sort();
    assert_eq!(examples.len(), 16);
    examples
}

/// Jina's image, as the examples name it.
const IMAGE: &str = "registry.example/rust-gateway:0.1";

fn asked(line: &[&str]) -> Export {
    let env = Environment::from([("JINA_GATEWAY_IMAGE".to_owned(), IMAGE.to_owned())]);
    let line: Vec<_> = std::iter::once("export").chain(line.iter().copied()).map(str::to_owned).collect();
    match config::command(&line, &env).unwrap().command {
        Command::Export(export) => export,
        other => panic!("{other:?}"),
    }
}

fn flow(file: &Path) -> FlowSpec {
    FlowSpec::read(file, &Environment::new()).unwrap().0
}

/// A file with this content is exported.
fn exported(content: &str, line: &[&str]) -> Result<Vec<export::File>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.yml");
    fs::write(&file, content).unwrap();
    let (format, rest) = line.split_first().unwrap();
    let line: Vec<&str> = [*format, file.to_str().unwrap(), "out"].iter().chain(rest).copied().collect();
    export::export(&flow(&file), &asked(&line)).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(flow: &str, line: &[&str], want: &[&str]) {
    let problems = exported(flow, line).unwrap_err();
    assert_eq!(problems.lines().collect::<Vec<_>>(), want);
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Takes a key out of an object.
fn take(object: &mut Value, key: &str) -> Value {
    object.as_object_mut().and_then(|object| object.shift_remove(key)).unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}
