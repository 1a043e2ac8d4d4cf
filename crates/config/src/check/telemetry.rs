//! Metrics, traces and logs.

use std::path::{Path, PathBuf};

use super::{Context, Settings, network};
use crate::{Exporter, Level, LogLayout, LogSpec, Place, Telemetry};

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

pub(super) fn log(settings: &Settings, context: &mut Context<'_>) -> LogSpec {
    let present = |name: &str| context.env.contains_key(name);
    let (colours, hide) = (!present("JINA_LOG_NO_COLOR"), present("CICD_JINA_DISABLE_HEALTHCHECK_LOGS"));
    LogSpec {
        layout: layout(settings, context),
        level: level(context),
        quiet_error: settings.flag("quiet-error"),
        colours,
        hide_health_checks: hide,
    }
}

/// The variable overrides the argument.
fn layout(settings: &Settings, context: &mut Context<'_>) -> LogLayout {
    let variable = context.env.get("JINA_LOG_CONFIG").filter(|text| !text.is_empty()).cloned();
    let (name, place) = match variable {
        Some(name) => (name, Place::Variable("JINA_LOG_CONFIG".to_owned())),
        None => (settings.owned("log-config").unwrap_or_default(), settings.place("log-config")),
    };
    if settings.flag("quiet") || name.eq_ignore_ascii_case("quiet") {
        return LogLayout::Quiet;
    }
    let path = PathBuf::from(&name);
    let is_file = path.is_file();
    let built_in = name.strip_prefix("logging.").and_then(|rest| rest.strip_suffix(".yml")).unwrap_or(&name);
    match built_in {
        _ if is_file => LogLayout::File(path),
        "" | "default" => LogLayout::Default,
        "plain" => LogLayout::Plain,
        "json" => LogLayout::Json,
        "docker" => LogLayout::Docker,
        "remote" => LogLayout::Remote,
        "profile" => LogLayout::Profile,
        "quiet" => LogLayout::Quiet,
        _ => {
            let is_path = Path::new(&name).extension().is_some() || name.contains('/');
            if is_path {
                return LogLayout::File(context.file(path, &place));
            }
            let what = "default, plain, json, docker, remote, profile, quiet or a file";
            context.expected(place, what, &name.into());
            LogLayout::Default
        }
    }
}

fn level(context: &mut Context<'_>) -> Option<Level> {
    let text = context.env.get("JINA_LOG_LEVEL").filter(|text| !text.is_empty())?;
    match text.to_ascii_uppercase().as_str() {
        "DEBUG" => Some(Level::Debug),
        "INFO" => Some(Level::Info),
        "SUCCESS" => Some(Level::Success),
        "WARNING" => Some(Level::Warning),
        "ERROR" => Some(Level::Error),
        "CRITICAL" => Some(Level::Critical),
        _ => {
            let what = "one of DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL";
            let found = text.as_str().into();
            context.expected(Place::Variable("JINA_LOG_LEVEL".to_owned()), what, &found);
            None
        }
    }
}
