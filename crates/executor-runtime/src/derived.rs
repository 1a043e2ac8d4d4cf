//! What `#[executor]` writes calls to. Nothing here is meant to be called by hand.
#![doc(hidden)]

use std::error::Error;
use std::pin::Pin;

use call::Payload;
pub use docarray::discovery::EndpointSchema;
use docarray::discovery::Model;
use docarray::{Doc, DocList};
pub use futures_util::Stream;
use futures_util::StreamExt as _;
pub use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
pub use serde_json::{Map, Value};

use crate::{BuildError, Executor, Failure, IntoFailure, Outcome};

/// The schema of an endpoint.
#[must_use]
pub fn schema<I: Doc, O: Doc>(is_generator: bool, is_singleton_doc: bool) -> EndpointSchema {
    EndpointSchema {
        input: Model { name: I::name().into(), schema: I::schema() },
        output: Model { name: O::name().into(), schema: O::schema() },
        parameters: None,
        is_generator,
        is_singleton_doc,
    }
}

/// Reads `uses_with`.
pub fn with<E: Executor, W: DeserializeOwned>(with: Map<String, Value>) -> Result<W, BuildError> {
    let unknown = |path: serde_ignored::Path<'_>| {
        tracing::warn!(executor = E::class(), key = %path, "`with` says what the executor does not know");
    };
    serde_ignored::deserialize(Value::Object(with), unknown)
        .map_err(|source| BuildError::With { executor: E::class(), source })
}

/// Whether one encoded document is of the type.
pub fn check<T: Doc>(doc: Payload) -> Result<(), Failure> {
    read::<T>(doc).map(drop)
}

/// What `metric` says of one encoded document.
pub fn weigh<T: Doc>(doc: Payload, metric: impl FnOnce(&T) -> usize) -> Result<usize, Failure> {
    read::<T>(doc).map(|doc| metric(&doc))
}

fn read<T: Doc>(doc: Payload) -> Result<T, Failure> {
    T::read(doc).map_err(|error| Failure::validation(&error.in_field("docs")))
}

/// What `new` may return.
pub trait Made<E> {
    /// The executor.
    fn made(self) -> Result<E, BuildError>;
}

impl<E: Executor> Made<E> for E {
    fn made(self) -> Result<E, BuildError> {
        Ok(self)
    }
}

impl<E: Executor, X: Into<Box<dyn Error + Send + Sync>>> Made<E> for Result<E, X> {
    fn made(self) -> Result<E, BuildError> {
        self.map_err(|error| BuildError::New { executor: E::class(), source: error.into() })
    }
}

/// What `close` may return.
pub trait Done {
    /// How it went.
    fn done(self) -> Result<(), Failure>;
}

impl Done for () {
    fn done(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<X: IntoFailure> Done for Result<(), X> {
    fn done(self) -> Result<(), Failure> {
        self.map_err(IntoFailure::into_failure)
    }
}

/// An error of the executor's code.
pub fn failed<E: IntoFailure>(error: E) -> Failure {
    error.into_failure()
}

/// The documents that were changed in place, unless others were returned.
#[must_use]
pub fn in_place<T: Doc>(mut outcome: Outcome, docs: &DocList<T>) -> Outcome {
    outcome.documents.get_or_insert_with(|| docs.write());
    outcome
}

/// Documents that were answered one by one.
#[must_use]
pub fn collected<T: Doc>(docs: &DocList<T>) -> Outcome {
    Outcome { documents: Some(docs.write()), results: None }
}

/// The next item of a stream.
pub async fn next<S: Stream>(stream: &mut Pin<&mut S>) -> Option<S::Item> {
    stream.next().await
}

/// Runs code that may block where nobody waits for the thread.
pub fn blocking(
    work: impl FnOnce() -> Result<(), Failure> + Send + 'static,
) -> BoxFuture<'static, Result<(), Failure>> {
    Box::pin(async move {
        let span = tracing::Span::current();
        match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => Err(Failure::panic(&*error.into_panic())),
            Err(_) => Err(Failure::new("Cancelled", "the process ends")),
        }
    })
}

/// How parameters tell their schema.
pub mod tell {
    pub use crate::parameters::{Tell, TellNothing, TellSchema};
}
