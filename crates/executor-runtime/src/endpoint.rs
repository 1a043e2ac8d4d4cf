//! Endpoints: the functions of an executor, and how they are called.

use std::path::PathBuf;
use std::sync::Arc;

use bytestring::ByteString;
use docarray::discovery::EndpointSchema;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::state::State;
use crate::{Authored, BuildError, Failure, Invocation, Items, Outcome, Setup};

/// What the code of an executor comes to.
pub type Called<T> = BoxFuture<'static, Result<T, Failure>>;

/// An executor. Made by `#[executor]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no executor",
    note = "put `#[executor]` on the `impl` block that holds its endpoints"
)]
pub trait Executor: Sized + Send + Sync + 'static {
    /// The name of the class.
    fn class() -> &'static str;

    /// Makes the executor of `uses_with`.
    ///
    /// # Errors
    ///
    /// If `with` does not fit, or the executor cannot be made.
    fn build(with: Map<String, Value>, setup: &Setup) -> Result<Self, BuildError>;

    /// Its endpoints.
    fn endpoints() -> Vec<Endpoint<Self>>;

    /// Writes its state to `file`, which does not exist yet. No function that changes the state runs meanwhile.
    fn snapshot(self: Arc<Self>, file: PathBuf) -> Called<()> {
        let _ = file;
        Box::pin(async { Err(Failure::new("NotImplementedError", "the executor has no `snapshot`")) })
    }

    /// Takes its state from `file`, which a snapshot wrote. No function that changes the state runs meanwhile.
    fn restore(self: Arc<Self>, file: PathBuf) -> Called<()> {
        let _ = file;
        Box::pin(async { Err(Failure::new("NotImplementedError", "the executor has no `restore`")) })
    }

    /// Called once when the process ends, after the last call.
    fn close(self: Arc<Self>) -> Called<()> {
        Box::pin(async { Ok(()) })
    }
}

/// A function of an executor and the endpoints that it answers.
#[derive(Debug)]
pub struct Endpoint<E> {
    /// The endpoints.
    pub names: Vec<&'static str>,
    /// The function.
    pub method: &'static str,
    /// Whether it changes the executor's state.
    pub is_write: bool,
    /// What it takes and returns.
    pub schema: EndpointSchema,
    /// How its calls are gathered into batches.
    pub authored: Authored,
    /// The code.
    pub run: Run<E>,
}

/// How a function is called.
pub enum Run<E> {
    /// On the thread of the connection.
    Async(fn(Arc<E>, Invocation) -> Called<Outcome>),
    /// On a thread for such functions, so that nobody else waits for it.
    Blocking(fn(&E, Invocation) -> Result<Outcome, Failure>),
    /// One document in, documents out while the caller takes them.
    Stream(fn(Arc<E>, Invocation, Items) -> Called<()>),
}

impl<E> std::fmt::Debug for Run<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Blocking(_) => "Blocking",
            Self::Stream(_) => "Stream",
        })
    }
}

/// A function with the executor it belongs to.
pub(crate) struct Bound {
    pub(crate) method: ByteString,
    pub(crate) is_write: bool,
    pub(crate) schema: EndpointSchema,
    pub(crate) authored: Authored,
    pub(crate) code: Code,
}

/// The code of an endpoint, whatever its executor.
pub(crate) enum Code {
    Async(Box<dyn Fn(Invocation) -> Called<Outcome> + Send + Sync>),
    Blocking(Arc<dyn Fn(Invocation) -> Result<Outcome, Failure> + Send + Sync>),
    Stream(Box<dyn Fn(Invocation, Items) -> Called<()> + Send + Sync>),
    /// It runs in another process, and calls wait here as they do for code of this one.
    Foreign {
        run: crate::foreign::Call,
        blocking: bool,
    },
}

impl<E: Executor> Endpoint<E> {
    pub(crate) fn bind(self, executor: &Arc<E>, state: &State) -> (Vec<ByteString>, Bound) {
        let executor = executor.clone();
        let code = match self.run {
            Run::Async(run) => Code::Async(Box::new(move |invocation| run(executor.clone(), invocation))),
            Run::Blocking(run) => Code::Blocking(Arc::new(move |invocation| run(&executor, invocation))),
            Run::Stream(run) => {
                Code::Stream(Box::new(move |invocation, items| run(executor.clone(), invocation, items)))
            }
        };
        let code = if self.is_write { state.guard(code) } else { code };
        let names = self.names.into_iter().map(ByteString::from_static).collect();
        let Self { method, is_write, schema, authored, .. } = self;
        let method = ByteString::from_static(method);
        (names, Bound { method, is_write, schema, authored, code })
    }
}
