//! gRPC options by their names.

use serde_json::Value;

use super::{Context, Settings};
use crate::{GrpcOption, GrpcOptions, Warning};

/// Which end of connections options are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Server,
    Channel,
}

/// What has a counterpart at both ends.
const BOTH: &[&str] = &[
    "grpc.max_send_message_length",
    "grpc.max_receive_message_length",
    "grpc.keepalive_time_ms",
    "grpc.keepalive_timeout_ms",
    "grpc.max_metadata_size",
    "grpc.absolute_max_metadata_size",
    "grpc.http2.max_frame_size",
    "grpc.http2.lookahead_bytes",
];

const SERVER: &[&str] = &[
    "grpc.max_concurrent_streams",
    "grpc.max_connection_age_ms",
    "grpc.max_connection_age_grace_ms",
    "grpc.max_connection_idle_ms",
];

const CHANNEL: &[&str] = &[
    "grpc.keepalive_permit_without_calls",
    "grpc.http2.max_pings_without_data",
    "grpc.ssl_target_name_override",
    "grpc.default_authority",
    "grpc.primary_user_agent",
    "grpc.initial_reconnect_backoff_ms",
    "grpc.min_reconnect_backoff_ms",
    "grpc.max_reconnect_backoff_ms",
];

/// Those of them that are names; all others are numbers or switches.
const NAMES: &[&str] =
    &["grpc.ssl_target_name_override", "grpc.default_authority", "grpc.primary_user_agent"];

/// Recognised and left alone without a word: they ask for what is so anyway, or never had an effect.
const QUIET: &[&str] = &[
    "grpc.http2.min_ping_interval_without_data_ms",
    "grpc.http2.min_recv_ping_interval_without_data_ms",
    "grpc.http2.min_time_between_pings_ms",
    "grpc.http2.max_ping_strikes",
    "grpc.http1.max_pings_without_data",
    "grpc.http1.min_time_between_pings_ms",
    "grpc.http1.min_ping_interval_without_data_ms",
    "grpc.enable_retries",
    "grpc.service_config",
    "grpc.lb_policy_name",
    "grpc.so_reuseport",
];

/// The options with an effect; one warning for each of the others.
pub(super) fn options(
    settings: &Settings,
    context: &mut Context<'_>,
    argument: &str,
    end: End,
) -> GrpcOptions {
    let (known, only_there): (_, &[&str]) = match end {
        End::Server => (SERVER, CHANNEL),
        End::Channel => (CHANNEL, SERVER),
    };
    let place = settings.place(argument);
    let mut options = GrpcOptions::default();
    for (name, value) in settings.object(argument) {
        let option = match &value {
            Value::Number(number) if number.is_i64() => number.as_i64().map(GrpcOption::Number),
            Value::Bool(on) => Some(GrpcOption::Number(i64::from(*on))),
            Value::String(text) => Some(GrpcOption::Text(text.clone())),
            Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
                context.expected(place.within(&name), "a whole number, a switch or a text", &value);
                None
            }
        };
        let is_known = BOTH.contains(&name.as_str()) || known.contains(&name.as_str());
        if is_known && let Some(what) = mistaken(&name, option.as_ref()) {
            context.expected(place.within(&name), what, &value);
            continue;
        }
        // Servers answer pings and send them whether there are calls or not, which is what these ask for.
        let as_it_is = end == End::Server
            && matches!(&option, Some(GrpcOption::Number(n)) if
                (name == "grpc.keepalive_permit_without_calls" && *n != 0)
                    || (name == "grpc.http2.max_pings_without_data" && *n == 0));
        if QUIET.contains(&name.as_str()) || as_it_is {
            continue;
        }
        if !is_known {
            let why = match (only_there.contains(&name.as_str()), end) {
                (true, End::Server) => "this gRPC option is for channels",
                (true, End::Channel) => "this gRPC option is for servers",
                (false, _) => "this gRPC option has no counterpart",
            };
            context.warnings.push(Warning::NoEffect { place: place.within(&name), why });
            continue;
        }
        if let Some(option) = option {
            options.0.insert(name, option);
        }
    }
    options
}

/// What an option should be instead, if it is something else.
fn mistaken(name: &str, option: Option<&GrpcOption>) -> Option<&'static str> {
    let is_host = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        !text.is_empty() && text.chars().all(plain)
    };
    match option {
        Some(GrpcOption::Text(_)) if name == "grpc.primary_user_agent" => None,
        Some(GrpcOption::Text(text)) if NAMES.contains(&name) => {
            (!is_host(text)).then_some("the name of a host")
        }
        Some(GrpcOption::Number(_)) if NAMES.contains(&name) => Some("a text"),
        Some(GrpcOption::Text(_)) => Some("a whole number or a switch"),
        Some(GrpcOption::Number(_)) | None => None,
    }
}
