//! The gateway process: `gateway [FLAGS]`.

use std::process::ExitCode;

/// Buffers of requests come and go in every size and on every thread, which the system's allocator pays for
/// with memory that it never gives back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    info::name_allocator("mimalloc");
    gateway::main(std::env::args().skip(1))
}
