//! `cargo xtask COMMAND`: what developers and CI run.
//!
//! One file for each command, with a `run`. The tool depends on nothing of the workspace, so it builds in
//! seconds and works when the rest does not.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to its user")]

mod bench;
mod browser;
mod ci;
mod e2e;
mod images;
mod manifests;
mod node;
mod process;
mod python;
mod renderers;
mod shell;
mod test;
mod tidy;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, checks, tests and measures the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Our gateway and others before the same executor: requests per second, latency, processor time.
    Bench(bench::Arguments),
    /// Everything that CI checks.
    Ci(ci::Arguments),
    /// The search Flow as it is deployed, in containers or processes, through restarts and losses.
    E2e(e2e::Arguments),
    /// The container images.
    Images(images::Arguments),
    /// What is written for Kubernetes, against its schemas and itself.
    Manifests,
    /// Every test that needs no container engine, the interop suite with Python included.
    Test(test::Arguments),
    /// The rules of the style guide that no compiler checks.
    Tidy,
    /// Builds a Flow and runs it on this machine.
    Up(up::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Ci(arguments) => ci::run(&arguments),
        Command::E2e(arguments) => e2e::run(&arguments),
        Command::Images(arguments) => images::run(&arguments),
        Command::Manifests => manifests::run(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Tidy => tidy::run(),
        Command::Up(arguments) => up::run(&arguments),
    }
}
