//! The same deployment as processes.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Part;
use crate::process::{Process, free_port};
use crate::{shell, workspace};

/// Gateway, two segmenters, indexer. Dropping it ends them.
pub(super) struct Local {
    programs: PathBuf,
    directory: PathBuf,
    /// In the order of [`NAMES`]; none for one that is lost.
    processes: [Option<Process>; 4],
    ports: [u16; 4],
}

/// The gateway is last: it is the first to end.
const NAMES: [&str; 4] = ["segmenter-0", "segmenter-1", "indexer", "gateway"];
const GATEWAY: usize = 3;

const PATIENCE: Duration = Duration::from_secs(60);

impl Local {
    pub(super) fn start(programs: PathBuf) -> anyhow::Result<Self> {
        let directory = workspace::target().join("e2e/local");
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let ports = [free_port()?, free_port()?, free_port()?, free_port()?];
        let mut stage = Self { programs, directory, processes: [const { None }; 4], ports };
        stage.up()?;
        Ok(stage)
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports[GATEWAY])
    }

    /// Starts what does not run, and waits until all are ready.
    fn up(&mut self) -> anyhow::Result<()> {
        for (part, name) in NAMES.iter().enumerate() {
            if self.processes[part].is_none() {
                let log = File::options().create(true).append(true).open(self.log(part))?;
                let mut command = self.command(part);
                command.stdout(log.try_clone()?).stderr(log);
                let mut process = Process::start(name, &mut command)?;
                process.wait_ready(PATIENCE, || self.is_ready(part))?;
                self.processes[part] = Some(process);
            }
        }
        Ok(())
    }

    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        self.up()
    }

    pub(super) fn lose(&mut self, part: Part) -> anyhow::Result<()> {
        let mut lost = self.processes[part.number()].take().context("it is lost already")?;
        lost.kill()
    }

    pub(super) fn bring_back(&mut self, part: Part) -> anyhow::Result<()> {
        ensure!(self.processes[part.number()].is_none(), "it is not lost");
        self.up()
    }

    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        for (process, name) in self.processes.iter_mut().zip(NAMES).rev() {
            if let Some(mut process) = process.take() {
                let status = process.stop()?;
                ensure!(status.success(), "{name} did not end well: {status}");
            }
        }
        Ok(())
    }

    pub(super) fn show_logs(&self) {
        for (part, name) in NAMES.iter().enumerate() {
            let log = fs::read_to_string(self.log(part)).unwrap_or_default();
            eprintln!("--- {name}\n{log}");
        }
    }

    fn log(&self, part: usize) -> PathBuf {
        self.directory.join(format!("{}.log", NAMES[part]))
    }

    fn is_ready(&self, part: usize) -> bool {
        let subject = if part == GATEWAY { "gateway" } else { "executor" };
        let address = format!("grpc://127.0.0.1:{}", self.ports[part]);
        shell::succeeds(self.program("flowgate").args(["ping", subject, &address, "--attempts", "1"]))
    }

    fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    fn command(&self, part: usize) -> Command {
        let mut command = if part == GATEWAY {
            let [a, b, indexer, _] = self.ports;
            let graph =
                r#"{"start-gateway": ["segmenter"], "segmenter": ["indexer"], "indexer": ["end-gateway"]}"#;
            let addresses = format!(
                r#"{{"segmenter": ["grpc://127.0.0.1:{a}", "grpc://127.0.0.1:{b}"], "indexer": ["grpc://127.0.0.1:{indexer}"]}}"#
            );
            let mut gateway = self.program("flowgate");
            gateway.args(["gateway", "--protocol", "GRPC", "--graph-description", graph]);
            gateway.args(["--deployments-addresses", &addresses]);
            gateway
        } else {
            let uses = if NAMES[part] == "indexer" { "Indexer" } else { "Segmenter" };
            let mut executor = self.program("search");
            executor.args(["executor", "--name", NAMES[part], "--uses", uses, "--workspace"]);
            executor.arg(&self.directory);
            executor
        };
        command.args(["--host", "127.0.0.1", "--port", &self.ports[part].to_string()]);
        command
    }
}

impl Part {
    const fn number(self) -> usize {
        match self {
            Self::OneSegmenter => 0,
            Self::Indexer => 2,
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
        }
    }
}
