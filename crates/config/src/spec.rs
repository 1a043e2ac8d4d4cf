//! The checked specifications: what a command is to do, with every default filled in.
//!
//! Plain data. The parts of the system have settings of their own; the binaries map these to those.

mod commands;
mod executor;
mod export;
mod flow;
mod gateway;
mod log;
mod network;
mod stateful;
mod telemetry;

pub use commands::{Check, Command, FlowCommand, Help, Parsed, Ping, PingTarget, Version};
pub use executor::{
    Batching, ExecutorSpec, Head, Polling, PollingRule, Provider, PythonSpec, Role, Shard, Uses,
};
pub use export::{Claims, Cluster, Export, ExportFormat, Probes, Replicas, Resources, Services};
pub use flow::{Deployment, DeploymentRole, External, FlowSpec};
pub use gateway::{CustomEndpoint, GatewaySpec, Graph, GraphQl, HttpSpec, WebServer};
pub use log::{
    Align, Field, Level, LineForm, LogHandler, LogPeriod, LogSpec, LogTarget, Piece, Template, TemplateError,
};
pub use network::{
    Address, Balance, Client, Compression, GrpcOption, GrpcOptions, InvalidAddress, Limits, Listener, Port,
    Protocol, Retries, Server, TlsClient, TlsServer,
};
pub use stateful::{Peers, RaftOptions, Stateful};
pub use telemetry::{Exporter, Telemetry};
