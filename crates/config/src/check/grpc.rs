//! gRPC options by their names.

use serde_json::Value;

use super::{Context, Settings};
use crate::{GrpcOption, GrpcOptions, Warning};

/// What has a counterpart here.
const KNOWN: &[&str] = &[
    "grpc.max_send_message_length",
    "grpc.max_receive_message_length",
    "grpc.keepalive_time_ms",
    "grpc.keepalive_timeout_ms",
    "grpc.keepalive_permit_without_calls",
    "grpc.max_concurrent_streams",
    "grpc.max_connection_idle_ms",
    "grpc.max_connection_age_ms",
    "grpc.max_connection_age_grace_ms",
    "grpc.max_metadata_size",
    "grpc.absolute_max_metadata_size",
    "grpc.http2.max_pings_without_data",
    "grpc.http2.max_frame_size",
    "grpc.http2.lookahead_bytes",
    "grpc.ssl_target_name_override",
    "grpc.default_authority",
    "grpc.primary_user_agent",
    "grpc.initial_reconnect_backoff_ms",
    "grpc.min_reconnect_backoff_ms",
    "grpc.max_reconnect_backoff_ms",
];

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
pub(super) fn options(settings: &Settings, context: &mut Context<'_>, argument: &str) -> GrpcOptions {
    let place = settings.place(argument);
    let mut options = GrpcOptions::default();
    for (name, value) in settings.object(argument) {
        let value = match &value {
            Value::Number(number) if number.is_i64() => number.as_i64().map(GrpcOption::Number),
            Value::Bool(on) => Some(GrpcOption::Number(i64::from(*on))),
            Value::String(text) => Some(GrpcOption::Text(text.clone())),
            Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
                context.expected(place.within(&name), "a whole number, a switch or a text", &value);
                None
            }
        };
        if QUIET.contains(&name.as_str()) {
            continue;
        }
        if !KNOWN.contains(&name.as_str()) {
            let why = "this gRPC option has no counterpart";
            context.warnings.push(Warning::NoEffect { place: place.within(&name), why });
            continue;
        }
        if let Some(value) = value {
            options.0.insert(name, value);
        }
    }
    options
}
