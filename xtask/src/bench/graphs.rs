//! What an executor in the graph costs: our gateway before chains of them, side by side.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::contender::load;
use super::table::{median, number};
use super::usage::Usage;
use super::{Arguments, Load};
use crate::process::{Process, free_port};
use crate::{shell, workspace};

/// What `--case` is compared with.
pub(super) const NAME: &str = "graphs";

/// Executors in the chain.
const LENGTHS: [usize; 4] = [1, 3, 8, 32];

/// The load of all of them: few enough requests at once that a long chain is not a long queue.
const LOAD: [&str; 4] = ["--payload", "150", "--in-flight", "4"];

/// One chain and its gateway.
struct Chain {
    executors: usize,
    address: String,
    gateway: Process,
    cpu_us: Vec<f64>,
    per_second: Vec<f64>,
}

/// Measures all chains, whose executors are all the one at `executor`, taking turns; the table and the raw figures.
pub(super) fn measure(
    executor: &str,
    directory: &Path,
    arguments: &Arguments,
) -> anyhow::Result<(String, serde_json::Value)> {
    let mut chains = Vec::new();
    for executors in LENGTHS {
        chains.push(Chain::start(executors, executor, &directory.join(NAME))?);
    }
    for chain in &mut chains {
        chain.turn(arguments.seconds / 4.0).context("warming up")?;
    }
    for chain in &mut chains {
        chain.cpu_us.clear();
        chain.per_second.clear();
    }
    for _ in 0..arguments.rounds {
        for chain in &mut chains {
            chain.turn(arguments.seconds)?;
        }
    }
    let figures: Vec<_> = chains.iter().map(Chain::figures).collect();
    let raw = chains.iter().map(|chain| {
        let Chain { executors, cpu_us, per_second, .. } = chain;
        json!({ "executors": executors, "cpu_us_per_request": cpu_us, "per_second": per_second })
    });
    let raw = raw.collect();
    Ok((table(&figures), raw))
}

impl Chain {
    fn start(executors: usize, executor: &str, directory: &Path) -> anyhow::Result<Self> {
        let names: Vec<_> = (0..executors).map(|n| format!("x{n}")).collect();
        let mut graph = serde_json::Map::new();
        let mut previous = "start-gateway";
        for name in names.iter().map(String::as_str).chain(["end-gateway"]) {
            graph.insert(previous.to_owned(), json!([name]));
            previous = name;
        }
        let addresses: serde_json::Map<_, _> =
            names.iter().map(|name| (name.clone(), json!([format!("grpc://{executor}")]))).collect();
        fs::create_dir_all(directory)?;
        let log = fs::File::create(directory.join(format!("{executors}.txt")))?;
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        let mut command = Command::new(workspace::binaries("release").join("gateway"));
        command
            .args(["--host", "127.0.0.1", "--protocol", "GRPC", "--port", &port.to_string()])
            .args(["--graph-description", &serde_json::Value::Object(graph).to_string()])
            .args(["--deployments-addresses", &serde_json::Value::Object(addresses).to_string()])
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut gateway = Process::start("the gateway", &mut command)?;
        let answers = || shell::succeeds(&mut load(&address, &["--seconds", "0.01", "--connections", "1"]));
        gateway.wait_ready(Duration::from_secs(30), answers)?;
        Ok(Self { executors, address, gateway, cpu_us: Vec::new(), per_second: Vec::new() })
    }

    fn turn(&mut self, seconds: f64) -> anyhow::Result<()> {
        let before = Usage::of(self.gateway.id())?;
        let mut load = load(&self.address, &LOAD);
        let printed = shell::output(load.args(["--seconds", &seconds.to_string()]))
            .with_context(|| format!("a chain of {}", self.executors))?;
        let used = Usage::of(self.gateway.id())?.cpu.saturating_sub(before.cpu);
        let load: Load = serde_json::from_str(&printed)?;
        self.cpu_us.push(used.as_secs_f64() * 1e6 / load.answers as f64);
        self.per_second.push(load.per_second);
        Ok(())
    }

    fn figures(&self) -> Figures {
        Figures {
            executors: self.executors,
            cpu_us: median(self.cpu_us.clone()),
            per_second: median(self.per_second.clone()),
        }
    }
}

/// The middle of a chain's rounds.
#[derive(Debug, Clone, Copy)]
struct Figures {
    executors: usize,
    cpu_us: f64,
    per_second: f64,
}

/// What each executor beyond the first costs is what tells whether the cost grows linearly: the first one's row has the
/// client's call in it.
fn table(figures: &[Figures]) -> String {
    let mut table = String::from("### graphs\n\n");
    table.push_str("| executors in a chain | requests/s | CPU µs/request | CPU µs/executor call | CPU µs/further executor |\n");
    table.push_str("| ---: | ---: | ---: | ---: | ---: |\n");
    let first = figures.first().copied();
    for Figures { executors, cpu_us, per_second } in figures {
        let further = first
            .filter(|first| first.executors < *executors)
            .map(|first| (cpu_us - first.cpu_us) / (executors - first.executors) as f64);
        let each = cpu_us / *executors as f64;
        writeln!(
            table,
            "| {executors} | {per_second:.0} | {cpu_us:.1} | {each:.1} | {} |",
            number(further, 1)
        )
        .expect("writing to text cannot fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_executor_is_told_from_further_ones() {
        let figures = |executors, cpu_us| Figures { executors, cpu_us, per_second: 1000.0 };
        let table = table(&[figures(1, 40.0), figures(3, 80.0)]);
        assert!(
            table.ends_with("| 1 | 1000 | 40.0 | 40.0 | – |\n| 3 | 1000 | 80.0 | 26.7 | 20.0 |\n"),
            "{table}"
        );
    }
}
