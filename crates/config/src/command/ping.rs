//! `ping TARGET ADDRESS`, also as exported probes write it.

use super::tools;
use crate::arguments;
use crate::form::{Form, expected};
use crate::table::{Argument, Mark, On};
use crate::{Command, Help, Parsed, Ping, PingTarget, Place, Problem, Protocol, Reason, help, units};
use std::path::PathBuf;

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    default: &'static str,
    help: &'static str,
) -> Argument {
    let form = Form::Integer;
    let on = On { gateway: false, executor: false, deployment: false };
    Argument {
        name,
        aliases,
        form,
        default: Some(default),
        mark: Mark::Honoured,
        on,
        help,
        ineffective: None,
    }
}

static ROWS: [Argument; 6] = [
    row("timeout", &[], "3000", "Milliseconds for each attempt; negative means no limit"),
    row("attempts", &["retries"], "1", "How often to ask"),
    row("min-successful-attempts", &[], "1", "How many answers must be good"),
    tools::row("ca", &[], Form::Text, "Authorities of which one must vouch for the process, PEM"),
    tools::row("certfile", &[], Form::Text, "Certificate chain to show, PEM; needs --keyfile"),
    tools::row("keyfile", &[], Form::Text, "Private key of the certificate, PEM; needs --certfile"),
];

pub(super) fn arguments() -> Vec<&'static Argument> {
    ROWS.iter().collect()
}

pub(super) fn ping(argv: &[String]) -> Result<Parsed, Vec<Problem>> {
    let line = arguments::parse(&arguments(), argv)?;
    if line.help {
        let text = help::tool("ping {gateway,executor,flow} ADDRESS", &arguments());
        return Ok(super::plain(Command::Help(Help { text })));
    }
    let mut problems = Vec::new();
    // Exported liveness probes end with the one element `--timeout 9500`.
    let mut positionals = line.positionals.iter().filter(|element| !element.starts_with("--"));
    let target = match positionals.next().map(String::as_str) {
        Some("gateway") => Some(PingTarget::Gateway),
        Some("executor") => Some(PingTarget::Executor),
        Some("flow") => Some(PingTarget::Flow),
        Some(other) => {
            let reason = expected("one of gateway, executor, flow", &other.into());
            problems.push(Problem::new(Place::Argument("TARGET".to_owned()), reason));
            None
        }
        None => {
            problems.push(super::missing("the target, one of gateway, executor, flow,"));
            None
        }
    };
    let address = positionals.next();
    let read = address.and_then(|address| read_address(address));
    match address {
        Some(address) if read.is_none() => {
            let reason = expected("`host:port` or `scheme://host:port`", &address.as_str().into());
            problems.push(Problem::new(Place::Argument("ADDRESS".to_owned()), reason));
        }
        Some(_) => {}
        None => problems.push(super::missing("the address")),
    }
    let number =
        |name: &str, default: i64| line.values.get(name).and_then(|value| value.as_i64()).unwrap_or(default);
    let mut count = |name: &str| {
        u32::try_from(number(name, 1)).ok().filter(|count| *count > 0).unwrap_or_else(|| {
            let reason = expected("a whole number from 1", &number(name, 1).into());
            problems.push(Problem::new(Place::Argument(format!("--{name}")), reason));
            1
        })
    };
    let (attempts, min_successful_attempts) = (count("attempts"), count("min-successful-attempts"));
    let timeout = units::duration(number("timeout", 3000));
    let file = |name: &str| tools::text(&line, name).map(PathBuf::from);
    let (authorities, certificates, private_key) = (file("ca"), file("certfile"), file("keyfile"));
    let mut conflict = |name: &str, message: &str| {
        let reason = Reason::Conflict { message: message.to_owned() };
        problems.push(Problem::new(Place::Argument(name.to_owned()), reason));
    };
    match (&certificates, &private_key) {
        (Some(_), None) => conflict("--certfile", "--keyfile is missing"),
        (None, Some(_)) => conflict("--keyfile", "--certfile is missing"),
        _ => {}
    }
    let is_plain = matches!(read, Some((_, false, ..)));
    if is_plain && (authorities.is_some() || certificates.is_some()) {
        conflict("ADDRESS", "certificates are for grpcs://, https:// and wss://");
    }
    let identity = certificates.zip(private_key);
    match (target, read) {
        (Some(target), Some((protocol, secure, host, port))) if problems.is_empty() => {
            let ping = Ping {
                target,
                protocol,
                secure,
                host,
                port,
                timeout,
                attempts,
                min_successful_attempts,
                authorities,
                identity,
            };
            Ok(Parsed { command: Command::Ping(ping), warnings: line.warnings })
        }
        _ => Err(problems),
    }
}

/// The address of a probe. After the digits of the port anything may follow: some exported probes have the text
/// ` - --timeout 9500` there.
fn read_address(text: &str) -> Option<(Protocol, bool, String, u16)> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("grpc", text));
    let scheme = scheme.to_ascii_lowercase();
    let (protocol, secure) = match scheme.as_str() {
        "grpc" => (Protocol::Grpc, false),
        "grpcs" => (Protocol::Grpc, true),
        "https" => (Protocol::Http, true),
        "ws" | "websocket" => (Protocol::WebSocket, false),
        "wss" | "websockets" => (Protocol::WebSocket, true),
        _ => (Protocol::Http, false),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']')?;
            (format!("[{host}]"), after.strip_prefix(':')?)
        }
        None => {
            let (host, port) = rest.split_once(':')?;
            (host.to_owned(), port)
        }
    };
    let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
    let port = digits.parse().ok().filter(|port| *port != 0)?;
    (!host.is_empty()).then_some((protocol, secure, host, port))
}
