//! A gateway's specification.

use super::network::{TlsNames, client, gateway_listeners, protocols, server};
use super::{Context, Settings, graph, http, log, telemetry, web_server};
use crate::{GatewaySpec, Place, Protocol};

/// Whether every node must have an address by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// The gateway runs alone.
    Required,
    /// Whoever starts the executors fills them in.
    Later,
}

pub(crate) fn gateway(settings: &Settings, context: &mut Context<'_>, addresses: Addresses) -> GatewaySpec {
    let settings = &web_server::with_identity(settings, context);
    let protocols = served(settings, context, addresses);
    let mut listeners = gateway_listeners_of(settings, context, protocols);
    if listeners.is_empty() {
        listeners = gateway_listeners(settings, context, vec![Protocol::Grpc]);
    }
    let tls = TlsNames {
        certificates: "ssl-certfile",
        private_key: "ssl-keyfile",
        client_authorities: Some("ssl-client-ca"),
    };
    let mut spec = GatewaySpec {
        name: settings.owned("name").unwrap_or_default(),
        server: server(settings, context, listeners, &tls),
        client: client(settings, context),
        graph: graph::graph(settings, context),
        prefetch: settings.non_zero("prefetch"),
        http: http::http(settings, context),
        telemetry: telemetry::telemetry(settings),
        log: log::log(settings, context, settings.owned("name")),
    };
    spec.log.access &= spec.http.web_server.access_log != Some(false);
    if settings.integer("prefetch").is_some_and(|prefetch| prefetch < 0) {
        let value = settings.value("prefetch").cloned().unwrap_or_default();
        context.expected(settings.place("prefetch"), "a whole number from 0", &value);
    }
    check_addresses(&spec, settings, context, addresses);
    spec
}

/// What is served, and on which ports. A gateway of one protocol takes the first port, whatever else is listed.
fn gateway_listeners_of(
    settings: &Settings,
    context: &mut Context<'_>,
    served: Served,
) -> Vec<crate::Listener> {
    match served {
        Served::Listed(protocols) => gateway_listeners(settings, context, protocols),
        Served::One(protocol) => {
            let port = super::network::port(settings.ports("port").first().copied());
            vec![crate::Listener { protocols: vec![protocol], port }]
        }
    }
}

enum Served {
    One(Protocol),
    Listed(Vec<Protocol>),
}

/// `uses` names one of four classes; a class of one protocol decides against `--protocol`.
fn served(settings: &Settings, context: &mut Context<'_>, addresses: Addresses) -> Served {
    let listed = protocols(settings);
    let one = match settings.text("uses") {
        None | Some("" | "CompositeGateway" | "Gateway" | "BaseGateway") => return Served::Listed(listed),
        Some("GRPCGateway") => Protocol::Grpc,
        Some("HTTPGateway" | "FastAPIBaseGateway") => Protocol::Http,
        Some("WebSocketGateway") => Protocol::WebSocket,
        Some(image) if image.starts_with("docker://") && addresses == Addresses::Later => {
            context.doubt(settings.place("uses"), "a gateway image can be exported, but not run here");
            return Served::Listed(listed);
        }
        Some(other) => {
            let what = "GRPCGateway, HTTPGateway, WebSocketGateway, CompositeGateway or a YAML file \
                        (gateways of Python code cannot run here)";
            context.expected(settings.place("uses"), what, &other.into());
            return Served::Listed(listed);
        }
    };
    if settings.is_said("protocol") && listed != [one] {
        let message =
            format!("`{}` decides: only {} is served", settings.text("uses").unwrap_or(""), one.name());
        context.doubt(settings.place("protocol"), message);
    }
    Served::One(one)
}

fn check_addresses(spec: &GatewaySpec, settings: &Settings, context: &mut Context<'_>, addresses: Addresses) {
    let graph = &spec.graph;
    if addresses == Addresses::Required {
        for node in graph.nodes().filter(|node| graph.addresses.get(*node).is_none_or(Vec::is_empty)) {
            // A wrong address was already complained about.
            let said = settings.value("deployments-addresses").is_some_and(|all| all.get(node).is_some());
            if !said {
                let place = settings.place("graph-description");
                let place = if place == Place::Default { Place::CommandLine } else { place };
                context.conflict(place, format!("node `{node}` has no address in --deployments-addresses"));
            }
        }
    }
    let known = |name: &str| graph.nodes().any(|node| node == name);
    let others = [
        ("graph-conditions", graph.conditions.keys().collect::<Vec<_>>()),
        ("deployments-addresses", graph.addresses.keys().collect()),
        ("deployments-metadata", graph.metadata.keys().collect()),
        ("deployments-no-reduce", graph.no_reduce.iter().collect()),
    ];
    for (argument, names) in others {
        for name in names.into_iter().filter(|name| !known(name)) {
            context.doubt(settings.place(argument), format!("the graph has no node `{name}`"));
        }
    }
}
