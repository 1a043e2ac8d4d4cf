//! What a gateway is to do, in the terms of its parts; and the one place that makes it of the configuration.

mod from_spec;

use std::num::NonZeroUsize;
use std::time::Duration;

use call::{Limits, Metadata};
use executor_client::{Address, InvalidAddress};
use indexmap::IndexMap;
use info::{Facts, StreamerArgs};
use routing::{GraphSpec, Polling, ShardsSpec};
use server::{HttpOptions, Timing, tls};

/// What a gateway is to do. The default has no executors and a free port on the loopback interface.
#[derive(Debug, Clone)]
pub struct Settings {
    /// In the status report.
    pub name: String,
    /// Where it listens.
    pub ports: Vec<Port>,
    /// Encryption on all ports.
    pub tls: Option<tls::Files>,
    /// The graph as written.
    pub graph: GraphSpec,
    /// Where the executors of the graph are.
    pub executors: IndexMap<String, Executor>,
    /// How they are called.
    pub client: executor_client::Settings,
    /// What data calls over gRPC allow; those over WebSocket have the same bounds.
    pub calls: grpc::server::Settings,
    /// What the HTTP front end does.
    pub rest: frontend_http::Settings,
    /// What GraphQL allows on the ports of HTTP; `None` if it is not served.
    pub graphql: Option<frontend_graphql::Settings>,
    /// What connections allow.
    pub http: HttpOptions,
    /// Connections that wait to be accepted, for each port.
    pub backlog: i32,
    /// How often clients of WebSocket are pinged.
    pub websocket_ping: Duration,
    /// What the process takes on.
    pub limits: Limits,
    /// The longest that a request may take; `None` leaves it to the client.
    pub max_timeout: Option<Duration>,
    /// How the process ends.
    pub drain: Timing,
    /// Threads that move data; `None` means one for each core.
    pub workers: Option<NonZeroUsize>,
}

/// Where a gateway listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// What is spoken there; several are told apart connection by connection and request by request.
    pub protocols: Vec<Protocol>,
    /// A name or an address.
    pub host: String,
    /// Its number.
    pub number: PortNumber,
}

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// REST and server-sent events.
    Http,
    /// WebSocket, with plain HTTP for probes.
    WebSocket,
}

/// Which port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortNumber {
    /// This one.
    Fixed(u16),
    /// Any free one.
    Free,
    /// Any free one of these, both ends included.
    FreeWithin(u16, u16),
}

/// Where an executor is.
#[derive(Debug, Clone, Default)]
pub struct Executor {
    /// Its replicas; a name may stand for several. None if it is in shards.
    pub addresses: Vec<Address>,
    /// Headers that every call to it carries.
    pub metadata: Metadata,
    /// Its shards, if it is in several and has no head of its own.
    pub shards: Option<Shards>,
}

/// An executor in shards, whose head the gateway is.
#[derive(Debug, Clone, Default)]
pub struct Shards {
    /// The replicas of each.
    pub addresses: Vec<Vec<Address>>,
    /// Which of them get a call.
    pub polling: Polling,
    /// Whether their answers stay unmerged.
    pub no_reduce: bool,
    /// Who is called before them.
    pub uses_before: Option<Address>,
    /// Who is called after them.
    pub uses_after: Option<Address>,
}

/// A configuration that no gateway can be made of.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// An executor cannot be called.
    #[error("executor `{executor}` has a wrong address")]
    Address {
        /// The executor.
        executor: String,
        /// What is wrong.
        source: InvalidAddress,
    },
    /// A method that HTTP does not have.
    #[error("endpoint `{endpoint}` cannot be exposed: `{method}` is no HTTP method")]
    Method {
        /// The endpoint.
        endpoint: String,
        /// The method.
        method: String,
    },
}

/// gRPC on a free port of the loopback interface.
impl Default for Port {
    fn default() -> Self {
        Self::of(&[Protocol::Grpc])
    }
}

impl Port {
    /// A free port of the loopback interface that speaks `protocols`.
    #[must_use]
    pub fn of(protocols: &[Protocol]) -> Self {
        Self { protocols: protocols.to_vec(), host: "127.0.0.1".to_owned(), number: PortNumber::Free }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "gateway".to_owned(),
            ports: vec![Port::default()],
            tls: None,
            graph: GraphSpec::default(),
            executors: IndexMap::new(),
            client: executor_client::Settings::default(),
            calls: grpc::server::Settings::default(),
            rest: frontend_http::Settings::default(),
            graphql: None,
            http: HttpOptions::default(),
            backlog: 1024,
            websocket_ping: Duration::from_secs(20),
            limits: Limits::default(),
            max_timeout: None,
            drain: Timing::default(),
            workers: None,
        }
    }
}

impl Settings {
    /// What is in force, for the status report.
    pub(crate) fn facts(&self) -> Facts {
        let timeout = self.max_timeout.map_or_else(|| "none".to_owned(), |timeout| format!("{timeout:?}"));
        let own = [
            ("max-requests", self.limits.requests.to_string()),
            ("max-bytes", self.limits.bytes.to_string()),
            ("max-message", self.calls.max_message.to_string()),
            ("prefetch", self.calls.prefetch.to_string()),
            ("request-timeout", timeout),
        ];
        server::facts(&self.http, self.tls.as_ref()).into_iter().chain(own).collect()
    }

    /// What the status report shows of them.
    pub(crate) fn streamer_args(&self) -> StreamerArgs {
        let addresses = |executor: &Executor| executor.all_addresses().map(shown).collect();
        let metadata = |executor: &Executor| {
            executor.metadata.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        };
        let with_metadata = self.executors.iter().filter(|(_, executor)| !executor.metadata.0.is_empty());
        StreamerArgs {
            graph_representation: self.graph.description.clone(),
            executor_addresses: self
                .executors
                .iter()
                .map(|(name, executor)| (name.clone(), addresses(executor)))
                .collect(),
            graph_conditions: self.graph.conditions.clone(),
            deployments_metadata: with_metadata
                .map(|(name, executor)| (name.clone(), metadata(executor)))
                .collect(),
            deployments_no_reduce: self.graph.no_reduce.clone(),
            timeout_send: self.client.timeout_send.map(|timeout| timeout.as_secs_f64()),
            retries: self.client.retries,
            compression: match self.client.encoding {
                grpc::Encoding::Identity => None,
                grpc::Encoding::Gzip => Some("Gzip".to_owned()),
                grpc::Encoding::Deflate => Some("Deflate".to_owned()),
                grpc::Encoding::Zstd => Some("Zstd".to_owned()),
            },
            runtime_name: self.name.clone(),
            prefetch: self.calls.prefetch,
        }
    }
}

impl Executor {
    /// Everybody who is called for it.
    fn all_addresses(&self) -> impl Iterator<Item = &Address> {
        let shards = self.shards.iter();
        let of_shards = shards.flat_map(|shards| {
            let around = shards.uses_before.iter().chain(&shards.uses_after);
            shards.addresses.iter().flatten().chain(around)
        });
        self.addresses.iter().chain(of_shards)
    }
}

impl Shards {
    /// How they are called.
    pub(crate) fn spec(&self) -> ShardsSpec {
        ShardsSpec {
            n: self.addresses.len(),
            polling: self.polling.clone(),
            no_reduce: self.no_reduce,
            uses_before: self.uses_before.is_some(),
            uses_after: self.uses_after.is_some(),
        }
    }
}

/// With a scheme in any case, as peers show it.
fn shown(address: &Address) -> String {
    if address.tls() { address.to_string() } else { format!("grpc://{address}") }
}
