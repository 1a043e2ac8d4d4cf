//! From the configuration to the settings of the parts. Every default of the configuration is filled in
//! already, so this is all there is between the two.

use bytestring::ByteString;
use call::{Limits, Metadata};
use config::{CustomEndpoint, GatewaySpec, GrpcOptions, Head, HttpSpec, PollingRule};
use executor_client::{Address, InvalidAddress};
use indexmap::IndexMap;
use routing::{GraphSpec, Polling, Polls};
use server::{HttpOptions, Timing, tls};
use tracing::warn;

use super::{Executor, InvalidSettings, Port, PortNumber, Protocol, Settings, Shards};

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
            client: (&client).into(),
            calls: grpc::server::Settings {
                max_message: max_message(&server),
                prefetch: prefetch.map_or(0, usize::from),
                ..grpc::server::Settings::default()
            },
            graphql: http.graphql.map(graphql),
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

fn graphql(spec: config::GraphQl) -> frontend_graphql::Settings {
    let config::GraphQl { max_depth, max_complexity, max_calls, max_query, max_tokens, max_operations } =
        spec;
    frontend_graphql::Settings {
        max_depth,
        max_complexity,
        max_calls,
        max_query,
        max_tokens,
        max_operations,
        ..frontend_graphql::Settings::default()
    }
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
        graphql: _,
        web_server,
    } = spec;
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

fn executors(graph: &config::Graph) -> Result<IndexMap<String, Executor>, InvalidSettings> {
    let mut executors = IndexMap::new();
    for name in graph.addresses.keys().chain(graph.heads.keys()) {
        let wrong = |source| InvalidSettings::Address { executor: name.clone(), source };
        let addresses = graph.addresses.get(name).into_iter().flatten().map(Address::try_from);
        let addresses = addresses.collect::<Result<_, _>>().map_err(wrong)?;
        let shards = graph.heads.get(name).map(shards).transpose().map_err(wrong)?;
        let headers = graph.metadata.get(name).into_iter().flatten();
        let headers = headers.map(|(name, value)| {
            (ByteString::from(name.to_ascii_lowercase()), ByteString::from(value.as_str()))
        });
        let metadata = Metadata(headers.collect());
        executors.insert(name.clone(), Executor { addresses, metadata, shards });
    }
    Ok(executors)
}

fn shards(head: &Head) -> Result<Shards, InvalidAddress> {
    let addresses = |shard: &config::Shard| shard.addresses.iter().map(Address::try_from).collect();
    let one = |address: &Option<config::Address>| address.as_ref().map(Address::try_from).transpose();
    let polls = |rule| match rule {
        PollingRule::Any => Polls::Any,
        PollingRule::All => Polls::All,
    };
    let endpoints = head.polling.endpoints.iter().map(|(endpoint, rule)| (endpoint.clone(), polls(*rule)));
    Ok(Shards {
        addresses: head.shards.iter().map(addresses).collect::<Result<_, _>>()?,
        polling: Polling { endpoints: endpoints.collect(), fallback: polls(head.polling.fallback) },
        no_reduce: head.no_reduce,
        uses_before: one(&head.uses_before)?,
        uses_after: one(&head.uses_after)?,
    })
}

fn http_options(server: &config::Server) -> HttpOptions {
    let defaults = HttpOptions::default();
    // Pings that are switched off are pings after no time, or after one that never comes.
    let time = server.grpc.number("grpc.keepalive_time_ms");
    let never = time.is_some_and(|time| time <= 0 || time >= i32::MAX.into());
    let keepalive_time = server.grpc.milliseconds("grpc.keepalive_time_ms").or(defaults.keepalive_time);
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
        keepalive_time: keepalive_time.filter(|_| !never),
        keepalive_timeout: server
            .grpc
            .milliseconds("grpc.keepalive_timeout_ms")
            .unwrap_or(defaults.keepalive_timeout),
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
