//! `cargo xtask e2e`: the search Flow as it is deployed, gateway and executors apart, through what happens to
//! deployments: restarts, lost replicas, the end.

mod compose;
mod local;

use std::fs;
use std::process::Command;

use anyhow::Context as _;

use self::compose::Compose;
use self::local::Local;
use crate::process::Process;
use crate::python::Environment;
use crate::{shell, workspace};

/// Where to run it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// As processes on this machine instead of containers.
    #[arg(long)]
    local: bool,
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
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--locked", "--package", "e2e", "--package", "search"]);
    shell::run(build.args(["--package", "flowgate"]))?;
    let python = Environment::of("interop", "tests/interop/requirements.txt")?;
    let mut stage = if arguments.local {
        Stage::Local(Box::new(Local::start()?))
    } else {
        Stage::Compose(Compose::start()?)
    };
    let outcome = play(&mut stage, &python);
    if outcome.is_err() {
        stage.show_logs();
    }
    outcome?;
    println!("end to end: 1 passed, 0 failed");
    Ok(())
}

fn play(stage: &mut Stage, python: &Environment) -> anyhow::Result<()> {
    let address = stage.address();
    let ask = |command: &str| shell::run(client(&address).arg(command)).with_context(|| command.to_owned());
    say("requests");
    ask("fill")?;
    ask("find")?;
    let mut client = workspace::in_root(python.program("python"));
    shell::run(client.args(["-W", "ignore", "tests/e2e/search.py", &address]))?;
    say("everything is restarted: the index is kept");
    stage.restart()?;
    ask("find")?;
    say("a replica is lost and comes back: no request fails");
    under_load(&address, || {
        stage.lose(Part::OneSegmenter)?;
        stage.bring_back(Part::OneSegmenter)
    })?;
    say("the only indexer is lost and comes back: it is used again, with its index");
    stage.lose(Part::Indexer)?;
    stage.bring_back(Part::Indexer)?;
    ask("find")?;
    say("the end: everybody leaves by themselves");
    stage.stop()
}

/// Searches without a pause while `what` happens, and a little longer.
fn under_load(address: &str, what: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let end = workspace::target().join("e2e/end-of-load");
    fs::create_dir_all(end.parent().context("a file lies in a directory")?)?;
    if end.exists() {
        fs::remove_file(&end)?;
    }
    let mut load = Process::start("the load", client(address).args(["load", "--until"]).arg(&end))?;
    let happened = what();
    fs::write(&end, "")?;
    let ended = load.wait()?;
    happened?;
    anyhow::ensure!(ended.success(), "requests failed meanwhile: {ended}");
    Ok(())
}

fn client(address: &str) -> Command {
    let mut client = Command::new(workspace::binaries("release").join("e2e"));
    client.args(["--address", &format!("grpc://{address}")]);
    client
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
