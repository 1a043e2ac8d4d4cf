//! What the functions of an executor may take and return.

use std::error::Error;

use call::Payload;
use docarray::{Doc, DocError, DocList};
use serde_json::{Map, Value};

use crate::{Failure, Outcome};

/// Documents as a function takes them.
#[diagnostic::on_unimplemented(
    message = "`docs` is a `DocList` of documents, not `{Self}`",
    note = "a function that takes one document at a time calls it `doc`"
)]
pub trait Docs: Sized {
    /// Their type.
    type Doc: Doc;

    /// Reads them from a message's content.
    ///
    /// # Errors
    ///
    /// If one is of another type.
    fn read(content: Payload) -> Result<Self, DocError>;

    /// Writes them as a message's content.
    fn write(&self) -> Payload;
}

impl<T: Doc> Docs for DocList<T> {
    type Doc = T;

    fn read(content: Payload) -> Result<Self, DocError> {
        Self::read(content)
    }

    fn write(&self) -> Payload {
        self.write()
    }
}

/// What a function that takes `DocList<I>` may return: documents, nothing, an object of results, or a `Result`
/// of one of these.
#[diagnostic::on_unimplemented(
    message = "an endpoint cannot return `{Self}`",
    note = "it returns a `DocList`, nothing, a JSON object, or a `Result` of one of these"
)]
pub trait Answer<I: Doc> {
    /// The documents of the answer.
    type Output: Doc;

    /// What to answer.
    ///
    /// # Errors
    ///
    /// If the function failed.
    fn outcome(self) -> Result<Outcome, Failure>;
}

impl<I: Doc> Answer<I> for () {
    type Output = I;

    fn outcome(self) -> Result<Outcome, Failure> {
        Ok(Outcome::default())
    }
}

impl<I: Doc, O: Doc> Answer<I> for DocList<O> {
    type Output = O;

    fn outcome(self) -> Result<Outcome, Failure> {
        Ok(Outcome { documents: Some(self.write()), results: None })
    }
}

impl<I: Doc> Answer<I> for Map<String, Value> {
    type Output = I;

    fn outcome(self) -> Result<Outcome, Failure> {
        Ok(Outcome { documents: None, results: Some(self) })
    }
}

impl<I: Doc> Answer<I> for Value {
    type Output = I;

    fn outcome(self) -> Result<Outcome, Failure> {
        match self {
            Self::Object(results) => Answer::<I>::outcome(results),
            Self::Null => Ok(Outcome::default()),
            Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Array(_) => {
                Err(Failure::new("TypeError", "the results of an executor are a JSON object"))
            }
        }
    }
}

impl<I: Doc, A: Answer<I>, E: IntoFailure> Answer<I> for Result<A, E> {
    type Output = A::Output;

    fn outcome(self) -> Result<Outcome, Failure> {
        self.map_err(IntoFailure::into_failure)?.outcome()
    }
}

/// An error that an executor may return: anything that can become a boxed error.
#[diagnostic::on_unimplemented(message = "`{Self}` is no error")]
pub trait IntoFailure {
    /// How callers are told.
    fn into_failure(self) -> Failure;
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoFailure for E {
    fn into_failure(self) -> Failure {
        Failure::of::<E>(self.into())
    }
}
