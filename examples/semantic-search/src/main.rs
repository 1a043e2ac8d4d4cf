//! `flowgate` with the executors of this package and of `search`: the whole Flow, or one part of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    flow::main(&semantic_search::registry())
}
