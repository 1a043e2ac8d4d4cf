//! From the configuration to the settings of the parts. Every default of the configuration is filled in
//! already, so this is all there is between the two.

use bytestring::ByteString;
use call::{Limits, Metadata, RootPath};
use config::{CustomEndpoint, GatewaySpec, GrpcOptions, Head, HttpSpec, LogSpec, WebServer};
use executor_client::{Address, InvalidAddress};
use indexmap::IndexMap;
use routing::GraphSpec;
use server::{AccessLog, HttpOptions, Timing, tls};

use super::{Executor, InvalidSettings, Port, PortNumber, Protocol, Settings, Shards};

impl TryFrom<GatewaySpec> for Settings {
    type Error = InvalidSettings;

    fn try_from(spec: GatewaySpec) -> Result<Self, InvalidSettings> {
        let GatewaySpec { name, server, client, graph, prefetch, http, telemetry: _, log } = spec;
        let tls = server.tls.as_ref().map(|tls| tls::Files {
            certificates: tls.certificates.clone(),
            private_key: tls.private_key.clone(),
            client_authorities: tls.client_authorities.clone(),
        });
        let web_server = http.web_server.clone();
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
                max_answer: length(&server.grpc, "grpc.max_send_message_length")
                    .unwrap_or(grpc::server::Settings::default().max_answer),
                prefetch: prefetch.map_or(0, usize::from),
                stall: server.limits.body_timeout,
                forward: forward(&server),
                ..grpc::server::Settings::default()
            },
            graphql: http.graphql.map(graphql),
            rest: rest(http, &server)?,
            http: http_options(&server, &web_server, &log),
            backlog: web_server.backlog.unwrap_or(Self::default().backlog),
            websocket_ping: web_server.websocket_ping.unwrap_or(Self::default().websocket_ping),
            limits: Limits { requests: server.limits.requests, bytes: server.limits.bytes },
            max_timeout: server.limits.request_timeout,
            drain: Timing {
                linger: server.drain_linger,
                grace: web_server.graceful_shutdown.unwrap_or(server.drain_grace),
            },
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

/// Every name was checked when it was read.
fn forward(server: &config::Server) -> Vec<http::HeaderName> {
    server.forward_headers.iter().filter_map(|name| name.parse().ok()).collect()
}

fn rest(spec: HttpSpec, server: &config::Server) -> Result<frontend_http::Settings, InvalidSettings> {
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
    let defaults = frontend_http::Settings::default();
    let exposed = expose_endpoints.into_iter().map(|(endpoint, custom)| exposed(endpoint, custom));
    Ok(frontend_http::Settings {
        title: title.unwrap_or(defaults.title),
        description: description.unwrap_or(defaults.description),
        root_path: RootPath::new(&web_server.root_path.unwrap_or_default()),
        cors,
        no_debug_endpoints,
        exposed: exposed.collect::<Result<_, _>>()?,
        max_body: max_message(server),
        stall: server.limits.body_timeout,
        forward: forward(server),
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
    Ok(Shards {
        addresses: head.shards.iter().map(addresses).collect::<Result<_, _>>()?,
        polling: (&head.polling).into(),
        no_reduce: head.no_reduce,
        uses_before: one(&head.uses_before)?,
        uses_after: one(&head.uses_after)?,
    })
}

fn http_options(server: &config::Server, web_server: &WebServer, log: &LogSpec) -> HttpOptions {
    let access_log = log.access.then_some(AccessLog { hide_health_checks: log.hide_health_checks });
    HttpOptions { access_log, ..HttpOptions::from(server).with_web_server(web_server) }
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
