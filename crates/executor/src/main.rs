//! The executor that hands documents through, as a program. Programs with executors of their own look the same.

use std::process::ExitCode;

use executor_runtime::Registry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    info::name_allocator("mimalloc");
    executor::main(&Registry::new())
}
