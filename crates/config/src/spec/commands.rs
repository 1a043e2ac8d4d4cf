//! The commands.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

use super::{ExecutorSpec, Export, GatewaySpec};
use crate::Warning;

/// A command line that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What to do.
    pub command: Command,
    /// What to tell the user, once.
    pub warnings: Vec<Warning>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run a gateway.
    Gateway(Box<GatewaySpec>),
    /// Run an executor.
    Executor(Box<ExecutorSpec>),
    /// Run a Flow.
    Flow(FlowCommand),
    /// Ask a process how it is.
    Ping(Ping),
    /// Write manifests for a Flow.
    Export(Export),
    /// Validate a file and show its graph.
    Check(Check),
    /// Print a text.
    Help(Help),
    /// Print versions.
    Version(Version),
}

/// `flow --uses FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCommand {
    /// The file.
    pub file: PathBuf,
    /// What `${{ CONTEXT.x }}` stands for in it.
    pub context: IndexMap<String, String>,
}

/// `ping TARGET ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// What is behind the address.
    pub target: PingTarget,
    /// How to ask.
    pub protocol: super::Protocol,
    /// Whether the address asks for TLS.
    pub secure: bool,
    /// Where.
    pub host: String,
    /// Where.
    pub port: u16,
    /// For each attempt; `None` sets no limit.
    pub timeout: Option<Duration>,
    /// How often to ask.
    pub attempts: u32,
    /// How many answers must be good.
    pub min_successful_attempts: u32,
    /// Authorities of which one must vouch for whoever answers, PEM.
    pub authorities: Option<PathBuf>,
    /// The certificate chain to show, and its private key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// What is pinged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingTarget {
    /// A gateway process.
    Gateway,
    /// An executor process.
    Executor,
    /// A Flow: every executor must answer.
    Flow,
}

/// `check FILE [--live]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The file.
    pub file: PathBuf,
    /// What `${{ CONTEXT.x }}` stands for in it.
    pub context: IndexMap<String, String>,
    /// How long the executors that run have to answer; `None` asks nobody.
    pub live: Option<Duration>,
}

/// `help` and every `--help`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// What to print.
    pub text: String,
}

/// `--version` and `-vf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Just the version.
    Short,
    /// The report of versions and environment.
    Full,
}
