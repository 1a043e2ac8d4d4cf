//! The deployment of `docker-compose.yml`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::Part;
use crate::process::{free_port, poll};
use crate::{images, shell, workspace};

/// A project of its own, so that it meets nobody else's.
const PROJECT: &str = "flowgate-e2e";

/// What each replica receives of a load before it counts as used: many requests, of a few hundred bytes each.
const SHARE: u64 = 50_000;

/// How long it may take until the last one has it.
const UNTIL_USED: Duration = Duration::from_secs(60);

/// Containers of the project. Dropping it removes them and their volumes.
pub(super) struct Compose {
    port: u16,
}

impl Compose {
    pub(super) fn start() -> anyhow::Result<Self> {
        engine()?;
        images::prebuilt()?;
        let stage = Self { port: free_port()? };
        shell::run(stage.compose().args(["down", "--volumes", "--remove-orphans", "--timeout", "5"]))?;
        stage.up()?;
        Ok(stage)
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts what does not run, and waits until all are healthy.
    pub(super) fn up(&self) -> anyhow::Result<()> {
        self.up_with(2)
    }

    fn up_with(&self, segmenters: usize) -> anyhow::Result<()> {
        let mut up = self.compose();
        up.args(["up", "--detach", "--no-build", "--scale", &format!("segmenter={segmenters}")]);
        shell::run(up.args(["--wait", "--wait-timeout", "120"]))
    }

    pub(super) fn restart(&self) -> anyhow::Result<()> {
        shell::run(self.compose().arg("restart"))?;
        self.up()
    }

    pub(super) fn lose(&self, part: Part) -> anyhow::Result<()> {
        let service = match part {
            Part::OneSegmenter => "segmenter",
            Part::Indexer => "indexer",
        };
        let containers = self.containers(service)?;
        let first = containers.first().context("no container of the service runs")?;
        // Killed by the engine on request, a container is not restarted by it.
        shell::run(Command::new("docker").args(["kill", first]))
    }

    /// Makes it so many segmenters while there is load, and waits until all of them have their part of it, without a
    /// restart of the gateway.
    pub(super) fn scale(&self, segmenters: usize) -> anyhow::Result<()> {
        let gateway = self.gateway_start()?;
        self.up_with(segmenters)?;
        let containers = self.containers("segmenter")?;
        let n = containers.len();
        ensure!(n == segmenters, "{n} segmenters run instead of {segmenters}");
        let before =
            containers.iter().map(|container| received(container)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut shares = Vec::new();
        let all = poll(UNTIL_USED, || {
            shares.clear();
            for (container, before) in containers.iter().zip(&before) {
                shares.push(received(container)? - before);
            }
            Ok(shares.iter().min() >= Some(&SHARE))
        })?;
        println!("bytes that each of {n} segmenters received: {shares:?}");
        ensure!(all, "not all are used after {UNTIL_USED:?}");
        ensure!(self.gateway_start()? == gateway, "the gateway was started again");
        Ok(())
    }

    /// When the gateway started.
    fn gateway_start(&self) -> anyhow::Result<String> {
        let mut inspect = Command::new("docker");
        inspect.args(["inspect", "--format", "{{.State.StartedAt}}"]).args(self.containers("gateway")?);
        shell::output(&mut inspect)
    }

    fn containers(&self, service: &str) -> anyhow::Result<Vec<String>> {
        let ids = shell::output(self.compose().args(["ps", "--quiet", service]))?;
        Ok(ids.lines().map(str::to_owned).collect())
    }

    pub(super) fn stop(&self) -> anyhow::Result<()> {
        shell::run(self.compose().arg("stop"))?;
        let containers = shell::output(self.compose().args(["ps", "--all", "--quiet"]))?;
        let mut inspect = Command::new("docker");
        inspect.args(["inspect", "--format", "{{.Name}} {{.State.ExitCode}}"]).args(containers.lines());
        let codes = shell::output(&mut inspect)?;
        let n = codes.lines().count();
        ensure!(n == 4, "{n} containers are left of four");
        for line in codes.lines() {
            ensure!(line.ends_with(" 0"), "a container did not end well: {line}");
        }
        Ok(())
    }

    pub(super) fn show_logs(&self) {
        if let Err(error) = shell::run(self.compose().args(["logs", "--no-color", "--tail", "100"])) {
            eprintln!("{error:#}");
        }
    }

    fn compose(&self) -> Command {
        let mut compose = workspace::in_root("docker");
        compose.args(["compose", "--project-name", PROJECT]);
        compose.env("BUILDER", "prebuilt").env("FLOWGATE_PORT", self.port.to_string());
        compose
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        let mut down = self.compose();
        if let Err(error) = shell::run(down.args(["down", "--volumes", "--remove-orphans", "--timeout", "5"]))
        {
            eprintln!("{error:#}");
        }
    }
}

/// Bytes that came to a container from others: what probes inside of it send is not among them.
fn received(container: &str) -> anyhow::Result<u64> {
    let mut read = Command::new("docker");
    read.args(["exec", container, "cat", "/sys/class/net/eth0/statistics/rx_bytes"]);
    let bytes = shell::output(&mut read)?;
    bytes.trim().parse().with_context(|| format!("`{bytes}` is no number of bytes"))
}

/// Makes sure that there is an engine, and the base image. On machines without one, and without a registry to
/// get images from, the scripts beside the repository make both.
fn engine() -> anyhow::Result<()> {
    let is_there = || {
        shell::succeeds(Command::new("docker").args(["compose", "version"]))
            && shell::succeeds(Command::new("docker").arg("info"))
    };
    let tools: PathBuf = workspace::root().join("../shared/tools");
    if !is_there() {
        let start = tools.join("docker-engine-up");
        if !start.exists() {
            bail!("no container engine answers; start one, or use `cargo xtask e2e --local`");
        }
        shell::run(Command::new(start).arg("--quiet"))?;
    }
    let base_images = tools.join("base-images");
    if base_images.exists() {
        let mut make = workspace::in_root(base_images);
        shell::run(make.args(["--from", "Dockerfile", "--build-arg", "BUILDER=prebuilt"]))?;
    }
    Ok(())
}
