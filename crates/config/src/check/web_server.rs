//! The web server's settings by their uvicorn names.

use std::time::Duration;

use serde_json::Value;

use super::{Context, Settings};
use crate::{Place, Warning, WebServer};

/// What the original sets itself and refuses to be given.
const REFUSED: &[&str] = &["app", "host", "port", "log_level"];

/// What is read elsewhere, together with the arguments for certificates.
pub(super) const TLS: &[&str] = &["ssl_certfile", "ssl_keyfile", "ssl_ca_certs", "ssl_cert_reqs"];

/// What ours does anyway, or what says how Python runs: nothing is lost.
const QUIET: &[&str] = &[
    "loop",
    "http",
    "ws",
    "lifespan",
    "interface",
    "workers",
    "use_colors",
    "date_header",
    "reload",
    "reload_delay",
    "reload_dirs",
    "reload_includes",
    "reload_excludes",
];

/// What has no counterpart, and what would do instead.
const ABSENT: &[(&str, &str)] = &[
    ("limit_max_requests", "the process need not be restarted after some requests"),
    ("proxy_headers", "the log names the peer of the connection"),
    ("forwarded_allow_ips", "the log names the peer of the connection"),
    ("ws_per_message_deflate", "messages of WebSocket are not compressed"),
    ("ws_max_queue", "a connection is read as far as --prefetch allows"),
    ("ws_max_size", "messages are limited by --max-message"),
    ("ssl_keyfile_password", "private keys must not be encrypted"),
    ("ssl_ciphers", "the ciphers of TLS 1.2 and 1.3 are the safe ones"),
    ("ssl_version", "TLS 1.2 and 1.3 are spoken"),
];

pub(super) fn web_server(settings: &Settings, context: &mut Context<'_>) -> WebServer {
    let place = settings.place("uvicorn-kwargs");
    let mut server = WebServer::default();
    for (name, value) in settings.object("uvicorn-kwargs") {
        let place = place.within(&name);
        match name.as_str() {
            name if REFUSED.contains(&name) => {
                context.conflict(place, "this is set by an argument of its own");
            }
            name if TLS.contains(&name) || QUIET.contains(&name) || value.is_null() => {}
            "access_log" => server.access_log = switch(&value, place, context),
            "timeout_keep_alive" => server.keep_alive = seconds(&value, place, context),
            "timeout_graceful_shutdown" => server.graceful_shutdown = seconds(&value, place, context),
            "ws_ping_interval" => server.websocket_ping = seconds(&value, place, context),
            "backlog" => server.backlog = number(&value, place, context).and_then(|n| i32::try_from(n).ok()),
            "h11_max_incomplete_event_size" => {
                server.max_header = number(&value, place, context).and_then(|n| u32::try_from(n).ok());
            }
            "root_path" => server.root_path = root_path(&value, place, context),
            "headers" => server.headers = headers(&value, &place, context),
            "limit_concurrency" => {
                let limit = number(&value, place.clone(), context);
                if limit == Some(1) {
                    context.doubt(place, "every request is refused, because its own connection counts");
                }
                server.limit_concurrency = limit.and_then(|limit| usize::try_from(limit).ok());
            }
            "ws_ping_timeout" => {
                let why = "a client that is silent from one ping to the next is given up";
                context.warnings.push(Warning::NoEffect { place, why });
            }
            "server_header" if value == Value::Bool(false) => {}
            name => {
                let absent = ABSENT.iter().find(|(known, _)| *known == name);
                let why = absent.map_or("it has no counterpart in this web server", |(_, why)| *why);
                context.warnings.push(Warning::NoEffect { place, why });
            }
        }
    }
    server
}

fn switch(value: &Value, place: Place, context: &mut Context<'_>) -> Option<bool> {
    if !value.is_boolean() {
        context.expected(place, "a switch", value);
    }
    value.as_bool()
}

fn number(value: &Value, place: Place, context: &mut Context<'_>) -> Option<u64> {
    let number = value.as_u64().filter(|number| *number > 0);
    if number.is_none() {
        context.expected(place, "a whole number from 1", value);
    }
    number
}

fn seconds(value: &Value, place: Place, context: &mut Context<'_>) -> Option<Duration> {
    let seconds = value.as_f64().filter(|seconds| *seconds > 0.0);
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if seconds.is_none() {
        context.expected(place, "a number of seconds above 0", value);
    }
    seconds
}

/// What proxies put before the paths of this process.
fn root_path(value: &Value, place: Place, context: &mut Context<'_>) -> Option<String> {
    let is_path = |path: &&str| {
        path.is_empty()
            || path.starts_with('/') && !path.contains(|c: char| c.is_control() || "?#".contains(c))
    };
    let path = value.as_str().filter(is_path);
    if path.is_none() {
        context.expected(place, "a path such as `/api`", value);
    }
    path.filter(|path| !path.is_empty()).map(str::to_owned)
}

/// Pairs of names and values. Those that say where an answer ends are made with each answer.
fn headers(value: &Value, place: &Place, context: &mut Context<'_>) -> Vec<(String, String)> {
    const PER_ANSWER: [&str; 2] = ["content-length", "transfer-encoding"];
    let Some(pairs) = value.as_array() else {
        context.expected(place.clone(), "a list of pairs such as `[x-name, value]`", value);
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (idx, pair) in pairs.iter().enumerate() {
        let place = place.within(&format!("[{idx}]"));
        let texts = pair.as_array().map(|pair| pair.iter().map(crate::form::text).collect::<Vec<_>>());
        let Some([Some(name), Some(content)]) = texts.as_deref() else {
            context.expected(place, "a pair such as `[x-name, value]`", pair);
            continue;
        };
        let name = name.to_ascii_lowercase();
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_name {
            context.expected(place, "the name of a header", &name.into());
        } else if PER_ANSWER.contains(&name.as_str()) {
            context.conflict(place, format!("the header `{name}` belongs to a single answer"));
        } else if !content.chars().all(|c| c == '\t' || (c.is_ascii() && !c.is_ascii_control())) {
            context.expected(place, "the value of a header, in ASCII", &content.as_str().into());
        } else {
            headers.push((name, content.clone()));
        }
    }
    headers
}

/// The settings with the certificates that the web server is told of in the place of those of the gateway.
pub(super) fn with_identity(settings: &Settings, context: &mut Context<'_>) -> Settings {
    let place = settings.place("uvicorn-kwargs");
    let mut values = settings.values.clone();
    let given = settings.object("uvicorn-kwargs");
    for (key, argument) in
        [("ssl_certfile", "ssl-certfile"), ("ssl_keyfile", "ssl-keyfile"), ("ssl_ca_certs", "ssl-client-ca")]
    {
        let Some(value) = given.get(key).filter(|value| !value.is_null()) else { continue };
        let place = place.within(key);
        // As in Python's `ssl`: 2 is a certificate that must be there.
        let is_required = given.get("ssl_cert_reqs").and_then(Value::as_u64) == Some(2);
        if key == "ssl_ca_certs" && !is_required {
            let why = "clients are asked for certificates only with `ssl_cert_reqs: 2`";
            context.warnings.push(Warning::NoEffect { place, why });
        } else if value.is_string() {
            values.insert(argument, (value.clone(), place));
        } else {
            context.expected(place, "the name of a file", value);
        }
    }
    Settings { values }
}
