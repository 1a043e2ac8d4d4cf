//! The two ends between which `cargo xtask bench` puts gateways: an executor that does nothing but answer, and
//! a load generator that counts and times the answers.
#![expect(clippy::print_stdout, reason = "both commands answer on their standard output")]

mod executor;
mod load;
mod sample;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers every request with what it was sent; prints its address once it can be called.
    Executor(executor::Arguments),
    /// Calls an address as fast as it answers; prints what came of it as JSON.
    Load(load::Arguments),
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Arguments::parse().command {
        Command::Executor(arguments) => runtime.block_on(executor::run(arguments)),
        Command::Load(arguments) => {
            let report = runtime.block_on(load::within_reason(&arguments))?;
            println!("{}", serde_json::to_string(&report)?);
            Ok(())
        }
    }
}
