//! Answers with typed documents.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytestring::ByteString;
use call::wire::Malformed;
use call::{Message, Payload, RESULTS_KEY, Route};
use docarray::{Doc, DocError, DocList};
use futures_core::Stream;
use serde_json::{Map, Value};

use crate::{Error, ExecutorError, Messages};

/// The answer to one message.
#[derive(Debug, Clone)]
pub struct Response<T> {
    /// The documents.
    pub documents: DocList<T>,
    message: Message,
}

/// The answers to a request, as they come. Ends after the first error; dropping it cancels what is not finished.
#[must_use = "nothing is sent before the answers are polled"]
pub struct Responses<T> {
    messages: Messages,
    documents: PhantomData<fn() -> T>,
}

/// The documents that a streaming endpoint answers, as they come.
#[must_use = "nothing is sent before the answers are polled"]
pub struct Documents<T> {
    messages: Messages,
    documents: PhantomData<fn() -> T>,
}

impl<T> Response<T> {
    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &ByteString {
        &self.message.header.request_id
    }

    /// The parameters that came back.
    ///
    /// # Errors
    ///
    /// If they are malformed.
    pub fn parameters(&self) -> Result<Map<String, Value>, Malformed> {
        self.message.parameters.to_map()
    }

    /// What executors returned beside documents, by their names.
    ///
    /// # Errors
    ///
    /// If it is malformed.
    pub fn results(&self) -> Result<Map<String, Value>, Malformed> {
        match self.message.parameters.get(RESULTS_KEY)? {
            Some(Value::Object(results)) => Ok(results),
            _ => Ok(Map::new()),
        }
    }

    /// Where the request has been, in the order in which it got there.
    ///
    /// # Errors
    ///
    /// If they are malformed.
    pub fn routes(&self) -> Result<Vec<Route>, Malformed> {
        proto::message::routes(&self.message.routes)
    }

    /// The failure of an executor, if one failed and the request went on regardless.
    #[must_use]
    pub fn error(&self) -> Option<ExecutorError> {
        ExecutorError::of(&self.message)
    }

    /// The answer as it came.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }
}

impl<T> Responses<T> {
    pub(crate) const fn new(messages: Messages) -> Self {
        Self { messages, documents: PhantomData }
    }
}

impl<T: Doc> Stream for Responses<T> {
    type Item = Result<Response<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.messages).poll_next(cx));
        let next = next.map(|message| {
            message.and_then(|message| {
                let content = message.documents.clone().unwrap_or_default();
                let documents = DocList::read(content).map_err(|error| of_document(&message, error))?;
                Ok(Response { documents, message })
            })
        });
        if let Some(Err(_)) = next {
            self.messages.cancel();
        }
        Poll::Ready(next)
    }
}

impl<T> Documents<T> {
    pub(crate) const fn new(messages: Messages) -> Self {
        Self { messages, documents: PhantomData }
    }
}

impl<T: Doc> Stream for Documents<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.messages).poll_next(cx));
        let next = next.map(|message| {
            message.and_then(|message| {
                let doc: Payload = message.documents.clone().unwrap_or_default();
                T::read(doc).map_err(|error| of_document(&message, error))
            })
        });
        if let Some(Err(_)) = next {
            self.messages.cancel();
        }
        Poll::Ready(next)
    }
}

fn of_document(message: &Message, source: DocError) -> Error {
    Error::Document { request_id: message.header.request_id.clone(), source }
}

impl<T> fmt::Debug for Responses<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responses").field("messages", &self.messages).finish()
    }
}

impl<T> fmt::Debug for Documents<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("messages", &self.messages).finish()
    }
}
