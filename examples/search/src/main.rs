//! `flowgate` with the executors of this package: runs the whole Flow (`search flow --uses flow.yml`), or one
//! part of it (`search executor --uses Indexer`, `search gateway …`).

use std::process::ExitCode;

fn main() -> ExitCode {
    flow::main(&search::registry())
}
