//! From the configuration to the settings of the parts. Every default of the configuration is filled in
//! already, so this is all there is between the two.

use std::time::Duration;

use bytestring::ByteString;
use call::{Limits, Metadata};
use config::{Compression, CustomEndpoint, GatewaySpec, GrpcOptions, HttpSpec, Retries};
use executor_client::{Identity, Roots};
use grpc::Encoding;
use grpc::client::Keepalive;
use routing::GraphSpec;
use server::{HttpOptions, Timing, tls};
use tracing::warn;

use super::{Executor, InvalidSettings, Port, PortNumber, Protocol, Settings};

impl TryFrom<GatewaySpec> for Settings {
    type Error = InvalidSettings;

    fn try_from(spec: GatewaySpec) -> Result<Self, InvalidSettings> {
        let GatewaySpec { name, server, client, graph, prefetch, http, telemetry: _, log: _ } = spec;
        let tls = server.tls.as_ref().map(|tls| tls::Files {
            certificates: tls.certificates.clone(),
            private_key: tls.private_key.clone(),
            client_authorities: tls.client_authorities.clone(),
        });
        Ok(Self {
            name,
            ports: ports(&server),
            tls,
            executors: executors(&graph)?,
            graph: GraphSpec {
                description: graph.description,
                conditions: graph.conditions,
                no_reduce: graph.no_reduce,
            },
            client: client_settings(&client),
            calls: grpc::server::Settings {
                max_message: max_message(&server),
                prefetch: prefetch.map_or(0, usize::from),
                ..grpc::server::Settings::default()
            },
            rest: rest(http, max_message(&server))?,
            http: http_options(&server),
            limits: Limits { requests: server.limits.requests, bytes: server.limits.bytes },
            max_timeout: server.limits.request_timeout,
            drain: Timing { linger: server.drain_linger, grace: server.drain_grace },
            workers: server.workers,
        })
    }
}

fn ports(server: &config::Server) -> Vec<Port> {
    let listener = |listener: &config::Listener| {
        let protocols = listener.protocols.iter().map(|protocol| match protocol {
            config::Protocol::Grpc => Protocol::Grpc,
            config::Protocol::Http => Protocol::Http,
            config::Protocol::WebSocket => Protocol::WebSocket,
        });
        let number = match (listener.port, server.free_ports) {
            (config::Port::Fixed(port), _) => PortNumber::Fixed(port),
            (config::Port::Free, None) => PortNumber::Free,
            (config::Port::Free, Some((first, last))) => PortNumber::FreeWithin(first, last),
        };
        Port { protocols: protocols.collect(), host: server.host.clone(), number }
    };
    server.listeners.iter().map(listener).collect()
}

fn rest(spec: HttpSpec, max_body: usize) -> Result<frontend_http::Settings, InvalidSettings> {
    let HttpSpec {
        title,
        description,
        cors,
        no_debug_endpoints,
        // Endpoints of that kind exist only where an executor binds them, as with Jina.
        no_crud_endpoints: _,
        expose_endpoints,
        graphql,
        web_server,
    } = spec;
    if graphql {
        warn!("GraphQL is not served");
    }
    for setting in web_server.keys() {
        warn!(setting, "this setting of the web server has no effect");
    }
    let defaults = frontend_http::Settings::default();
    let exposed = expose_endpoints.into_iter().map(|(endpoint, custom)| exposed(endpoint, custom));
    Ok(frontend_http::Settings {
        title: title.unwrap_or(defaults.title),
        description: description.unwrap_or(defaults.description),
        cors,
        no_debug_endpoints,
        exposed: exposed.collect::<Result<_, _>>()?,
        max_body,
        ..defaults
    })
}

fn exposed(endpoint: String, custom: CustomEndpoint) -> Result<frontend_http::Exposed, InvalidSettings> {
    let mut methods = Vec::new();
    for method in custom.methods {
        let invalid = |_| InvalidSettings::Method { endpoint: endpoint.clone(), method: method.clone() };
        methods.push(method.parse().map_err(invalid)?);
    }
    let openapi = custom.openapi.into_iter().collect();
    Ok(frontend_http::Exposed { endpoint: endpoint.into(), path: custom.http_path, methods, openapi })
}

fn executors(graph: &config::Graph) -> Result<indexmap::IndexMap<String, Executor>, InvalidSettings> {
    let mut executors = indexmap::IndexMap::new();
    for (name, addresses) in &graph.addresses {
        let addresses = addresses.iter().map(|address| address.to_string().parse()).collect::<Result<_, _>>();
        let addresses =
            addresses.map_err(|source| InvalidSettings::Address { executor: name.clone(), source })?;
        let headers = graph.metadata.get(name).into_iter().flatten();
        let headers = headers.map(|(name, value)| {
            (ByteString::from(name.to_ascii_lowercase()), ByteString::from(value.as_str()))
        });
        let metadata = Metadata(headers.collect());
        executors.insert(name.clone(), Executor { addresses, metadata });
    }
    Ok(executors)
}

fn client_settings(client: &config::Client) -> executor_client::Settings {
    let identity = client.tls.identity.clone();
    let defaults = executor_client::Settings::default();
    let options = grpc::client::Options {
        connect_timeout: client.connect_timeout,
        keepalive: keepalive(&client.grpc),
        max_message: length(&client.grpc, "grpc.max_receive_message_length")
            .unwrap_or(defaults.options.max_message),
        ..defaults.options.clone()
    };
    executor_client::Settings {
        retries: match client.retries {
            Retries::Auto => -1,
            Retries::Times(times) => i32::try_from(times).unwrap_or(i32::MAX),
        },
        timeout_send: client.timeout_send,
        encoding: match client.compression {
            Compression::None => Encoding::Identity,
            Compression::Deflate => Encoding::Deflate,
            Compression::Gzip => Encoding::Gzip,
            Compression::Zstd => Encoding::Zstd,
        },
        balance: match client.balance {
            config::Balance::LeastLoaded => executor_client::Balance::LeastLoaded,
            config::Balance::RoundRobin => executor_client::Balance::RoundRobin,
        },
        connections_per_replica: client.connections_per_replica.get(),
        // Once means: not within the life of any process.
        resolve_every: client.resolve_every.unwrap_or(Duration::from_secs(u32::MAX.into())),
        max_backoff: client
            .grpc
            .milliseconds("grpc.max_reconnect_backoff_ms")
            .unwrap_or(defaults.max_backoff),
        roots: client.tls.authorities.clone().map_or(Roots::System, Roots::File),
        identity: identity.map(|(certificates, private_key)| Identity { certificates, private_key }),
        options,
        ..defaults
    }
}

/// A time that is not positive switches pings off.
fn keepalive(options: &GrpcOptions) -> Option<Keepalive> {
    let defaults = Keepalive::default();
    let time = options.number("grpc.keepalive_time_ms");
    if time.is_some_and(|time| time <= 0 || time >= i32::MAX.into()) {
        return None;
    }
    let number = |name| options.number(name);
    Some(Keepalive {
        time: options.milliseconds("grpc.keepalive_time_ms").unwrap_or(defaults.time),
        timeout: options.milliseconds("grpc.keepalive_timeout_ms").unwrap_or(defaults.timeout),
        without_calls: number("grpc.keepalive_permit_without_calls")
            .map_or(defaults.without_calls, |permit| permit != 0),
        max_without_data: number("grpc.http2.max_pings_without_data")
            .and_then(|pings| usize::try_from(pings).ok())
            .map_or(defaults.max_without_data, |pings| if pings == 0 { usize::MAX } else { pings }),
    })
}

fn http_options(server: &config::Server) -> HttpOptions {
    let defaults = HttpOptions::default();
    let keepalive = keepalive(&server.grpc);
    HttpOptions {
        max_connections: server.limits.connections,
        handshake_timeout: server.limits.handshake_timeout,
        header_timeout: server.limits.header_timeout,
        max_header_bytes: length(&server.grpc, "grpc.max_metadata_size")
            .and_then(|bytes| u32::try_from(bytes).ok())
            .unwrap_or(server.limits.header),
        max_streams: length(&server.grpc, "grpc.max_concurrent_streams")
            .and_then(|streams| u32::try_from(streams).ok())
            .unwrap_or(server.limits.streams),
        keepalive_time: keepalive.map(|keepalive| keepalive.time),
        keepalive_timeout: keepalive.map_or(defaults.keepalive_timeout, |keepalive| keepalive.timeout),
        ..defaults
    }
}

/// The smaller of the two bounds that a user can set; without either, what one frame can hold.
fn max_message(server: &config::Server) -> usize {
    let bounds = [server.limits.message, length(&server.grpc, "grpc.max_receive_message_length")];
    bounds.into_iter().flatten().min().unwrap_or(grpc::server::Settings::default().max_message)
}

/// A number of things; negative ones mean that there is no bound.
fn length(options: &GrpcOptions, name: &str) -> Option<usize> {
    usize::try_from(options.number(name)?).ok()
}

#[cfg(test)]
mod tests;
