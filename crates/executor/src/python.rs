//! An executor in Python: its workers, and what of the configuration is theirs.

use std::sync::Arc;

use config::{ExecutorSpec, Provider, PythonSpec};
use executor_runtime::host_foreign;
use indexmap::IndexMap;
use info::Health;
use serde_json::{Map, Value, json};
use server::{DrainHandle, Workers};
use tokio::sync::watch;

use crate::start::Closed;
use crate::{InvalidSettings, Running, Settings, StartError};

/// How an executor in Python is run.
#[derive(Debug, Clone)]
pub struct Python(pub executor_python::Settings);

impl Python {
    /// What the configuration says of an executor in Python, if it is one that this process is to run.
    #[must_use]
    pub fn of(spec: &ExecutorSpec) -> Option<Self> {
        let python = spec.python.as_ref()?;
        Some(Self(executor_python::Settings {
            interpreter: python.interpreter.clone(),
            workers: python.workers,
            arguments: arguments(spec, python),
            reload: python.reload,
            memory_limit: python.memory_limit,
            call_limit: spec.max_call_time,
            start_limit: python.start_limit,
            variables: Vec::new(),
        }))
    }
}

/// The arguments of `jina executor` that concern the class.
fn arguments(spec: &ExecutorSpec, python: &PythonSpec) -> Map<String, Value> {
    let provider = match spec.provider {
        Provider::None => "NONE",
        Provider::Sagemaker => "SAGEMAKER",
        Provider::Azure => "AZURE",
    };
    let given = [
        ("uses", json!(python.uses)),
        ("name", json!(spec.name.as_deref().unwrap_or("executor"))),
        ("uses_with", json!(spec.uses_with)),
        ("uses_metas", json!(spec.uses_metas)),
        ("uses_requests", json!(spec.uses_requests)),
        ("uses_dynamic_batching", json!(python.dynamic_batching)),
        ("py_modules", json!(spec.py_modules)),
        ("extra_search_paths", json!(python.search_paths)),
        ("workspace", json!(spec.workspace)),
        ("shard_id", json!(spec.shard_id)),
        ("shards", json!(spec.shards)),
        ("replica_id", json!(spec.replica_id)),
        ("replicas", json!(spec.replicas)),
        ("allow_concurrent", json!(spec.allow_concurrent)),
        ("output_array_type", json!(spec.output_array_type)),
        ("provider", json!(provider)),
        ("provider_endpoint", json!(spec.provider_endpoint)),
    ];
    // What nobody said is Python's own default.
    let said = given.into_iter().filter(|(_, value)| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    });
    said.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Starts an executor in Python: like [`crate::start`], which it is once its workers are up. While none of them is,
/// it is not ready.
///
/// # Errors
///
/// If a worker cannot load the executor, or the system refuses what the settings ask for.
pub async fn start_python(
    settings: Settings,
    python: Python,
    workers: Arc<Workers>,
) -> Result<Running, StartError> {
    let (closed, mut hosting) = Closed::bind(settings)?;
    let python = executor_python::start(python.0, hosting.name.clone()).await.map_err(StartError::Python)?;
    // They are bound already, by the one who loaded the class.
    hosting.uses_requests.clear();
    hosting.meta_name = Some(python.meta_name().to_owned());
    let foreign = python.foreign();
    let restarts = foreign.restarts.clone();
    let hosted = host_foreign(foreign, hosting)?;
    follow(&closed.bound.handle(), closed.bound.health().clone(), python.up());
    closed.open(hosted, workers, Some(restarts)).await
}

/// Like [`start_python`], from the specification on; workers see these variables besides those of this process.
///
/// # Errors
///
/// If the specification is of no executor in Python, or it does not start.
pub async fn start_workers(
    spec: ExecutorSpec,
    variables: &IndexMap<String, String>,
    workers: Arc<Workers>,
) -> Result<Running, StartError> {
    let what = "an executor without a class in Python";
    let mut python = Python::of(&spec).ok_or(InvalidSettings::Unsupported { what })?;
    python.0.variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    start_python(Settings::try_from(spec)?, python, workers).await
}

/// Keeps readiness in step with the workers.
fn follow(handle: &DrainHandle, health: Health, mut up: watch::Receiver<usize>) {
    handle.spawn_until_stop(async move {
        let mut latch = None;
        loop {
            match (*up.borrow_and_update() > 0, latch.take()) {
                (true, Some(waiting)) => info::Latch::set(waiting),
                (false, None) => latch = Some(health.latch("a Python worker")),
                (_, unchanged) => latch = unchanged,
            }
            if up.changed().await.is_err() {
                return;
            }
        }
    });
}
