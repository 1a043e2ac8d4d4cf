//! The gateway process.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::{Address, Client, Head, LogSpec, Server, Telemetry};

/// Everything that a gateway process is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct GatewaySpec {
    /// In logs, metrics and traces.
    pub name: String,
    /// Where it listens.
    pub server: Server,
    /// How it calls executors.
    pub client: Client,
    /// What it routes along.
    pub graph: Graph,
    /// Requests in flight for each client stream; `None` sets no limit.
    pub prefetch: Option<std::num::NonZeroUsize>,
    /// What its HTTP side looks like.
    pub http: HttpSpec,
    /// Metrics and traces.
    pub telemetry: Telemetry,
    /// Logs.
    pub log: LogSpec,
}

/// The graph as it was written. Whether it makes sense is for `routing` to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Node → successors, with the pseudo nodes `start-gateway` and `end-gateway`.
    pub description: IndexMap<String, Vec<String>>,
    /// Node → condition on its documents.
    pub conditions: IndexMap<String, Value>,
    /// Nodes that get their inputs unmerged.
    pub no_reduce: Vec<String>,
    /// Node → where its replicas are.
    pub addresses: IndexMap<String, Vec<Address>>,
    /// Node → the shards behind it, for executors whose head the gateway is itself. No flag says this; Flows do.
    pub heads: IndexMap<String, Head>,
    /// Node → gRPC metadata for each call to it.
    pub metadata: IndexMap<String, IndexMap<String, String>>,
}

impl Graph {
    /// Every executor in the description, in the order of first mention.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        let mentioned = self.description.iter().flat_map(|(node, next)| std::iter::once(node).chain(next));
        let unique: indexmap::IndexSet<&str> = mentioned.map(String::as_str).collect();
        unique.into_iter().filter(|node| !matches!(*node, "start-gateway" | "end-gateway"))
    }
}

/// The HTTP side of a gateway, or of an executor that speaks HTTP.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HttpSpec {
    /// Title of the OpenAPI document.
    pub title: Option<String>,
    /// Description in the OpenAPI document.
    pub description: Option<String>,
    /// Whether any web page may call.
    pub cors: bool,
    /// Leaves out `/status`, `/post` and `/dry_run` where the original does.
    pub no_debug_endpoints: bool,
    /// Leaves out `/index`, `/search`, `/update` and `/delete` where the original does.
    pub no_crud_endpoints: bool,
    /// Endpoint → its HTTP route.
    pub expose_endpoints: IndexMap<String, CustomEndpoint>,
    /// What `/graphql` allows; `None` if it is not served.
    pub graphql: Option<GraphQl>,
    /// Settings of the web server.
    pub web_server: WebServer,
}

/// What the user said about the web server; everything else stays as it is by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebServer {
    /// Whether each request is a line of the log, as far as the log's level lets it be.
    pub access_log: Option<bool>,
    /// Connections that wait to be accepted.
    pub backlog: Option<i32>,
    /// How long an idle HTTP/1 connection is kept.
    pub keep_alive: Option<Duration>,
    /// For requests in flight when the process ends.
    pub graceful_shutdown: Option<Duration>,
    /// Bytes of the headers of a request.
    pub max_header: Option<u32>,
    /// How often clients of WebSocket are pinged.
    pub websocket_ping: Option<Duration>,
    /// The path under which a proxy shows the process, `/` first.
    pub root_path: Option<String>,
    /// Headers of every answer; names are in lower case.
    pub headers: Vec<(String, String)>,
    /// From this many connections, or requests, of a port on requests are refused.
    pub limit_concurrency: Option<usize>,
}

/// How large queries of GraphQL may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphQl {
    /// Fields inside fields.
    pub max_depth: usize,
    /// Fields of a query, each as often as it is asked for.
    pub max_complexity: usize,
    /// Calls of endpoints in a query.
    pub max_calls: usize,
    /// Bytes of the text of a query.
    pub max_query: usize,
    /// Names, values and punctuators in the text of a query.
    pub max_tokens: usize,
    /// Queries and subscriptions at once on a WebSocket connection.
    pub max_operations: usize,
}

/// An HTTP route of its own for an executor's endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomEndpoint {
    /// The path, `/` first.
    pub http_path: String,
    /// Upper-case method names.
    pub methods: Vec<String>,
    /// Everything else, for the OpenAPI document.
    pub openapi: IndexMap<String, Value>,
}
