//! Requests to endpoints.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use call::{Arrived, ErrorCode, Message, Request};
use http::request::Parts;
use tower::ServiceExt as _;

use crate::answer::json;
use crate::error::Failure;
use crate::head;
use crate::held::Held;
use crate::receive::receive;
use crate::service::Worker;
use crate::table::Target;

/// Bodies from this size on are read and written where they hold up nobody else.
const LARGE: usize = 1 << 20;

/// The answer of an endpoint that streams to a request that asks for none.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint streams")]
struct Streams;

/// One request: its documents go to the endpoint together, and what comes back is the answer.
pub(crate) async fn post(
    worker: &Worker,
    target: Arc<Target>,
    parts: Parts,
    body: Body,
) -> Result<Response, Failure> {
    let Arrived { body, context, admitted } = receive(worker, &parts, body).await?;
    if !body.is_empty() && !head::is_json(&parts.headers) {
        return Err(Failure::NotJson { body });
    }
    let mut message = read(&target, &parts, body).await?;
    message.header.endpoint = Some(target.name.clone());
    let request_id = message.header.request_id.clone();
    let request = Request { message, context, ..Request::default() };
    let failed = |error| Failure::Call { request_id: request_id.clone(), error };
    let answer = match worker.handler.clone().oneshot(request).await.map_err(failed)? {
        call::Response::One(answer) => answer,
        call::Response::Stream(_) => {
            return Err(failed(call::Error::new(ErrorCode::Internal, Streams)));
        }
    };
    if answer.is_error() {
        let status = answer.header.status.unwrap_or_default();
        return Err(Failure::Executor { request_id, status });
    }
    let body = write(target, answer).await?;
    let mut response = json(Body::new(Held::new(body, admitted)));
    head::tell_request_id(&request_id, response.headers_mut());
    Ok(response)
}

async fn read(target: &Arc<Target>, parts: &Parts, body: Bytes) -> Result<Message, Failure> {
    let large = body.len() >= LARGE;
    let (target, request_id) = (target.clone(), head::request_id(&parts.headers));
    let work = move || {
        let read = target.model.read_with_id(&body, request_id);
        read.map_err(|invalid| Failure::Invalid { part: "body", invalid, body })
    };
    apart(large, work).await
}

async fn write(target: Arc<Target>, answer: Message) -> Result<Vec<u8>, Failure> {
    let large = answer.documents.as_ref().is_some_and(|documents| documents.len() >= LARGE);
    let work = move || {
        let mut body = Vec::new();
        target.model.write(&answer, &mut body).map_err(Failure::Answer)?;
        Ok(body)
    };
    apart(large, work).await
}

/// Runs work of the processor: what takes long, on a thread that serves nobody else.
async fn apart<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if is_long { tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Panic)? } else { work() }
}
