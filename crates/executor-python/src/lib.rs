//! Executors in Python, run by worker processes of the user's own Python.
//!
//! A worker loads the user's class as Jina does and answers calls over a socket: see `worker/`. Everything else,
//! networking, admission, health and errors, stays in this process: [`start`] makes the workers, and what
//! [`Python::foreign`] returns is hosted by `executor_runtime` like any other executor. Knows no network and no
//! gateway.

mod backoff;
mod error;
mod frame;
mod hello;
mod link;
mod pool;
mod process;
mod settings;
mod write;

use std::sync::Arc;

use executor_runtime::{Call, Foreign, ForeignEndpoint, ForeignRun};
use tokio::sync::watch;

pub use error::StartError;
pub use process::Exit;
pub use settings::Settings;

use hello::Hello;
use pool::Pool;

/// An executor in Python whose workers are up. Dropping it before it is hosted ends them.
#[derive(Debug)]
pub struct Python {
    pool: Arc<Pool>,
    hello: Hello,
}

/// Starts the workers of an executor and waits until each has loaded it. `name` is the executor's in errors.
///
/// # Errors
///
/// If one of them does not.
pub async fn start(settings: Settings, name: String) -> Result<Python, StartError> {
    let (pool, hello) = Pool::start(settings, name).await?;
    Ok(Python { pool, hello })
}

impl Python {
    /// The executor's own name.
    #[must_use]
    pub fn meta_name(&self) -> &str {
        &self.hello.about.meta_name
    }

    /// The name of its class.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.hello.about.class
    }

    /// The version of Python.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.hello.about.python
    }

    /// How many workers are up.
    #[must_use]
    pub fn up(&self) -> watch::Receiver<usize> {
        self.pool.up()
    }

    /// The executor, to be hosted.
    #[must_use]
    pub fn foreign(&self) -> Foreign {
        let is_batched = self.hello.about.endpoints.values().any(|function| function.batching.is_some());
        let endpoints = self.hello.discovery.endpoints.iter().filter_map(|(name, schema)| {
            let function = self.hello.about.endpoints.get(&**name)?;
            let schema = schema.clone()?;
            let run = match (schema.is_generator, function.concurrent) {
                (true, _) => {
                    let pool = self.pool.clone();
                    ForeignRun::Stream(Box::new(move |invocation, items| {
                        Box::pin(pool.clone().stream(invocation, items))
                    }))
                }
                (false, true) => ForeignRun::Concurrent(call(&self.pool, false)),
                (false, false) => ForeignRun::Blocking(call(&self.pool, true)),
            };
            let is_write = self.hello.discovery.write_endpoints.contains(name);
            let method = function.method.as_str().into();
            let batching = function.batching.map(Into::into);
            Some(ForeignEndpoint { name: name.clone(), method, is_write, schema, batching, run })
        });
        let pool = self.pool.clone();
        Foreign {
            class: self.hello.about.class.as_str().into(),
            endpoints: endpoints.collect(),
            parallel: self.pool.parallel(is_batched),
            restarts: self.pool.restarts(),
            close: Box::new(move || {
                let pool = pool.clone();
                Box::pin(async move { pool.close().await })
            }),
        }
    }
}

fn call(pool: &Arc<Pool>, blocking: bool) -> Call {
    let pool = pool.clone();
    Box::new(move |invocation| Box::pin(pool.clone().call(invocation, blocking)))
}
