//! Where the lines of the log go, and what they look like there.

mod files;
mod handler;
mod record;
mod syslog;

use std::io;
use std::path::PathBuf;

use config::{Level, LogSpec};
use tracing::level_filters::LevelFilter;
use tracing::{Span, error_span};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use handler::Lines;

/// The log cannot be written as wanted.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The variable holds no directives.
    #[error("the variable RUST_LOG is not valid: `target=level,…` is expected")]
    Directives(#[source] ParseError),
    /// A file cannot be written.
    #[error("the log cannot be written to {file}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Only one log can be had in a process.
    #[error("the process has a log already")]
    Twice(#[source] TryInitError),
}

/// The field of [`named`] spans.
const NAME: &str = "log_name";

/// What is logged inside is logged by `name`, where several share the log of a process.
#[must_use]
pub fn named(name: &str) -> Span {
    // Spans below the level of the log are not there.
    error_span!("named", log_name = name)
}

/// Libraries whose debugging news is for their own developers; `RUST_LOG` shows it.
const QUIET: [&str; 6] = ["h2", "hyper", "hyper_util", "rustls", "tokio_util", "tower"];

/// Libraries whose news, bad ones included, are told in our own words; `RUST_LOG` shows theirs.
const SILENT: [&str; 1] = ["openraft"];

/// Sends the log of the process where its configuration says, from now on. `RUST_LOG`, where it is set, says what
/// is shown instead of the level.
///
/// # Errors
///
/// If the environment has other wishes that are not valid, a file cannot be written, or there is a log already.
pub fn start(spec: &LogSpec) -> Result<(), LogError> {
    if spec.handlers.is_empty() {
        return Ok(());
    }
    let directives = std::env::var("RUST_LOG").ok().filter(|directives| !directives.is_empty());
    let targets = targets(filter(spec.level), directives.as_deref()).map_err(LogError::Directives)?;
    let lines = Lines::open(spec)?.with_filter(targets);
    tracing_subscriber::registry().with(lines).try_init().map_err(LogError::Twice)
}

/// There are no good news and no critical ones here, so what is wanted from those on is wanted from the next on.
const fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Success | Level::Warning => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
        Level::Critical => LevelFilter::OFF,
    }
}

fn targets(level: LevelFilter, directives: Option<&str>) -> Result<Targets, ParseError> {
    match directives {
        Some(directives) => directives.parse(),
        None => {
            let quiet = level.min(LevelFilter::INFO);
            let silent = SILENT.map(|name| (name, LevelFilter::OFF));
            let quiet = QUIET.map(|name| (name, quiet));
            Ok(Targets::new().with_targets(quiet).with_targets(silent).with_default(level))
        }
    }
}

#[cfg(test)]
mod tests;
