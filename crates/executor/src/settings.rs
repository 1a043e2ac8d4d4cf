//! What an executor process is to do, in the terms of its parts; and the one place that makes it of the
//! configuration.

mod from_spec;
mod head;
mod stateful;

use std::num::NonZeroUsize;
use std::time::Duration;

use call::Limits;
use executor_client::InvalidAddress;
use executor_runtime::ExecutorSettings;
use info::Facts;
use server::{HttpOptions, Timing, tls};

pub use from_spec::entry;
pub use head::HeadSettings;

/// What an executor process is to do.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How it serves.
    pub serving: Serving,
    /// How the executor is hosted.
    pub executor: ExecutorSettings,
    /// How its replicas are kept consistent, if they are.
    pub stateful: Option<consensus::Settings>,
    /// What the ports of HTTP do.
    pub rest: frontend_http::Settings,
    /// How often clients of WebSocket are pinged; `None` leaves it at the default.
    pub websocket_ping: Option<Duration>,
}

/// How a process serves, whatever it answers. The default listens on a free port of the loopback interface.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Where it listens; at least one. All answer from the same executor.
    pub ports: Vec<Port>,
    /// Encryption.
    pub tls: Option<tls::Files>,
    /// What connections allow.
    pub http: HttpOptions,
    /// Connections that wait to be accepted, for each port.
    pub backlog: i32,
    /// How the process ends.
    pub drain: Timing,
    /// Threads that move data; `None` means one for each core.
    pub workers: Option<NonZeroUsize>,
}

/// Where an executor listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// What is spoken there.
    pub protocol: Protocol,
    /// A name or an address.
    pub host: String,
    /// Its number.
    pub number: PortNumber,
}

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC, as gateways and heads call it.
    Grpc,
    /// REST and server-sent events, for clients without a gateway.
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
}

/// A configuration that no executor can be made of.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// Nothing by that name is in this program.
    #[error("`uses` names the executor `{name}`, which is not in this program; it has {known}")]
    UnknownExecutor {
        /// As configured.
        name: String,
        /// What there is.
        known: String,
    },
    /// A feature that is not there.
    #[error("{what} is not supported by this program")]
    Unsupported {
        /// The feature.
        what: &'static str,
    },
    /// A shard, or who is called before or after them, cannot be called.
    #[error("the address of an executor behind the head is wrong")]
    Address(#[from] InvalidAddress),
    /// A replica does not know which one it is.
    #[error("no replica of `peers` is on this host, `{host}`: give the number by `replica-id`")]
    WhichReplica {
        /// The name of this machine.
        host: String,
    },
    /// A head that is to speak to clients.
    #[error("a head listens on one port, which speaks GRPC: only gateways call it")]
    PortsOfHead,
}

impl Serving {
    /// What is in force, for the status report.
    pub(crate) fn facts(&self, limits: Limits, calls: &grpc::server::Settings) -> Facts {
        let own = [
            ("max-requests", limits.requests.to_string()),
            ("max-bytes", limits.bytes.to_string()),
            ("max-message", calls.max_message.to_string()),
        ];
        server::facts(&self.http, self.tls.as_ref()).into_iter().chain(own).collect()
    }
}

impl Port {
    /// A free port of the loopback interface that speaks `protocol`.
    #[must_use]
    pub fn of(protocol: Protocol) -> Self {
        Self { protocol, host: "127.0.0.1".to_owned(), number: PortNumber::Free }
    }
}

/// One port that speaks gRPC.
impl Default for Serving {
    fn default() -> Self {
        Self {
            ports: vec![Port::of(Protocol::Grpc)],
            tls: None,
            http: HttpOptions::default(),
            backlog: 1024,
            drain: Timing::default(),
            workers: None,
        }
    }
}
