//! From the configuration to the settings of the parts.

use std::path::PathBuf;

use call::{Limits, RootPath};
use config::{ExecutorSpec, GrpcOptions, HttpSpec, Provider, Role, Server, Uses, WebServer};
use executor_runtime::{Entry, ExecutorSettings, PassThrough, Registry};
use http::HeaderName;
use server::{Timing, tls};

use super::stateful::stateful;
use super::{InvalidSettings, Port, PortNumber, Protocol, Serving, Settings};

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
        let web_server = &spec.http.web_server;
        let serving = Serving::from(&spec.server).with_web_server(web_server);
        let websocket_ping = web_server.websocket_ping;
        let rest = rest(spec.http.clone(), &spec.server);
        let stateful = stateful(&spec)?;
        Ok(Self { serving, executor: hosting(spec), stateful, rest, websocket_ping })
    }
}

impl From<&Server> for Serving {
    fn from(server: &Server) -> Self {
        Self {
            ports: server.listeners.iter().flat_map(|listener| ports(listener, &server.host)).collect(),
            tls: server.tls.as_ref().map(|tls| tls::Files {
                certificates: tls.certificates.clone(),
                private_key: tls.private_key.clone(),
                client_authorities: tls.client_authorities.clone(),
            }),
            http: server.into(),
            backlog: Self::default().backlog,
            drain: Timing { linger: server.drain_linger, grace: server.drain_grace },
            workers: server.workers,
        }
    }
}

impl Serving {
    /// With what the user said about the web server.
    fn with_web_server(self, web_server: &WebServer) -> Self {
        let drain = Timing { grace: web_server.graceful_shutdown.unwrap_or(self.drain.grace), ..self.drain };
        Self {
            http: self.http.with_web_server(web_server),
            backlog: web_server.backlog.unwrap_or(self.backlog),
            drain,
            ..self
        }
    }
}

/// What REST is to do. An executor has no endpoints beside those of its code, and no GraphQL.
fn rest(spec: HttpSpec, server: &Server) -> frontend_http::Settings {
    let HttpSpec { title, description, cors, web_server, .. } = spec;
    let defaults = frontend_http::Settings::default();
    frontend_http::Settings {
        title: title.unwrap_or(defaults.title),
        description: description
            .unwrap_or_else(|| "The endpoints of an executor. Documents are those of its code.".to_owned()),
        root_path: RootPath::new(&web_server.root_path.unwrap_or_default()),
        cors,
        max_body: max_message(server),
        stall: server.limits.body_timeout,
        forward: forward(server),
        ..defaults
    }
}

/// Every name was checked when it was read.
pub(super) fn forward(server: &Server) -> Vec<HeaderName> {
    server.forward_headers.iter().filter_map(|name| name.parse().ok()).collect()
}

fn hosting(spec: ExecutorSpec) -> ExecutorSettings {
    let defaults = ExecutorSettings::default();
    let meta = |key| spec.uses_metas.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let workspace = spec.workspace.or_else(|| meta("workspace").map(PathBuf::from));
    let (max_message, max_answer) = (max_message(&spec.server), max_answer(&spec.server));
    let forward = forward(&spec.server);
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
        grpc: grpc::server::Settings {
            max_message,
            max_answer,
            stall: spec.server.limits.body_timeout,
            forward,
            ..defaults.grpc
        },
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

/// An executor speaks one protocol on each port.
fn ports(listener: &config::Listener, host: &str) -> Vec<Port> {
    let number = match listener.port {
        config::Port::Fixed(number) => PortNumber::Fixed(number),
        config::Port::Free => PortNumber::Free,
    };
    let port = |protocol: &config::Protocol| {
        let protocol = match protocol {
            config::Protocol::Grpc => Protocol::Grpc,
            config::Protocol::Http => Protocol::Http,
            config::Protocol::WebSocket => Protocol::WebSocket,
        };
        Port { protocol, host: host.to_owned(), number }
    };
    listener.protocols.iter().map(port).collect()
}

/// The smaller of the two bounds that a user can set.
pub(super) fn max_message(server: &Server) -> usize {
    let bounds = [server.limits.message, length(&server.grpc, "grpc.max_receive_message_length")];
    let unbounded = grpc::server::Settings::default().max_message;
    bounds.into_iter().flatten().min().unwrap_or(unbounded)
}

/// The bound on an answer.
pub(super) fn max_answer(server: &Server) -> usize {
    length(&server.grpc, "grpc.max_send_message_length")
        .unwrap_or(grpc::server::Settings::default().max_answer)
}

/// A number of things; negative ones mean that there is no bound.
fn length(options: &GrpcOptions, name: &str) -> Option<usize> {
    usize::try_from(options.number(name)?).ok()
}
