//! A Flow with executors in Python, as Jina and as `flowgate export` export it for docker-compose, with our gateway.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::say;
use crate::process::{free_port, poll};
use crate::python::{Environment, remove};
use crate::{shell, workspace};

/// The Flow, its executors and their image.
const SOURCES: &str = "tests/e2e/exported";
/// Of what containers run.
const PACKAGES: &str = "tests/interop/requirements.txt";
/// That of the Debian release which the image is made of.
const PYTHON: &str = "3.11";
const GATEWAY: &str = "flowgate/gateway";
/// Python takes seconds to start.
const UNTIL_HEALTHY: Duration = Duration::from_secs(240);

/// Who writes the manifest.
#[derive(Debug, Clone, Copy)]
enum Exporter {
    Jina,
    Ours,
}

/// Containers of one manifest. Dropping it removes them.
struct Project {
    name: String,
    file: PathBuf,
    /// Of gRPC, HTTP and WebSocket.
    ports: [u16; 3],
}

/// `flowgate` is the program that exports; the image of our gateway is there.
pub(super) fn run(flowgate: &Path, python: &Environment) -> anyhow::Result<()> {
    executors(python)?;
    for exporter in [Exporter::Jina, Exporter::Ours] {
        say(&format!("a Flow with executors in Python, exported by {exporter:?}"));
        let project = Project::export(exporter, flowgate, python)?;
        let outcome = project.play(python);
        if outcome.is_err() {
            project.show_logs();
        }
        outcome.with_context(|| format!("exported by {exporter:?}"))?;
    }
    Ok(())
}

/// Makes the images of the executors.
fn executors(python: &Environment) -> anyhow::Result<()> {
    let packages = workspace::target().join("e2e/packages");
    remove(&packages)?;
    let mut install = workspace::in_root(python.program("uv"));
    install.args(["pip", "install", "--quiet", "--no-deps", "--python-version", PYTHON]);
    install.args(["--python-platform", &format!("{ARCH}-manylinux_2_28"), "--requirement", PACKAGES]);
    shell::run(install.arg("--python").arg(python.program("python")).arg("--target").arg(&packages))?;
    for (image, class) in [("flowgate-e2e/shout", "Shout"), ("flowgate-e2e/sign", "Sign")] {
        let mut build = workspace::in_root("docker");
        build.args(["buildx", "build", "--load", "--quiet", "--tag", image, SOURCES]);
        build.args(["--build-arg", &format!("CLASS={class}")]);
        shell::run(build.arg("--build-context").arg(format!("packages={}", packages.display())))?;
    }
    Ok(())
}

impl Project {
    fn export(exporter: Exporter, flowgate: &Path, python: &Environment) -> anyhow::Result<Self> {
        let directory = workspace::target().join("e2e");
        fs::create_dir_all(&directory)?;
        let name = format!("flowgate-e2e-by-{exporter:?}").to_lowercase();
        let file = directory.join(format!("{name}.yml"));
        let ports = [free_port()?, free_port()?, free_port()?];
        let mut export = match exporter {
            Exporter::Jina => workspace::in_root(python.program("jina")),
            Exporter::Ours => workspace::in_root(flowgate),
        };
        export.args(["export", "docker-compose", &format!("{SOURCES}/flow.yml")]).arg(&file);
        for (protocol, port) in ["GRPC", "HTTP", "WEBSOCKET"].into_iter().zip(ports) {
            export.env(format!("PORT_{protocol}"), port.to_string());
        }
        shell::run(export.env("JINA_GATEWAY_IMAGE", GATEWAY).env("JINA_OPTOUT_TELEMETRY", "1"))?;
        Ok(Self { name, file, ports })
    }

    fn play(&self, python: &Environment) -> anyhow::Result<()> {
        for n in [1, 3, 2] {
            self.up(n)?;
            let mut ask = workspace::in_root(python.program("python"));
            ask.args(["-W", "ignore", &format!("{SOURCES}/ask.py"), &n.to_string()]);
            shell::run(ask.args(self.ports.map(|port| port.to_string())))
                .with_context(|| format!("{n} containers of the first executor"))?;
        }
        shell::run(self.compose().arg("stop"))
    }

    /// Starts what does not run, and waits until all are healthy. Compose itself gives up when a gateway is not for its
    /// first seconds, and in manifests of Jina it is given no time to find executors.
    fn up(&self, n: usize) -> anyhow::Result<()> {
        shell::run(self.compose().args(["up", "--detach", "--scale", &format!("shout={n}")]))?;
        let mut seen = String::new();
        let healthy = poll(UNTIL_HEALTHY, || {
            seen = shell::output(self.compose().args(["ps", "--format", "{{.Name}} {{.Health}}"]))?;
            Ok(seen.lines().count() == n + 3 && seen.lines().all(|line| line.ends_with(" healthy")))
        })?;
        ensure!(healthy, "not healthy after {UNTIL_HEALTHY:?}:\n{seen}");
        Ok(())
    }

    fn show_logs(&self) {
        if let Err(error) = shell::run(self.compose().args(["logs", "--no-color", "--tail", "100"])) {
            eprintln!("{error:#}");
        }
    }

    fn compose(&self) -> Command {
        let mut compose = workspace::in_root("docker");
        compose.args(["compose", "--project-name", &self.name, "--file"]).arg(&self.file);
        compose
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let mut down = self.compose();
        if let Err(error) = shell::run(down.args(["down", "--volumes", "--remove-orphans", "--timeout", "5"]))
        {
            eprintln!("{error:#}");
        }
    }
}
