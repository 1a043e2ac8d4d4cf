//! `cargo xtask e2e`: the search Flow as it is deployed, gateway and executors apart, through what happens to
//! deployments: restarts, lost replicas, the end.

mod compose;
mod exported;
mod kubernetes;
mod local;
mod stateful;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use self::compose::Compose;
use self::local::Local;
use crate::process::Process;
use crate::python::Environment;
use crate::{shell, workspace};

/// Where to run it.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// As processes on this machine instead of containers.
    #[arg(long)]
    local: bool,
    /// In the Kubernetes cluster that kubectl talks to; its nodes must have the images of `cargo xtask images`.
    #[arg(long, conflicts_with = "local")]
    kubernetes: bool,
    /// Where the ports of the cluster's nodes are reached.
    #[arg(long, requires = "kubernetes", default_value = "127.0.0.1")]
    node: String,
    /// With programs that are not optimized, which tests have built already.
    #[arg(long, requires = "local")]
    dev: bool,
}

impl Arguments {
    /// What CI runs.
    pub(crate) fn without_containers() -> Self {
        Self { local: true, dev: true, ..Self::default() }
    }
}

/// A deployment of the search Flow with two segmenters.
enum Stage {
    Compose(Compose),
    Local(Box<Local>),
}

/// What can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// One of the two segmenters: the other one does its work.
    OneSegmenter,
    /// The only indexer.
    Indexer,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let programs = if arguments.dev {
        shell::run(workspace::cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
        workspace::binaries("debug")
    } else {
        let mut build = workspace::cargo();
        build.args(["build", "--release", "--locked", "--package", "e2e", "--package", "search"]);
        shell::run(build.args(["--package", "flowgate"]))?;
        workspace::binaries("release")
    };
    let python = Environment::of("interop", "tests/interop/requirements.txt")?;
    if arguments.kubernetes {
        kubernetes::run(programs.join("e2e"), &python, &arguments.node)?;
        println!("end to end: 1 passed, 0 failed");
        return Ok(());
    }
    let stage = if arguments.local {
        Stage::Local(Box::new(Local::start(programs.clone())?))
    } else {
        Stage::Compose(Compose::start()?)
    };
    let mut play = Play { client: programs.join("e2e"), python, stage };
    let outcome = play.run();
    if outcome.is_err() {
        play.stage.show_logs();
    }
    outcome?;
    if matches!(play.stage, Stage::Compose(_)) {
        exported::run(&programs.join("flowgate"), &play.python)?;
        stateful::run(&programs.join("flowgate"), programs.join("e2e"))?;
    }
    println!("end to end: 1 passed, 0 failed");
    Ok(())
}

/// Indexes and searches without a pause while it happens; fails if a request does.
fn under_load(mut client: Command, happen: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let directory = workspace::target().join("e2e");
    fs::create_dir_all(&directory)?;
    let end = directory.join("end-of-load");
    if end.exists() {
        fs::remove_file(&end)?;
    }
    let mut load = Process::start("the load", client.args(["load", "--until"]).arg(&end))?;
    let happened = happen();
    fs::write(&end, "")?;
    let ended = load.wait()?;
    happened?;
    ensure!(ended.success(), "requests failed meanwhile: {ended}");
    Ok(())
}

/// A deployment and those who ask it.
struct Play {
    client: PathBuf,
    python: Environment,
    stage: Stage,
}

impl Play {
    fn run(&mut self) -> anyhow::Result<()> {
        say("requests");
        self.ask("fill")?;
        self.ask("find")?;
        let mut python = workspace::in_root(self.python.program("python"));
        shell::run(python.args(["-W", "ignore", "tests/e2e/search.py", &self.stage.address()]))?;
        say("everything is restarted: the index is kept");
        self.stage.restart()?;
        self.ask("find")?;
        say("a replica is lost and comes back: no request fails");
        under_load(self.client(), || {
            self.stage.lose(Part::OneSegmenter)?;
            self.stage.bring_back(Part::OneSegmenter)
        })?;
        if let Stage::Compose(stage) = &self.stage {
            say("a service is one container, three, two: each is used, no request fails");
            for n in [1, 3, 2] {
                under_load(self.client(), || stage.scale(n)).with_context(|| format!("{n} segmenters"))?;
            }
        }
        say("the only indexer is lost and comes back: it is used again, with its index");
        self.stage.lose(Part::Indexer)?;
        self.stage.bring_back(Part::Indexer)?;
        self.ask("find")?;
        say("the end: everybody leaves by themselves");
        self.stage.stop()
    }

    fn ask(&self, command: &str) -> anyhow::Result<()> {
        shell::run(self.client().arg(command)).with_context(|| command.to_owned())
    }

    fn client(&self) -> Command {
        let mut client = Command::new(&self.client);
        client.args(["--address", &format!("grpc://{}", self.stage.address())]);
        client
    }
}

fn say(act: &str) {
    println!("\n=== {act}");
}

impl Stage {
    /// Host and port of the gateway.
    fn address(&self) -> String {
        match self {
            Self::Compose(stage) => stage.address(),
            Self::Local(stage) => stage.address(),
        }
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Compose(stage) => stage.restart(),
            Self::Local(stage) => stage.restart(),
        }
    }

    /// Kills it without a warning.
    fn lose(&mut self, part: Part) -> anyhow::Result<()> {
        match self {
            Self::Compose(stage) => stage.lose(part),
            Self::Local(stage) => stage.lose(part),
        }
    }

    fn bring_back(&mut self, part: Part) -> anyhow::Result<()> {
        match self {
            Self::Compose(stage) => stage.up(),
            Self::Local(stage) => stage.bring_back(part),
        }
    }

    /// Ends it all; fails if somebody does not end well.
    fn stop(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Compose(stage) => stage.stop(),
            Self::Local(stage) => stage.stop(),
        }
    }

    fn show_logs(&self) {
        match self {
            Self::Compose(stage) => stage.show_logs(),
            Self::Local(stage) => stage.show_logs(),
        }
    }
}
