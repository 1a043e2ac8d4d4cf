//! The search Flow with an index that three replicas keep consistent, as `flowgate export` exports it for docker-compose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::say;
use crate::process::free_port;
use crate::{shell, workspace};

const FLOW: &str = "tests/e2e/stateful.yml";
const PROJECT: &str = "flowgate-e2e-stateful";
/// How many documents are indexed at a time.
const NEW: usize = 200;
/// It begins the log, and is the first to lead.
const FIRST: &str = "indexer-rep-0";
const LAST: &str = "indexer-rep-2";
const REPLICAS: [&str; 3] = [FIRST, "indexer-rep-1", LAST];

/// Containers of the manifest. Dropping it removes them and their volumes.
struct Stage {
    file: PathBuf,
    client: PathBuf,
    port: u16,
}

/// `flowgate` is the program that exports, `client` the one that asks; the images are there.
pub(super) fn run(flowgate: &Path, client: PathBuf) -> anyhow::Result<()> {
    let stage = Stage::export(flowgate, client)?;
    shell::run(&mut stage.down())?;
    let outcome = stage.play();
    if outcome.is_err() {
        shell::run(stage.compose().args(["logs", "--no-color", "--tail", "100"]))?;
    }
    outcome
}

impl Stage {
    fn export(flowgate: &Path, client: PathBuf) -> anyhow::Result<Self> {
        let directory = workspace::target().join("e2e");
        fs::create_dir_all(&directory)?;
        let file = directory.join(format!("{PROJECT}.yml"));
        let port = free_port()?;
        let mut export = workspace::in_root(flowgate);
        export.args(["export", "docker-compose", FLOW]).arg(&file);
        export.args(["--gateway-image", "flowgate/gateway", "--executor-image", "flowgate/executor"]);
        shell::run(export.env("PORT_GRPC", port.to_string()))?;
        Ok(Self { file, client, port })
    }

    fn play(&self) -> anyhow::Result<()> {
        say(
            "three replicas of an index: one is lost, then another, and has afterwards what was written without it",
        );
        self.up(&[])?;
        self.ask("fill", 0)?;
        for (round, replica) in (1..).zip([FIRST, LAST]) {
            let others: Vec<_> = REPLICAS.into_iter().filter(|other| *other != replica).collect();
            self.kill(&[replica])?;
            self.ask("fill", round * NEW).with_context(|| format!("without {replica}"))?;
            self.up(&[replica])?;
            self.kill(&others)?;
            for old in 0..=round {
                self.ask("find", old * NEW).with_context(|| format!("from {replica} alone"))?;
            }
            self.up(&others)?;
        }
        say("all replicas are made anew, with their volumes: the index is kept");
        self.up(&[&["--force-recreate", "--timeout", "40"], &REPLICAS[..]].concat())?;
        self.ask("find", 0)
    }

    fn kill(&self, services: &[&str]) -> anyhow::Result<()> {
        shell::run(self.compose().arg("kill").args(services))
    }

    /// Starts what does not run of some services or of all, and waits until it is healthy.
    fn up(&self, more: &[&str]) -> anyhow::Result<()> {
        let mut up = self.compose();
        up.args(["up", "--detach", "--wait", "--wait-timeout", "120"]);
        shell::run(up.args(more))
    }

    /// Indexes documents from the number `from` on, or finds them.
    fn ask(&self, command: &str, from: usize) -> anyhow::Result<()> {
        let address = format!("grpc://127.0.0.1:{}", self.port);
        let line = ["--address", &address, command, "--from", &from.to_string()];
        shell::run(Command::new(&self.client).args(line))
    }

    fn compose(&self) -> Command {
        let mut compose = workspace::in_root("docker");
        compose.args(["compose", "--project-name", PROJECT, "--file"]).arg(&self.file);
        compose
    }

    fn down(&self) -> Command {
        let mut down = self.compose();
        down.args(["down", "--volumes", "--remove-orphans", "--timeout", "5"]);
        down
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = shell::run(&mut self.down()) {
            eprintln!("{error:#}");
        }
    }
}
