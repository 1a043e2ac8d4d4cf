//! `cargo xtask bench`: our gateway and others before the same executor, in one run, taking turns; and executors.
//!
//! The figure that matters is the processor time that a gateway uses for a request: on a machine whose cores
//! are shared with the load and the executor, it says more than requests per second do.

mod batching;
mod codec;
mod contender;
mod executors;
mod graphs;
mod report;
mod served;
mod table;
mod usage;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use self::contender::{Contender, Kind, Protocol, load};
use self::report::Report;
use self::table::Summary;
use self::usage::Usage;
use crate::process::Process;
use crate::{shell, workspace};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Who takes part.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    contenders: Vec<Kind>,
    /// How often each of them takes its turn in each case.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds for each turn.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only the cases whose names contain this.
    #[arg(long, default_value = "")]
    case: String,
}

/// One kind of load.
struct Case {
    name: &'static str,
    load: &'static [&'static str],
}

/// Cases over gRPC, which everyone takes part in.
const CASES: [Case; 6] = [
    Case { name: "150 B, unary", load: &["--payload", "150", "--call", "unary"] },
    Case { name: "150 B, stream", load: &["--payload", "150", "--call", "stream"] },
    Case { name: "200 kB, unary", load: &["--payload", "200000", "--call", "unary", "--in-flight", "4"] },
    Case { name: "200 kB, stream", load: &["--payload", "200000", "--call", "stream", "--in-flight", "4"] },
    Case { name: "4 MB, unary", load: &["--payload", "4000000", "--call", "unary", "--in-flight", "1"] },
    Case { name: "4 MB, stream", load: &["--payload", "4000000", "--call", "stream", "--in-flight", "1"] },
];

/// JSON over HTTP/1.1: gateways that make documents of it, and JSON of documents.
const HTTP_CASES: [Case; 2] = [
    Case { name: "150 B, HTTP", load: &["--payload", "150", "--call", "http", "--in-flight", "4"] },
    Case { name: "200 kB, HTTP", load: &["--payload", "200000", "--call", "http", "--in-flight", "1"] },
];

/// What the load generator reports.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Load {
    answers: u64,
    seconds: f64,
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
}

/// One turn of one contender.
#[derive(Debug, Clone, serde::Serialize)]
struct Round {
    load: Load,
    cpu_us_per_request: Option<f64>,
    resident_mib: Option<f64>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--locked", "--package", "bench", "--package", "executor"]);
    if arguments.contenders.contains(&Kind::Flowgate) {
        build.args(["--package", "gateway"]);
    }
    shell::run(&mut build)?;
    let directory = workspace::target().join("bench");
    fs::create_dir_all(&directory)?;
    let mut executor = Process::start(
        "the executor",
        Command::new(workspace::binaries("release").join("bench")).arg("executor").stdout(Stdio::piped()),
    )?;
    let executor = (executor.first_line()?, executor);
    let mut report = Report::default();
    for (protocol, cases) in [(Protocol::Grpc, &CASES[..]), (Protocol::Http, &HTTP_CASES[..])] {
        let cases: Vec<_> = cases.iter().filter(|case| case.name.contains(&arguments.case)).collect();
        if cases.is_empty() {
            continue;
        }
        let contenders = start(protocol, &executor.0, &directory, arguments, &mut report)?;
        for case in cases {
            let (summaries, rounds) = measure(case, &contenders, arguments)?;
            report.case(case.name, &summaries, &rounds);
        }
    }
    if arguments.contenders.contains(&Kind::Flowgate) && graphs::NAME.contains(&arguments.case) {
        report.section(graphs::NAME, graphs::measure(&executor.0, &directory, arguments)?);
    }
    if executors::NAME.contains(&arguments.case) {
        report.section(executors::NAME, executors::measure(&directory, arguments)?);
    }
    if batching::NAME.contains(&arguments.case) {
        report.section(batching::NAME, batching::measure(&directory, arguments)?);
    }
    if codec::NAME.contains(&arguments.case) {
        report.section(codec::NAME, codec::measure()?);
    }
    report.write(&directory)
}

/// Starts those who can speak it.
fn start(
    protocol: Protocol,
    executor: &str,
    directory: &Path,
    arguments: &Arguments,
    report: &mut Report,
) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for kind in arguments.contenders.iter().filter(|kind| kind.speaks(protocol)) {
        if !kind.is_installed() {
            println!("{} is left out: it is not installed", kind.name());
            continue;
        }
        let contender = kind.start(protocol, executor, directory)?;
        let at_rest = contender.id().map(Usage::of).transpose()?.map(|usage| mib(usage.resident));
        let version = kind.version()?;
        let memory = at_rest.map_or_else(String::new, |mib| format!(", {mib:.0} MiB at rest"));
        println!("{}: {version}{memory}", kind.name());
        report.contender(kind.name(), &version, at_rest);
        contenders.push(contender);
    }
    Ok(contenders)
}

/// All turns in one case. They are interleaved, so that what disturbs the machine disturbs all alike.
fn measure(
    case: &Case,
    contenders: &[Contender],
    arguments: &Arguments,
) -> anyhow::Result<(Vec<Summary>, serde_json::Map<String, serde_json::Value>)> {
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); contenders.len()];
    for contender in contenders {
        turn(case, contender, arguments.seconds / 4.0).context("warming up")?;
    }
    for _ in 0..arguments.rounds {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            rounds.push(turn(case, contender, arguments.seconds)?);
        }
    }
    let each = || contenders.iter().zip(&rounds);
    let summaries = each().map(|(contender, rounds)| Summary::of(contender.kind, rounds)).collect();
    let raw = each()
        .map(|(contender, rounds)| Ok((contender.kind.name().to_owned(), serde_json::to_value(rounds)?)))
        .collect::<serde_json::Result<_>>()?;
    Ok((summaries, raw))
}

/// The load checks every answer, so a contender that changes or loses documents fails here.
fn turn(case: &Case, contender: &Contender, seconds: f64) -> anyhow::Result<Round> {
    let used = || contender.id().map(Usage::of).transpose();
    let before = used()?;
    let mut load = load(&contender.address, case.load);
    let printed = shell::output(load.args(["--seconds", &seconds.to_string()]))
        .with_context(|| format!("{}: {}", contender.kind.name(), case.name))?;
    let after = used()?;
    let load: Load = serde_json::from_str(&printed)?;
    let cpu = before.zip(after).map(|(before, after)| after.cpu.saturating_sub(before.cpu));
    Ok(Round {
        cpu_us_per_request: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / load.answers as f64),
        resident_mib: after.map(|after| mib(after.resident)),
        load,
    })
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
