//! The gateway as a process.

use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use config::{Command, GatewaySpec, Level, LogLayout, LogSpec, Parsed, Warning};
use server::log::{Format, Log, LogError};
use server::{Outcome, Signal, Signals, Workers, tls};
use tokio::runtime::Builder;
use tracing::level_filters::LevelFilter;
use tracing::{error, info, warn};

use crate::{Settings, StartError, start};

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
            problems.iter().for_each(|problem| complain(problem));
            ExitCode::from(2)
        }
    }
}

/// Runs a gateway until it is told to stop. `warnings` are those of its configuration, for the log.
#[must_use]
pub fn run(spec: GatewaySpec, warnings: &[Warning]) -> ExitCode {
    if let Err(error) = start_log(&spec.log) {
        complain(&error);
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
            complain(&error);
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
        let signals = Signals::new().map_err(refused("signals"))?;
        let running = start(settings, workers)?;
        let stop = stop_signal(signals, running.tls().cloned());
        running.run(stop).await
    })
}

/// Reloads certificates when asked to; ends when the process is told to stop.
pub async fn stop_signal(mut signals: Signals, tls: Option<tls::Acceptor>) {
    loop {
        match (signals.next().await, &tls) {
            (Signal::Stop, _) => break,
            (Signal::Reload, None) => {}
            (Signal::Reload, Some(tls)) => match tls.reload() {
                Ok(()) => info!("certificates reloaded"),
                Err(error) => {
                    let error: &dyn Error = &error;
                    error!(error, "new certificates are wrong, the old ones stay in use");
                }
            },
        }
    }
    info!("draining");
}

/// Says why the process ends where somebody will read it, whatever the log is.
fn complain(error: &dyn Error) {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    // If nobody listens there is nobody to tell.
    let _unheard = writeln!(io::stderr(), "gateway: {text}");
}

/// Sends the log of the process where `spec` says, from now on.
///
/// # Errors
///
/// If the environment has other wishes that are not valid, or there is a log already.
pub fn start_log(spec: &LogSpec) -> Result<(), LogError> {
    log(spec).map_or(Ok(()), server::log::init)
}

fn log(spec: &LogSpec) -> Option<Log> {
    let level = match spec.level.unwrap_or(Level::Info) {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info | Level::Success => LevelFilter::INFO,
        Level::Warning => LevelFilter::WARN,
        Level::Error | Level::Critical => LevelFilter::ERROR,
    };
    let format = match &spec.layout {
        LogLayout::Quiet => return None,
        LogLayout::Json => Format::Json,
        LogLayout::Default | LogLayout::Docker => {
            Format::Text { colours: spec.colours && io::stdout().is_terminal() }
        }
        LogLayout::Plain | LogLayout::Remote | LogLayout::Profile | LogLayout::File(_) => {
            Format::Text { colours: false }
        }
    };
    Some(Log { level, format })
}
