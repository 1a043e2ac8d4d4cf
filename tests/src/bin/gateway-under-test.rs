//! The program `gateway`, built together with the tests that run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway::main(std::env::args().skip(1))
}
