//! What a process tells about itself while it runs, beside its log.

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
