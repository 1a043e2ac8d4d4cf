//! Metrics and traces.

use super::{Settings, network};
use crate::{Exporter, Telemetry};

pub(super) fn telemetry(settings: &Settings) -> Telemetry {
    let exporter = |switch: &str, host: &str, port: &str| {
        settings.flag(switch).then(|| Exporter { host: settings.owned(host), port: settings.port(port) })
    };
    let monitoring = settings.ports("port-monitoring").first().copied();
    Telemetry {
        monitoring: settings.flag("monitoring").then(|| network::port(monitoring)),
        traces: exporter("tracing", "traces-exporter-host", "traces-exporter-port"),
        metrics: exporter("metrics", "metrics-exporter-host", "metrics-exporter-port"),
    }
}
