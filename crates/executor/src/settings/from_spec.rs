//! From the configuration to the settings of the parts.

use std::path::PathBuf;

use call::Limits;
use config::{ExecutorSpec, GrpcOptions, Protocol, Provider, Role, Server, Uses};
use executor_runtime::{Entry, ExecutorSettings, PassThrough, Registry};
use server::{HttpOptions, Timing, tls};

use super::{InvalidSettings, Port, PortNumber, Serving, Settings};

/// The executor that `uses` names.
///
/// # Errors
///
/// If there is none of that name.
pub fn entry(uses: &Uses, registry: &Registry) -> Result<Entry, InvalidSettings> {
    let pass_through = Entry::of::<PassThrough>();
    let name = match uses {
        Uses::PassThrough => return Ok(pass_through),
        Uses::Name(name) | Uses::File { name, .. } => name,
        Uses::Image(_) => return Err(InvalidSettings::Unsupported { what: "a container image in `uses`" }),
        Uses::Hub(_) => {
            return Err(InvalidSettings::Unsupported { what: "an executor of the Hub in `uses`" });
        }
    };
    if let Some(entry) = registry.get(name) {
        return Ok(*entry);
    }
    if name == pass_through.class() {
        return Ok(pass_through);
    }
    let known: Vec<_> = registry.names().chain([pass_through.class()]).collect();
    Err(InvalidSettings::UnknownExecutor { name: name.clone(), known: known.join(", ") })
}

impl TryFrom<ExecutorSpec> for Settings {
    type Error = InvalidSettings;

    fn try_from(spec: ExecutorSpec) -> Result<Self, InvalidSettings> {
        let unsupported = |what| Err(InvalidSettings::Unsupported { what });
        match (&spec.role, spec.provider) {
            (Role::Head(_), _) => return unsupported("an executor that is a head"),
            (Role::Worker, Provider::Sagemaker | Provider::Azure) => return unsupported("`provider`"),
            (Role::Worker, Provider::None) => {}
        }
        Ok(Self { serving: Serving::try_from(&spec.server)?, executor: hosting(spec) })
    }
}

impl TryFrom<&Server> for Serving {
    type Error = InvalidSettings;

    fn try_from(server: &Server) -> Result<Self, InvalidSettings> {
        Ok(Self {
            port: port(server)?,
            tls: server.tls.as_ref().map(|tls| tls::Files {
                certificates: tls.certificates.clone(),
                private_key: tls.private_key.clone(),
                client_authorities: tls.client_authorities.clone(),
            }),
            http: http_options(server),
            drain: Timing { linger: server.drain_linger, grace: server.drain_grace },
            workers: server.workers,
        })
    }
}

fn hosting(spec: ExecutorSpec) -> ExecutorSettings {
    let defaults = ExecutorSettings::default();
    let meta = |key| spec.uses_metas.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let workspace = spec.workspace.or_else(|| meta("workspace").map(PathBuf::from));
    let max_message = max_message(&spec.server);
    ExecutorSettings {
        name: spec.name.unwrap_or(defaults.name),
        meta_name: meta("name"),
        workspace: workspace.unwrap_or_else(cache),
        uses_with: spec.uses_with,
        uses_requests: spec.uses_requests,
        shard_id: spec.shard_id,
        shards: spec.shards,
        replica_id: spec.replica_id,
        replicas: spec.replicas,
        allow_concurrent: spec.allow_concurrent,
        max_running: spec.max_running,
        max_waiting: spec.max_waiting,
        max_call_time: spec.max_call_time,
        memory_limit: spec.memory_limit,
        batching: spec
            .uses_dynamic_batching
            .into_iter()
            .map(|(key, options)| (key, batching(options)))
            .collect(),
        exit_on_exceptions: spec.exit_on_exceptions,
        limits: Limits { requests: spec.server.limits.requests, bytes: spec.server.limits.bytes },
        grpc: grpc::server::Settings { max_message, ..defaults.grpc },
    }
}

fn batching(options: config::Batching) -> executor_runtime::Batching {
    executor_runtime::Batching {
        preferred_batch_size: options.preferred_batch_size,
        timeout: options.timeout,
        flush_all: options.flush_all,
        use_custom_metric: options.use_custom_metric,
        use_dynamic_batching: options.use_dynamic_batching,
    }
}

/// Where executors keep things that were told no place.
fn cache() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".cache/jina")
}

fn port(server: &Server) -> Result<Port, InvalidSettings> {
    let [listener] = &server.listeners[..] else {
        return Err(InvalidSettings::Ports { n: server.listeners.len() });
    };
    if listener.protocols != [Protocol::Grpc] {
        return Err(InvalidSettings::Unsupported { what: "a protocol other than GRPC" });
    }
    let number = match listener.port {
        config::Port::Fixed(number) => PortNumber::Fixed(number),
        config::Port::Free => PortNumber::Free,
    };
    Ok(Port { host: server.host.clone(), number })
}

fn http_options(server: &Server) -> HttpOptions {
    let defaults = HttpOptions::default();
    let Server { limits, grpc, .. } = server;
    // Pings that are switched off are pings after no time, or after one that never comes.
    let time = grpc.number("grpc.keepalive_time_ms");
    let never = time.is_some_and(|time| time <= 0 || time >= i32::MAX.into());
    let keepalive_time = grpc.milliseconds("grpc.keepalive_time_ms").or(defaults.keepalive_time);
    let small = |name| length(grpc, name).and_then(|n| u32::try_from(n).ok());
    HttpOptions {
        max_connections: limits.connections,
        handshake_timeout: limits.handshake_timeout,
        header_timeout: limits.header_timeout,
        max_header_bytes: small("grpc.max_metadata_size").unwrap_or(limits.header),
        max_streams: small("grpc.max_concurrent_streams").unwrap_or(limits.streams),
        keepalive_time: keepalive_time.filter(|_| !never),
        keepalive_timeout: grpc
            .milliseconds("grpc.keepalive_timeout_ms")
            .unwrap_or(defaults.keepalive_timeout),
        ..defaults
    }
}

/// The smaller of the two bounds that a user can set.
pub(super) fn max_message(server: &Server) -> usize {
    let bounds = [server.limits.message, length(&server.grpc, "grpc.max_receive_message_length")];
    let unbounded = grpc::server::Settings::default().max_message;
    bounds.into_iter().flatten().min().unwrap_or(unbounded)
}

/// A number of things; negative ones mean that there is no bound.
fn length(options: &GrpcOptions, name: &str) -> Option<usize> {
    usize::try_from(options.number(name)?).ok()
}
