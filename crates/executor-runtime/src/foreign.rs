//! Executors whose code runs in other processes and which are only known once those run.

use std::sync::Arc;

use bytestring::ByteString;
use call::Error;
use docarray::discovery::EndpointSchema;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::sync::watch;

use crate::endpoint::{Bound, Code};
use crate::registry::Instance;
use crate::state::State;
use crate::{Authored, Batching, Called, Failure, Invocation, Items, Outcome};

/// One call of code elsewhere. The outer error is ours: nobody was there to call. The inner one is the code's.
pub type Call =
    Box<dyn Fn(Invocation) -> BoxFuture<'static, Result<Result<Outcome, Failure>, Error>> + Send + Sync>;

/// Such an executor.
pub struct Foreign {
    /// The name of its class.
    pub class: ByteString,
    /// Its endpoints, in its own order.
    pub endpoints: Vec<ForeignEndpoint>,
    /// How many blocking calls it takes at a time, unless more are allowed.
    pub parallel: usize,
    /// How many times one of its processes was started again. What such a process kept in memory is gone. It is
    /// counted before the new process takes its first call.
    pub restarts: watch::Receiver<u64>,
    /// Called once when the process ends, after the last call.
    pub close: Box<dyn Fn() -> Called<()> + Send + Sync>,
}

/// One endpoint of such an executor.
pub struct ForeignEndpoint {
    /// The endpoint.
    pub name: ByteString,
    /// The function behind it.
    pub method: ByteString,
    /// Whether it changes the executor's state.
    pub is_write: bool,
    /// What it takes and returns.
    pub schema: EndpointSchema,
    /// How its calls are gathered into batches; `None` if they are not.
    pub batching: Option<Batching>,
    /// The code.
    pub run: ForeignRun,
}

/// How code elsewhere is called.
pub enum ForeignRun {
    /// Many calls at the same time; one that is dropped is cancelled.
    Concurrent(Call),
    /// As many calls as it takes at a time. They cannot be cancelled.
    Blocking(Call),
    /// One document in, documents out while the caller takes them.
    Stream(Box<dyn Fn(Invocation, Items) -> Called<()> + Send + Sync>),
}

impl std::fmt::Debug for ForeignRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Concurrent(_) => "Concurrent",
            Self::Blocking(_) => "Blocking",
            Self::Stream(_) => "Stream",
        })
    }
}

impl Foreign {
    pub(crate) fn into_instance(self) -> Instance {
        let endpoints = self.endpoints.into_iter().map(ForeignEndpoint::bind);
        let endpoints = endpoints.collect::<IndexMap<_, _>>();
        Instance { endpoints, state: State::elsewhere(), close: self.close }
    }
}

impl ForeignEndpoint {
    fn bind(self) -> (ByteString, Arc<Bound>) {
        let code = match self.run {
            ForeignRun::Concurrent(run) => Code::Foreign { run, blocking: false },
            ForeignRun::Blocking(run) => Code::Foreign { run, blocking: true },
            ForeignRun::Stream(run) => Code::Stream(run),
        };
        let Self { name, method, is_write, schema, batching, .. } = self;
        let authored = Authored { batching, ..Authored::default() };
        (name, Arc::new(Bound { method, is_write, schema, authored, code }))
    }
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.endpoints.iter().map(|endpoint| &endpoint.name).collect();
        f.debug_struct("Foreign")
            .field("class", &self.class)
            .field("endpoints", &names)
            .field("parallel", &self.parallel)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ForeignEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignEndpoint")
            .field("name", &self.name)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
