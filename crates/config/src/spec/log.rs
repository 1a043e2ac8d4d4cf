//! How a process logs.

mod template;

use std::time::Duration;

pub use template::{Align, Field, Piece, Template, TemplateError};

/// How a process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSpec {
    /// Who logs.
    pub name: String,
    /// The least important lines that are written.
    pub level: Level,
    /// Where they are written; without any, nothing is.
    pub handlers: Vec<LogHandler>,
    /// No stack traces with errors.
    pub quiet_error: bool,
    /// Whether escape sequences for colours may be written.
    pub colours: bool,
    /// Whether each request over HTTP is a line.
    pub access: bool,
    /// Whether access lines of health checks are left out.
    pub hide_health_checks: bool,
}

/// A place to which lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHandler {
    /// Where.
    pub target: LogTarget,
    /// How they look there.
    pub form: LineForm,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// A file that grows.
    File {
        /// Its name.
        path: Template,
    },
    /// A file that is put aside when it is full: `x.log.1` is the youngest of those.
    SizedFile {
        /// Its name.
        path: Template,
        /// When it is full; 0 is never.
        max_bytes: u64,
        /// How many are kept.
        backups: usize,
    },
    /// A file that is put aside after some time, with the date behind its name.
    TimedFile {
        /// Its name.
        path: Template,
        /// After how long.
        every: LogPeriod,
        /// How many are kept; 0 keeps all.
        backups: usize,
    },
    /// The system's log.
    Syslog {
        /// Stands before each line.
        ident: String,
        /// Where it is, by UDP; `None` is this machine's.
        address: Option<(String, u16)>,
    },
}

/// When a file is put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPeriod {
    /// This long after it was begun.
    Every {
        /// How long.
        period: Duration,
        /// The date behind the name of what is put aside, as `strftime` has it.
        suffix: &'static str,
    },
    /// At midnight, after so many days.
    Midnight {
        /// How many.
        days: u32,
    },
    /// At the midnight that ends a weekday; 0 is Monday.
    Weekday(u8),
}

/// How lines look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineForm {
    /// One JSON object each.
    Json,
    /// As a template says.
    Text {
        /// The template.
        template: Template,
        /// Without escape sequences, and messages cut where others end as well.
        plain: bool,
    },
    /// For people at a terminal.
    Terminal {
        /// The template of what follows time and level.
        template: Template,
        /// Whether the level is shown.
        level: bool,
        /// How the time is shown, as `strftime` has it, if it is.
        time: Option<String>,
    },
}

/// How important a line of the log must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Debug,
    /// News.
    Info,
    /// Good news.
    Success,
    /// Unexpected, but handled.
    Warning,
    /// Someone must act.
    Error,
    /// The process cannot go on.
    Critical,
}

impl Level {
    /// All of them, the least important first.
    pub const ALL: [Self; 6] =
        [Self::Debug, Self::Info, Self::Success, Self::Warning, Self::Error, Self::Critical];

    /// As Python spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Success => "SUCCESS",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// As Python numbers it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Debug => 10,
            Self::Info => 20,
            Self::Success => 25,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Critical => 50,
        }
    }

    /// The level of a name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}
