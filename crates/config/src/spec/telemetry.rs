//! What a process tells about itself while it runs.

use std::path::PathBuf;

use super::Port;

/// Metrics and traces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Telemetry {
    /// The port of the Prometheus endpoint, if there is to be one.
    pub monitoring: Option<Port>,
    /// Where traces are sent, if they are.
    pub traces: Option<Exporter>,
    /// Where metrics are sent, if they are.
    pub metrics: Option<Exporter>,
}

/// An OTLP collector. What is missing comes from the `OTEL_*` variables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exporter {
    /// Its host, with a scheme or without.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

/// How a process logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSpec {
    /// Where to, and in what form.
    pub layout: LogLayout,
    /// Overrides the level of the layout.
    pub level: Option<Level>,
    /// No stack traces with errors.
    pub quiet_error: bool,
    /// Whether escape sequences for colours may be written.
    pub colours: bool,
    /// Whether access lines of health checks are left out.
    pub hide_health_checks: bool,
}

/// The form of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLayout {
    /// Nothing at all.
    Quiet,
    /// For a terminal.
    Default,
    /// Plain lines.
    Plain,
    /// One JSON object for each line.
    Json,
    /// For a terminal, and the system's log.
    Docker,
    /// Plain lines, and the system's log.
    Remote,
    /// The system's log only.
    Profile,
    /// As a layout file says.
    File(PathBuf),
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
