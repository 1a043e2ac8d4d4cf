//! The gateway as a process.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use config::{Command, GatewaySpec, Parsed, Warning};
use server::{Outcome, Signals, Workers, complain};
use tokio::runtime::Builder;
use tracing::warn;

use crate::{Settings, StartError, start};

/// What it is called in its last words.
const NAME: &str = "gateway";

/// The program `gateway` with the arguments after its name.
#[must_use]
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let argv: Vec<String> = ["gateway".to_owned()].into_iter().chain(arguments).collect();
    match config::command(&argv, &config::process_environment()) {
        Ok(Parsed { command: Command::Gateway(spec), warnings }) => run(*spec, &warnings),
        Ok(Parsed { command: Command::Help(help), .. }) => {
            // If nobody listens there is nobody to tell.
            let _unheard = writeln!(io::stdout(), "{}", help.text);
            ExitCode::SUCCESS
        }
        Ok(_) => unreachable!("the arguments of a gateway make a gateway, or ask for help"),
        Err(problems) => {
            problems.iter().for_each(|problem| complain(NAME, problem));
            ExitCode::from(2)
        }
    }
}

/// Runs a gateway until it is told to stop. `warnings` are those of its configuration, for the log.
#[must_use]
pub fn run(spec: GatewaySpec, warnings: &[Warning]) -> ExitCode {
    if let Err(error) = server::log::start(&spec.log) {
        complain(NAME, &error);
        return ExitCode::from(2);
    }
    for warning in warnings {
        warn!(%warning, "the configuration is doubtful");
    }
    match Settings::try_from(spec).map_err(StartError::Settings).and_then(serve) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::CutOff { tasks }) => {
            warn!(tasks, "calls in flight were cut off");
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(NAME, &error);
            error.exit_code()
        }
    }
}

fn serve(settings: Settings) -> Result<Outcome, StartError> {
    let refused = |what| move |source| StartError::System { what, source };
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let workers = settings.workers.unwrap_or_else(cores);
    let workers = Arc::new(Workers::start(workers.get()).map_err(refused("threads"))?);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(refused("a runtime"))?;
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(refused("signals"))?;
        let running = start(settings, workers)?;
        let tls = running.tls().cloned();
        running.run(async move { signals.stopped(tls).await }).await
    })
}
