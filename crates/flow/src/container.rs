//! Executors in containers, run by the user's own `docker`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process;

use config::{Deployment, Uses};
use serde_json::Value;
use tokio::process::Command;

use crate::python::{Process, arguments};

/// The program of a container engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Docker(PathBuf);

/// Nothing on the path is called `docker`.
#[derive(Debug, thiserror::Error)]
#[error("there is no program `docker` in PATH")]
pub struct NoDocker;

impl Docker {
    /// Finds it.
    pub(crate) fn find(path: &OsString) -> Result<Self, NoDocker> {
        let programs = std::env::split_paths(path).map(|folder| folder.join("docker"));
        programs.into_iter().find(|program| program.is_file()).map(Self).ok_or(NoDocker)
    }

    /// Runs an executor in a container of this name, which is gone when it ends. Images have an entry point that
    /// begins with `jina executor`, so only what follows is said.
    pub(crate) fn run(&self, container: &str, place: Process<'_>) -> Command {
        let Process { deployment, host, ports, folder, .. } = place;
        let mut command = Command::new(&self.0);
        command.args(["run", "--rm", "--init", "--name", container]);
        for port in ports {
            command.arg("--publish").arg(format!("{host}:{port}:{port}"));
        }
        for (name, value) in place.variables {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        for volume in texts(deployment, "volumes") {
            command.arg("--volume").arg(absolute(&volume, folder));
        }
        for (key, option) in [("gpus", "--gpus"), ("entrypoint", "--entrypoint")] {
            for value in texts(deployment, key) {
                command.arg(option).arg(value);
            }
        }
        if let Uses::Image(image) = &deployment.executor.uses {
            command.arg(image);
        }
        command.args(arguments(place));
        command
    }

    /// Removes a container that did not end when it was asked to.
    pub(crate) fn remove(&self, container: &str) -> process::Command {
        let mut command = process::Command::new(&self.0);
        command.args(["rm", "--force", container]);
        command
    }
}

/// The texts of an option that is one or several.
fn texts(deployment: &Deployment, key: &str) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match deployment.options.get(key) {
        Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A mount whose source, if it is relative, is one beside the Flow file.
fn absolute(volume: &str, folder: Option<&Path>) -> OsString {
    let here = || folder.map(Path::to_path_buf).unwrap_or_default();
    match volume.split_once(':') {
        Some((source, target)) if source.starts_with('.') => {
            let source = std::path::absolute(here().join(source)).unwrap_or_else(|_| PathBuf::from(source));
            let mut volume = source.into_os_string();
            volume.push(":");
            volume.push(target);
            volume
        }
        Some(_) | None => volume.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Deployment, Flow};

    use super::*;

    #[test]
    fn a_container_is_run_with_its_mounts_and_arguments() {
        let flow = Flow::new().add(
            Deployment::uses("docker://some/image:1")
                .name("encoder")
                .option("volumes", serde_json::json!(["./models:/models", "data:/data"]))
                .option("gpus", "all")
                .option("env", serde_json::json!({"A": "b"}))
                .option("uses_with", serde_json::json!({"model": "base"})),
        );
        let plan = flow.check().unwrap();
        let deployment = &plan.spec().deployments[0];
        let place = Process {
            deployment,
            name: "encoder/rep-0",
            host: "127.0.0.1",
            ports: &[5000],
            variables: &deployment.env,
            shard: 0,
            folder: Some(Path::new("/flows")),
            container: true,
        };
        let command = Docker("docker".into()).run("flowgate-encoder-rep-0-5000", place);
        let words: Vec<_> = command.as_std().get_args().map(|word| word.to_str().unwrap()).collect();
        let words = words.join(" ");
        let start = "run --rm --init --name flowgate-encoder-rep-0-5000 --publish 127.0.0.1:5000:5000 --env A=b \
                     --volume /flows/models:/models --volume data:/data --gpus all some/image:1 --native \
                     --name encoder/rep-0 --host 0.0.0.0 --port 5000 --shard-id 0";
        assert!(words.starts_with(start), "{words}");
        assert!(words.contains(r#"--uses-with {"model":"base"}"#), "{words}");
        assert!(!words.contains("--uses docker"), "{words}");
    }

    #[test]
    fn the_program_is_looked_for_in_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().as_os_str().to_owned();
        assert!(Docker::find(&path).is_err());
        std::fs::write(folder.path().join("docker"), "").unwrap();
        assert_eq!(Docker::find(&path).unwrap(), Docker(folder.path().join("docker")));
    }
}
