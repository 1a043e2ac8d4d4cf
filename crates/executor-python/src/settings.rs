//! How an executor in Python is run.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

/// How an executor in Python is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The user's Python.
    pub interpreter: PathBuf,
    /// How many worker processes.
    pub workers: NonZeroUsize,
    /// Arguments of `jina executor` by their names in Python, such as `uses` and `uses_with`.
    pub arguments: Map<String, Value>,
    /// Whether workers take new code where files of the executor change.
    pub reload: bool,
    /// Bytes of data that each worker may have.
    pub memory_limit: Option<u64>,
    /// How long one call may take before its worker is killed.
    pub call_limit: Option<Duration>,
    /// How long a worker may take to load the executor.
    pub start_limit: Duration,
    /// Variables that workers see besides those of this process.
    pub variables: Vec<(OsString, OsString)>,
}

impl Settings {
    /// Whether functions that are no coroutines run at the same time in one worker.
    pub(crate) fn allows_concurrent(&self) -> bool {
        self.arguments.get("allow_concurrent").and_then(Value::as_bool).unwrap_or(false)
    }

    /// What a worker is told first.
    pub(crate) fn setup(&self) -> Vec<u8> {
        let setup = serde_json::json!({
            "args": self.arguments,
            "reload": self.reload,
            "memory_limit": self.memory_limit,
        });
        setup.to_string().into_bytes()
    }
}
