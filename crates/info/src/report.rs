//! Versions and environment of a process.

mod ci;
mod host;

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use jiff::civil::DateTime;
use proto::jina::JinaInfoProto;
use serde::Serialize;

use crate::StreamerArgs;

/// What a process says of itself. Make it at the start of the process; cloning is cheap.
#[derive(Debug, Clone)]
pub struct Report {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: DateTime,
    streamer_args: Option<String>,
    traffic: Traffic,
    facts: Facts,
    hardware_address: u64,
}

/// What a process adds to the report about itself: its limits, its encryption.
pub type Facts = IndexMap<&'static str, String>;

/// Bytes of data requests over gRPC, counted by whoever sends and receives them. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
}

/// The report as it is read; every value is text.
#[derive(Debug, Clone, Serialize)]
pub struct Sections {
    /// Versions and the machine.
    pub jina: IndexMap<&'static str, String>,
    /// Environment variables.
    pub envs: IndexMap<&'static str, String>,
    /// This implementation, and what is in force in this process.
    pub flowgate: IndexMap<&'static str, String>,
}

/// The version of the protocol that is spoken.
const PROTOCOL: &str = "3.34.0";

/// What stands for a variable that is not set.
const UNSET: &str = "(unset)";

/// The variables that peers expect to be told, in their order.
const VARIABLES: [&str; 22] = [
    "JINA_DEFAULT_HOST",
    "JINA_DEFAULT_TIMEOUT_CTRL",
    "JINA_DEPLOYMENT_NAME",
    "JINA_DISABLE_UVLOOP",
    "JINA_EARLY_STOP",
    "JINA_FULL_CLI",
    "JINA_GATEWAY_IMAGE",
    RECEIVED,
    SENT,
    "JINA_HUB_NO_IMAGE_REBUILD",
    "JINA_LOG_CONFIG",
    "JINA_LOG_LEVEL",
    "JINA_LOG_NO_COLOR",
    "JINA_MP_START_METHOD",
    "JINA_OPTOUT_TELEMETRY",
    "JINA_RANDOM_PORT_MAX",
    "JINA_RANDOM_PORT_MIN",
    "JINA_LOCKS_ROOT",
    "JINA_K8S_ACCESS_MODES",
    "JINA_K8S_STORAGE_CLASS_NAME",
    "JINA_K8S_STORAGE_CAPACITY",
    STREAMER_ARGS,
];

// These three are variables by tradition only: the process knows them itself, and they are not read from
// its environment.
const RECEIVED: &str = "JINA_GRPC_RECV_BYTES";
const SENT: &str = "JINA_GRPC_SEND_BYTES";
const STREAMER_ARGS: &str = "JINA_STREAMER_ARGS";

/// A program has one allocator, and none of its parts can see which.
static ALLOCATOR: OnceLock<&'static str> = OnceLock::new();

/// Names the allocator of the program, for all its reports; without it they say `system`.
pub fn name_allocator(name: &'static str) {
    // A program names it once; a second name would be that of the same one.
    let _same = ALLOCATOR.set(name);
}

impl Report {
    /// The report of an executor.
    #[must_use]
    pub fn new(traffic: Traffic) -> Self {
        Self::of_executor(traffic, Facts::new())
    }

    /// The report of an executor that has more to tell.
    #[must_use]
    pub fn of_executor(traffic: Traffic, facts: Facts) -> Self {
        Self::with_streamer_args(None, traffic, facts)
    }

    /// The report of a gateway.
    #[must_use]
    pub fn of_gateway(args: &StreamerArgs, traffic: Traffic, facts: Facts) -> Self {
        Self::with_streamer_args(serde_json::to_string(args).ok(), traffic, facts)
    }

    fn with_streamer_args(streamer_args: Option<String>, traffic: Traffic, facts: Facts) -> Self {
        let started = jiff::ZonedDateTime::now().datetime();
        let hardware_address = host::hardware_address();
        Self { shared: Arc::new(Shared { started, streamer_args, traffic, facts, hardware_address }) }
    }

    /// What it says now.
    #[must_use]
    pub fn read(&self) -> Sections {
        Sections { jina: self.jina(), envs: self.envs(), flowgate: self.flowgate() }
    }

    /// What it says now, as peers are told over gRPC.
    #[must_use]
    pub fn to_proto(&self) -> JinaInfoProto {
        let owned = |section: IndexMap<&str, String>| {
            section.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
        };
        JinaInfoProto { jina: owned(self.jina()), envs: owned(self.envs()), flowgate: owned(self.flowgate()) }
    }

    fn jina(&self) -> IndexMap<&'static str, String> {
        let session = uuid::Uuid::now_v1(&self.node_id());
        let started = self.shared.started;
        IndexMap::from([
            ("jina", PROTOCOL.to_owned()),
            ("docarray", "0.40.0".to_owned()),
            ("jcloud", "not-available".to_owned()),
            ("jina-hubble-sdk", "not-available".to_owned()),
            ("jina-proto", "0.1.27".to_owned()),
            ("protobuf", env!("PROST_VERSION").to_owned()),
            ("proto-backend", "prost".to_owned()),
            ("grpcio", env!("TONIC_VERSION").to_owned()),
            ("pyyaml", env!("SERDE_YAML_VERSION").to_owned()),
            ("python", UNSET.to_owned()),
            ("platform", host::system()),
            ("platform-release", host::release()),
            ("platform-version", host::version()),
            ("architecture", env::consts::ARCH.to_owned()),
            ("processor", String::new()),
            ("uid", self.shared.hardware_address.to_string()),
            ("session-id", session.to_string()),
            ("uptime", format!("{started:.6}")),
            ("ci-vendor", ci::vendor(|name| env::var(name).ok()).unwrap_or(UNSET).to_owned()),
            ("internal", "False".to_owned()),
        ])
    }

    fn envs(&self) -> IndexMap<&'static str, String> {
        let counters = &self.shared.traffic.counters;
        let count = |counter: &AtomicU64| match counter.load(Ordering::Relaxed) {
            0 => None,
            n => Some(n.to_string()),
        };
        let value = |name| match name {
            RECEIVED => count(&counters.received),
            SENT => count(&counters.sent),
            STREAMER_ARGS => self.shared.streamer_args.clone(),
            name => env::var(name).ok(),
        };
        VARIABLES.map(|name| (name, value(name).unwrap_or_else(|| UNSET.to_owned()))).into()
    }

    fn flowgate(&self) -> IndexMap<&'static str, String> {
        let own = IndexMap::from([
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("commit", env!("BUILD_COMMIT").to_owned()),
            ("profile", env!("BUILD_PROFILE").to_owned()),
            ("allocator", ALLOCATOR.get().copied().unwrap_or("system").to_owned()),
            ("protocol", PROTOCOL.to_owned()),
            ("compiler", env!("RUSTC_VERSION").to_owned()),
            ("process", std::process::id().to_string()),
        ]);
        own.into_iter().chain(self.shared.facts.clone()).collect()
    }

    /// The hardware address as the node part of a UUID.
    fn node_id(&self) -> [u8; 6] {
        let [_, _, node @ ..] = self.shared.hardware_address.to_be_bytes();
        node
    }
}

impl Traffic {
    /// Counts what came in.
    pub fn received(&self, bytes: usize) {
        self.counters.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts what went out.
    pub fn sent(&self, bytes: usize) {
        self.counters.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
