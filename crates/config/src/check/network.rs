//! Listeners, limits and calls to others.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::{Context, Settings, grpc};
use crate::layers::defaults;
use crate::table::Program;
use crate::{
    Balance, Client, Compression, Environment, Limits, Listener, Place, Port, Protocol, Retries, Server,
    TlsClient, TlsServer,
};

/// Names of the arguments that hold a server's identity.
pub(super) struct TlsNames {
    pub(super) certificates: &'static str,
    pub(super) private_key: &'static str,
    pub(super) client_authorities: Option<&'static str>,
}

pub(super) fn protocols(settings: &Settings) -> Vec<Protocol> {
    let named = |name: &String| Protocol::ALL.into_iter().find(|protocol| protocol.name() == name);
    settings.texts("protocol").iter().filter_map(named).collect()
}

pub(super) fn server(
    settings: &Settings,
    context: &mut Context<'_>,
    listeners: Vec<Listener>,
    tls: &TlsNames,
) -> Server {
    let host = match settings.value("host") {
        Some(serde_json::Value::Array(hosts)) => hosts.first().and_then(|host| host.as_str()),
        Some(host) => host.as_str(),
        None => None,
    };
    Server {
        host: host.unwrap_or("0.0.0.0").to_owned(),
        listeners,
        free_ports: free_ports(context),
        tls: tls_server(settings, context, tls),
        forward_headers: forward_headers(settings, context),
        limits: limits(settings),
        grpc: grpc::options(settings, context, "grpc-server-options", grpc::End::Server),
        drain_linger: settings.duration("drain-linger").unwrap_or_default(),
        drain_grace: settings.duration("drain-grace").unwrap_or_default(),
        workers: settings.non_zero("workers"),
    }
}

pub(super) fn client(settings: &Settings, context: &mut Context<'_>) -> Client {
    let timeout_send = settings.duration("timeout-send").filter(|timeout| !timeout.is_zero());
    if settings.integer("timeout-send") == Some(0) {
        context.doubt(settings.place("timeout-send"), "0 is taken as no limit");
    }
    let identity = pair(settings, context, "executors-certfile", "executors-keyfile");
    let authorities = settings.owned("executors-ca").map(PathBuf::from);
    let authorities = authorities.map(|path| context.file(path, &settings.place("executors-ca")));
    Client {
        timeout_send,
        retries: settings
            .integer("retries")
            .and_then(|retries| u32::try_from(retries).ok())
            .map_or(Retries::Auto, Retries::Times),
        compression: match settings.text("compression") {
            Some("Deflate") => Compression::Deflate,
            Some("Gzip") => Compression::Gzip,
            Some("Zstd") => Compression::Zstd,
            Some(_) | None => Compression::None,
        },
        grpc: grpc::options(settings, context, "grpc-channel-options", grpc::End::Channel),
        tls: TlsClient { authorities, identity },
        connections_per_replica: settings.non_zero("connections-per-replica").unwrap_or(NonZeroUsize::MIN),
        balance: match settings.text("balance") {
            Some("round-robin") => Balance::RoundRobin,
            Some(_) | None => Balance::LeastLoaded,
        },
        connect_timeout: settings.duration("connect-timeout").unwrap_or(Duration::MAX),
        resolve_every: settings.duration("resolve-every").filter(|every| !every.is_zero()),
    }
}

/// As without any argument.
impl Default for Client {
    fn default() -> Self {
        let env = Environment::new();
        // Where nothing is said, nothing is wrong.
        let mut context = Context::new(&env, false);
        let values = defaults(Program::Gateway, &env, &mut context.problems);
        client(&Settings { values }, &mut context)
    }
}

/// One port for each protocol, or one for all.
pub(super) fn gateway_listeners(
    settings: &Settings,
    context: &mut Context<'_>,
    protocols: Vec<Protocol>,
) -> Vec<Listener> {
    let ports = settings.ports("port");
    let place = settings.place("port");
    check_distinct(&ports, settings, context);
    if settings.flag("single-port") {
        if ports.len() > 1 {
            context.conflict(place, format!("--single-port takes one port, there are {}", ports.len()));
        }
        return vec![Listener { protocols, port: port(ports.first().copied()) }];
    }
    if !ports.is_empty() && ports.len() != protocols.len() {
        let names: Vec<_> = protocols.iter().map(|protocol| protocol.name()).collect();
        let (n_ports, n_protocols) = (ports.len(), protocols.len());
        let hint = if n_ports == 1 { ", or --single-port" } else { "" };
        context.conflict(
            place,
            format!(
                "expected one port for each protocol{hint}: {n_protocols} ({}), found {n_ports}",
                names.join(", ")
            ),
        );
    }
    paired(protocols, &ports)
}

/// Exported manifests give executors of several protocols one port; it is the first protocol's.
pub(super) fn executor_listeners(
    settings: &Settings,
    context: &mut Context<'_>,
    protocols: Vec<Protocol>,
) -> Vec<Listener> {
    let ports = settings.ports("port");
    check_distinct(&ports, settings, context);
    if protocols.len() > 1 && !ports.is_empty() && ports.len() < protocols.len() {
        context.doubt(
            settings.place("port"),
            format!("{} protocols, {} ports: the others get any free one", protocols.len(), ports.len()),
        );
    }
    paired(protocols, &ports)
}

fn paired(protocols: Vec<Protocol>, ports: &[u16]) -> Vec<Listener> {
    let ports = ports.iter().copied().map(Some).chain(std::iter::repeat(None));
    let pairs = protocols.into_iter().zip(ports);
    pairs.map(|(protocol, number)| Listener { protocols: vec![protocol], port: port(number) }).collect()
}

pub(super) fn port(number: Option<u16>) -> Port {
    number.filter(|number| *number != 0).map_or(Port::Free, Port::Fixed)
}

fn check_distinct(ports: &[u16], settings: &Settings, context: &mut Context<'_>) {
    let mut seen = HashSet::new();
    for port in ports.iter().filter(|port| **port != 0) {
        if !seen.insert(*port) {
            context.conflict(settings.place("port"), format!("port {port} is listed twice"));
        }
    }
    let monitoring = settings.ports("port-monitoring").first().copied();
    if let Some(port) = monitoring.filter(|port| settings.flag("monitoring") && seen.contains(port)) {
        context.conflict(settings.place("port-monitoring"), format!("port {port} is already a protocol's"));
    }
}

/// Names of headers. Those that gRPC needs for itself are never handed on.
fn forward_headers(settings: &Settings, context: &mut Context<'_>) -> Vec<String> {
    const RESERVED: [&str; 5] = ["content-type", "content-length", "endpoint", "host", "te"];
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let names: Vec<String> =
        settings.texts("forward-headers").iter().map(|name| name.to_ascii_lowercase()).collect();
    for name in &names {
        let place = settings.place("forward-headers");
        if name.is_empty() || !name.chars().all(allowed) {
            context.expected(place, "names of headers", &name.as_str().into());
        } else if RESERVED.contains(&name.as_str()) || name.starts_with("grpc-") || name.ends_with("-bin") {
            context.conflict(place, format!("the header `{name}` belongs to a single call"));
        }
    }
    names
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        requests: settings.count("max-requests"),
        bytes: settings.count("max-bytes"),
        message: settings.value("max-message").map(|_| settings.count("max-message")),
        connections: settings.count("max-connections"),
        streams: settings.small("max-streams"),
        header: settings.small("max-header"),
        handshake_timeout: settings.duration("handshake-timeout").unwrap_or(Duration::MAX),
        header_timeout: settings.duration("header-timeout").unwrap_or(Duration::MAX),
        body_timeout: settings.duration("body-timeout").unwrap_or(Duration::MAX),
        request_timeout: settings.duration("request-timeout").filter(|timeout| !timeout.is_zero()),
    }
}

fn tls_server(settings: &Settings, context: &mut Context<'_>, names: &TlsNames) -> Option<TlsServer> {
    let authorities = names.client_authorities.and_then(|name| Some((name, settings.owned(name)?)));
    let authorities = authorities.map(|(name, path)| context.file(path.into(), &settings.place(name)));
    let identity = pair(settings, context, names.certificates, names.private_key);
    if let (Some(name), Some(_), None) = (names.client_authorities, &authorities, &identity)
        && !settings.is_said(names.certificates)
        && !settings.is_said(names.private_key)
    {
        context.conflict(settings.place(name), "client certificates need TLS: give a certificate and a key");
    }
    let (certificates, private_key) = identity?;
    Some(TlsServer { certificates, private_key, client_authorities: authorities })
}

/// A certificate and its key: both or none.
fn pair(
    settings: &Settings,
    context: &mut Context<'_>,
    certificates: &str,
    private_key: &str,
) -> Option<(PathBuf, PathBuf)> {
    let text = |name: &str| settings.text(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    match (text(certificates), text(private_key)) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let certificate = context.file(certificate, &settings.place(certificates));
            Some((certificate, context.file(key, &settings.place(private_key))))
        }
        (Some(_), None) => {
            context.conflict(
                settings.place(certificates),
                format!("a certificate needs its key: --{private_key}"),
            );
            None
        }
        (None, Some(_)) => {
            context.conflict(
                settings.place(private_key),
                format!("a key needs its certificate: --{certificates}"),
            );
            None
        }
    }
}

fn free_ports(context: &mut Context<'_>) -> Option<(u16, u16)> {
    let mut bound = |name: &str| {
        let text = context.env.get(name).filter(|text| !text.is_empty())?;
        let port = text.parse::<u16>().ok();
        if port.is_none() {
            let found = text.as_str().into();
            context.expected(Place::Variable(name.to_owned()), "a port from 0 to 65535", &found);
        }
        port
    };
    let (low, high) = (bound("JINA_RANDOM_PORT_MIN"), bound("JINA_RANDOM_PORT_MAX"));
    if low.is_none() && high.is_none() {
        return None;
    }
    let (low, high) = (low.unwrap_or(49153), high.unwrap_or(65535));
    if low > high {
        let place = Place::Variable("JINA_RANDOM_PORT_MAX".to_owned());
        context.conflict(place, format!("no port lies between {low} and {high}"));
        return None;
    }
    Some((low, high))
}
