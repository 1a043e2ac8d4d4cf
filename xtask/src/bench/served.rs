//! Executors under load, side by side and taking turns.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::contender::load;
use super::table::{median, optional_median};
use super::usage::Usage;
use super::{Arguments, Load, Round, mib};
use crate::process::{Process, free_port};
use crate::shell;

/// How long one may take to load its class.
const PATIENCE: Duration = Duration::from_secs(90);

/// An executor that runs.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) name: &'static str,
    address: String,
    process: Process,
}

/// The middle of its rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) name: &'static str,
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) cpu_us: f64,
    pub(super) resident_mib: f64,
}

impl Served {
    /// Starts `command` on a free port and waits until it answers; what it says goes to `directory`.
    pub(super) fn start(name: &'static str, mut command: Command, directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(format!("{}.txt", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
        let log = fs::File::create(&path)?;
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        command
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .env("JINA_LOG_LEVEL", "WARNING")
            .env("JINA_OPTOUT_TELEMETRY", "1")
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut process = Process::start(name, &mut command)?;
        let answers = || shell::succeeds(&mut load(&address, &["--seconds", "0.01", "--connections", "1"]));
        let ready = process.wait_ready(PATIENCE, answers);
        ready.with_context(|| format!("what it said is in {}", path.display()))?;
        Ok(Self { name, address, process })
    }

    fn turn(&self, arguments: &[&str], seconds: f64) -> anyhow::Result<Round> {
        let before = Usage::of(self.process.id())?;
        let mut load = load(&self.address, arguments);
        let printed = shell::output(load.args(["--seconds", &seconds.to_string()])).context(self.name)?;
        let after = Usage::of(self.process.id())?;
        let load: Load = serde_json::from_str(&printed)?;
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6;
        Ok(Round {
            cpu_us_per_request: Some(cpu / load.answers as f64),
            resident_mib: Some(mib(after.resident)),
            load,
        })
    }
}

/// All rounds of `all` under the same load, interleaved; the middle of them and all of them.
pub(super) fn measure(
    all: &[Served],
    load: &[&str],
    arguments: &Arguments,
) -> anyhow::Result<(Vec<Figures>, Value)> {
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); all.len()];
    for served in all {
        served.turn(load, arguments.seconds / 4.0).context("warming up")?;
    }
    for _ in 0..arguments.rounds {
        for (served, rounds) in all.iter().zip(&mut rounds) {
            rounds.push(served.turn(load, arguments.seconds)?);
        }
    }
    let figures = all.iter().zip(&rounds).map(|(served, rounds)| Figures::of(served.name, rounds)).collect();
    let mut raw = Map::new();
    for (served, rounds) in all.iter().zip(&rounds) {
        raw.insert(served.name.to_owned(), serde_json::to_value(rounds)?);
    }
    Ok((figures, raw.into()))
}

impl Figures {
    fn of(name: &'static str, rounds: &[Round]) -> Self {
        let middle = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        let optional =
            |value: fn(&Round) -> Option<f64>| optional_median(rounds.iter().map(value)).unwrap_or(f64::NAN);
        Self {
            name,
            per_second: middle(&|round| round.load.per_second),
            p50_us: middle(&|round| round.load.p50_us as f64),
            p99_us: middle(&|round| round.load.p99_us as f64),
            cpu_us: optional(|round| round.cpu_us_per_request),
            resident_mib: optional(|round| round.resident_mib),
        }
    }
}
