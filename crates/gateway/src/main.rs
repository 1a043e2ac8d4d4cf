//! The gateway process: `gateway [FLAGS]`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use config::Command;

/// Buffers of requests come and go in every size and on every thread, which the system's allocator pays for
/// with memory that it never gives back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let argv: Vec<String> = ["gateway".to_owned()].into_iter().chain(std::env::args().skip(1)).collect();
    let parsed = match config::command(&argv, &config::process_environment()) {
        Ok(parsed) => parsed,
        Err(problems) => {
            for problem in problems {
                // If nobody listens there is nobody to tell.
                let _unheard = writeln!(io::stderr(), "gateway: {problem}");
            }
            return ExitCode::from(2);
        }
    };
    match parsed.command {
        Command::Gateway(spec) => gateway::run(*spec, &parsed.warnings),
        Command::Help(help) => {
            let _unheard = writeln!(io::stdout(), "{}", help.text);
            ExitCode::SUCCESS
        }
        Command::Executor(_)
        | Command::Flow(_)
        | Command::Ping(_)
        | Command::Export(_)
        | Command::Check(_)
        | Command::Version(_) => {
            let _unheard = writeln!(io::stderr(), "gateway: this program is a gateway only, see `flowgate`");
            ExitCode::from(2)
        }
    }
}
