//! Where the lines of the log go.

use std::io::{self, IsTerminal as _};

use config::{Level, LogLayout, LogSpec};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer, fmt};

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The least important level that is shown.
    pub level: LevelFilter,
    /// How lines look.
    pub format: Format,
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, in colours if wanted.
    Text {
        /// Whether escape sequences may be written.
        colours: bool,
    },
    /// One JSON object a line.
    Json,
}

/// The log cannot be written as wanted.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The variable holds no directives.
    #[error("the variable RUST_LOG is not valid: `target=level,…` is expected")]
    Directives(#[source] ParseError),
    /// Only one log can be had in a process.
    #[error("the process has a log already")]
    Twice(#[source] TryInitError),
}

/// Libraries whose debugging news is for their own developers; `RUST_LOG` shows it.
const QUIET: [&str; 6] = ["h2", "hyper", "hyper_util", "rustls", "tokio_util", "tower"];

/// Sends the log of the process where its configuration says, from now on.
///
/// # Errors
///
/// If the environment has other wishes that are not valid, or there is a log already.
pub fn start(spec: &LogSpec) -> Result<(), LogError> {
    of_spec(spec).map_or(Ok(()), init)
}

fn of_spec(spec: &LogSpec) -> Option<Log> {
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

/// Sends the log of the process to its standard output from now on. `RUST_LOG`, where it is set, says what is
/// shown instead of `log.level`.
///
/// # Errors
///
/// If `RUST_LOG` is not valid, or there is a log already.
pub fn init(log: Log) -> Result<(), LogError> {
    let directives = std::env::var("RUST_LOG").ok().filter(|directives| !directives.is_empty());
    let targets = targets(log.level, directives.as_deref()).map_err(LogError::Directives)?;
    let lines = fmt::layer().with_writer(std::io::stdout);
    let lines = match log.format {
        Format::Text { colours } => lines.with_ansi(colours).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets)).try_init().map_err(LogError::Twice)
}

fn targets(level: LevelFilter, directives: Option<&str>) -> Result<Targets, ParseError> {
    match directives {
        Some(directives) => directives.parse(),
        None => {
            let quiet = level.min(LevelFilter::INFO);
            Ok(Targets::new().with_targets(QUIET.map(|name| (name, quiet))).with_default(level))
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_are_quiet_unless_asked_for() {
        let check = |level, directives, target: &str, at, want| {
            let targets = targets(level, directives).unwrap();
            assert_eq!(targets.would_enable(target, &at), want, "{target} {at}");
        };
        check(LevelFilter::DEBUG, None, "routing", Level::DEBUG, true);
        check(LevelFilter::DEBUG, None, "h2::proto", Level::DEBUG, false);
        check(LevelFilter::DEBUG, None, "h2::proto", Level::INFO, true);
        check(LevelFilter::WARN, None, "h2", Level::INFO, false);
        check(LevelFilter::WARN, Some("h2=trace"), "h2", Level::TRACE, true);
        check(LevelFilter::OFF, None, "gateway", Level::ERROR, false);
        assert!(targets(LevelFilter::INFO, Some("h2=loud")).is_err());
    }
}
