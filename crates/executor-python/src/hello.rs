//! What a worker says when it has loaded the executor, or why it has not.

use std::time::Duration;

use bytestring::ByteString;
use call::{Parameters, Payload};
use docarray::discovery::Discovery;
use executor_runtime::Batching;
use indexmap::IndexMap;
use prost::Message as _;
use proto::jina::EndpointsProto;
use serde::Deserialize;

use crate::StartError;
use crate::frame::FromWorker;

/// The executor as a worker tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Hello {
    pub(crate) about: About,
    pub(crate) discovery: Discovery,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct About {
    pub(crate) class: String,
    pub(crate) meta_name: String,
    pub(crate) python: String,
    pub(crate) endpoints: IndexMap<String, Function>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Function {
    pub(crate) method: String,
    /// Whether many calls of it may be in a worker at the same time.
    pub(crate) concurrent: bool,
    /// How its calls are gathered; `None` if they are not, or by the worker.
    pub(crate) batching: Option<Batched>,
}

/// As Jina configures it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Batched {
    preferred_batch_size: f64,
    /// In milliseconds.
    timeout: f64,
    flush_all: bool,
}

impl From<Batched> for Batching {
    fn from(batched: Batched) -> Self {
        Self {
            preferred_batch_size: Some(batched.preferred_batch_size.ceil() as usize),
            timeout: Some(Duration::try_from_secs_f64(batched.timeout / 1000.0).unwrap_or_default()),
            flush_all: Some(batched.flush_all),
            ..Self::default()
        }
    }
}

#[derive(Debug, Deserialize)]
struct Unfit {
    stage: Stage,
    error: String,
    traceback: String,
    interpreter: String,
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Environment,
    Configuration,
    Executor,
}

impl Hello {
    /// Reads the first frame of a worker.
    pub(crate) fn read(first: FromWorker) -> Result<Self, StartError> {
        match first {
            FromWorker::Hello(about, endpoints) => {
                let about =
                    serde_json::from_slice(&about).map_err(|error| StartError::Frame(error.into()))?;
                let proto =
                    EndpointsProto::decode(endpoints).map_err(|error| StartError::Frame(error.into()))?;
                Ok(Self { about, discovery: discovery(proto)? })
            }
            FromWorker::Unfit(report) => Err(serde_json::from_slice::<Unfit>(&report)
                .map_or_else(|error| StartError::Frame(error.into()), Unfit::into_error)),
            other => Err(StartError::Frame(format!("it begins with {other:?}").into())),
        }
    }
}

fn discovery(proto: EndpointsProto) -> Result<Discovery, StartError> {
    let schemas = proto.schemas.unwrap_or_default().encode_to_vec();
    let schemas = Parameters::from_wire(schemas.into());
    let names = |names: Vec<String>| names.into_iter().map(ByteString::from);
    let write = names(proto.write_endpoints).collect();
    Ok(Discovery::read(names(proto.endpoints), write, &schemas)?)
}

impl Unfit {
    fn into_error(self) -> StartError {
        let Self { stage, error, traceback, interpreter, version } = self;
        let traceback = if traceback.is_empty() { traceback } else { format!("\n{}", traceback.trim_end()) };
        match stage {
            Stage::Environment => StartError::Environment { interpreter, version, error },
            Stage::Configuration => StartError::Configuration { interpreter, version, error, traceback },
            Stage::Executor => StartError::Executor { error, traceback },
        }
    }
}

/// A frame's `StatusProto`.
pub(crate) fn failure(status: impl Into<Payload>) -> executor_runtime::Failure {
    match proto::message::read_status(status.into()) {
        Ok(status) => executor_runtime::Failure::told(status),
        Err(error) => executor_runtime::Failure::new("ProtocolError", error.to_string()),
    }
}
