//! Questions to endpoints.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Value;
use bytestring::ByteString;
use call::{Admission, Admitted, Context, Handler, Kind, Message, Parts, Payload, Request};
use docarray::envelope::Endpoint;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

use crate::error::Failure;

/// What is as large as this is read and written where it holds up nobody else.
pub(crate) const LARGE: usize = 1 << 20;

/// What the fields of one request share.
pub(crate) struct Asker {
    pub(crate) handler: Handler,
    pub(crate) context: Context,
    /// Where further questions are taken on, within the share of the connection.
    pub(crate) admission: Admission,
    /// What was admitted for the request as a whole; its first question takes it.
    pub(crate) admitted: Mutex<Option<Admitted>>,
}

/// A question to an endpoint.
#[derive(Debug)]
pub(crate) struct Question {
    /// As executors bind it.
    pub(crate) endpoint: ByteString,
    /// What it takes and returns.
    pub(crate) model: Arc<Endpoint>,
    /// One document or a list of them.
    pub(crate) data: Option<Json>,
    pub(crate) parameters: Option<Json>,
    pub(crate) target_executor: Option<ByteString>,
    pub(crate) request_id: Option<ByteString>,
}

/// A question in flight.
struct InFlight {
    admitted: Admitted,
    /// Whether its bytes were counted when they arrived.
    is_counted: bool,
}

impl Asker {
    /// The answer: an object with `data`, `parameters` and `header`.
    pub(crate) async fn ask(&self, question: Question) -> Result<Value, Failure> {
        let mut admitted = self.admit()?;
        let model = question.model.clone();
        let message = question.into_message().await?;
        admitted.count(&message)?;
        let request = Request { message, context: self.context.clone(), ..Request::default() };
        let answer = match self.handler.clone().oneshot(request).await? {
            call::Response::One(answer) => answer,
            call::Response::Stream(_) => return Err(Failure::Streams),
        };
        if let Some(status) = answer.header.status.clone().filter(|status| status.is_error) {
            return Err(Failure::Executor(status));
        }
        let is_large = answer.documents.as_ref().is_some_and(|documents| documents.len() >= LARGE);
        let written = apart(is_large, move || {
            let mut json = Vec::new();
            model.write(&answer, &mut json)?;
            Ok(serde_json::from_slice(&json)?)
        });
        written.await.unwrap_or(Err(Failure::Panic))
    }

    /// The documents of a stream, one after the other. The first failure ends it.
    pub(crate) async fn stream(
        &self,
        question: Question,
    ) -> Result<impl Stream<Item = Result<Value, Failure>> + Send + use<>, Failure> {
        let mut admitted = self.admit()?;
        let model = question.model.clone();
        let message = question.into_document()?;
        admitted.count(&message)?;
        let request =
            Request { message, kind: Kind::Stream, context: self.context.clone(), ..Request::default() };
        let parts: Parts = match self.handler.clone().oneshot(request).await? {
            call::Response::Stream(parts) => parts,
            call::Response::One(only) => Box::pin(stream::iter([Ok(only)])),
        };
        Ok(stream::unfold(Some((parts, model, admitted)), |streaming| async move {
            let (mut parts, model, admitted) = streaming?;
            let part = parts.next().await?;
            let document = part.map_err(Failure::from).and_then(|part| document(&model, &part));
            let is_over = document.is_err();
            Some((document, (!is_over).then_some((parts, model, admitted))))
        }))
    }

    fn admit(&self) -> Result<InFlight, call::Error> {
        let held = self.admitted.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(match held {
            Some(admitted) => InFlight { admitted, is_counted: true },
            None => InFlight { admitted: self.admission.admit()?, is_counted: false },
        })
    }
}

impl InFlight {
    /// Documents may come from a variable that several questions use: each has them.
    fn count(&mut self, message: &Message) -> Result<(), call::Error> {
        let documents = message.documents.as_ref().filter(|_| !self.is_counted);
        Ok(self.admitted.add_bytes(documents.map_or(0, Payload::len))?)
    }
}

impl Question {
    async fn into_message(self) -> Result<Message, Failure> {
        let Self { endpoint, model, data, parameters, target_executor, request_id } = self;
        let mut body = serde_json::Map::new();
        body.extend(data.map(|data| ("data".to_owned(), data)));
        body.extend(parameters.map(|parameters| ("parameters".to_owned(), parameters)));
        let body = Json::Object(body).to_string();
        let is_large = body.len() >= LARGE;
        let read = move || model.read_with_id(body.as_bytes(), request_id).map_err(Failure::Invalid);
        let mut message = apart(is_large, read).await.unwrap_or(Err(Failure::Panic))?;
        message.header.endpoint = Some(endpoint);
        message.header.target_executor = target_executor;
        Ok(message)
    }

    fn into_document(self) -> Result<Message, Failure> {
        let document = self.data.unwrap_or_else(|| json!({})).to_string();
        let mut message = self.model.read_document(document.as_bytes()).map_err(Failure::Invalid)?;
        message.header.endpoint = Some(self.endpoint);
        message.header.target_executor = self.target_executor;
        if let Some(request_id) = self.request_id {
            message.header.request_id = request_id;
        }
        if let Some(parameters) = self.parameters {
            let read = self.model.parameters().read_parameters(parameters.to_string().as_bytes());
            message.parameters = read.map_err(Failure::Invalid)?;
        }
        Ok(message)
    }
}

fn document(model: &Endpoint, part: &Message) -> Result<Value, Failure> {
    if let Some(status) = part.header.status.clone().filter(|status| status.is_error) {
        return Err(Failure::Executor(status));
    }
    let mut json = Vec::new();
    model.write_document(part, &mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

/// Runs work of the processor: what takes long, on a thread that serves nobody else. `None` if it panics.
pub(crate) async fn apart<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if is_long { tokio::task::spawn_blocking(work).await.ok() } else { Some(work()) }
}
