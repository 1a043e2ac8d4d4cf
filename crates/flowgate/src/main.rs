//! One program for everything, with no executors but the one that hands documents through.

use std::process::ExitCode;

use executor_runtime::Registry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    info::name_allocator("mimalloc");
    flow::main(&Registry::new())
}
