//! Server-sent events: one for each document of an endpoint that streams.
//!
//! A frame is one chunk with CRLF at its ends, because the clients of Jina look for both.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use bytestring::ByteString;
use call::{Admitted, Arrived, Kind, Message, Parts as Documents, Request};
use docarray::envelope::put_detail;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::error::Failure;
use crate::receive::receive;
use crate::service::Worker;
use crate::table::Target;
use crate::{head, query};

/// How often a silent stream shows that it is alive.
const PING: Duration = Duration::from_secs(15);

const END: &[u8] = b"event: end\r\n\r\n";

/// Streams what an endpoint makes of one document. A failure before the first document is the answer; later ones
/// end the stream with an event of their own, and without the one that says that it is complete.
pub(crate) async fn stream(
    worker: &Worker,
    target: Arc<Target>,
    parts: Parts,
    body: Body,
) -> Result<Response, Failure> {
    let Arrived { body, context, admitted } = receive(worker, &parts, body).await?;
    let mut message = read(&target, &parts, body)?;
    message.header.endpoint = Some(target.name.clone());
    if let Some(id) = head::request_id(&parts.headers) {
        message.header.request_id = id;
    }
    let request_id = message.header.request_id.clone();
    let request = Request { message, kind: Kind::Stream, context, ..Request::default() };
    let failed = |error| Failure::Call { request_id: request_id.clone(), error };
    let mut documents = match worker.handler.clone().oneshot(request).await.map_err(failed)? {
        call::Response::Stream(documents) => documents,
        call::Response::One(only) => Box::pin(stream::iter([Ok(only)])),
    };
    let first = tokio::time::timeout(PING, documents.next()).await;
    let begin = match first {
        Ok(Some(Err(error))) => return Err(failed(error)),
        Ok(Some(Ok(part))) if part.is_error() => {
            let status = part.header.status.unwrap_or_default();
            return Err(Failure::Executor { request_id, status });
        }
        Ok(part) => Some(part),
        Err(_elapsed) => None,
    };
    let events = Events { documents, begin, target, end: None, _admitted: admitted };
    Ok(response(&request_id, events))
}

/// The document is the body, or else the query.
fn read(target: &Target, parts: &Parts, body: Bytes) -> Result<Message, Failure> {
    if !body.is_empty() && !head::is_json(&parts.headers) {
        return Err(Failure::NotJson { body });
    }
    let query = parts.uri.query().unwrap_or_default();
    let (part, body) = if body.is_empty() && !query.is_empty() {
        ("query", Bytes::from(query::document(query).to_string()))
    } else {
        ("body", body)
    };
    target.model.read_document(&body).map_err(|invalid| Failure::Invalid { part, invalid, body })
}

fn response(request_id: &ByteString, events: Events) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let mut response = (headers, Body::from_stream(events.frames())).into_response();
    head::tell_request_id(request_id, response.headers_mut());
    response
}

/// A stream on its way. Dropping it cancels what is not finished.
struct Events {
    documents: Documents,
    /// What came before the answer began; `None` if it took long.
    begin: Option<Option<Result<Message, call::Error>>>,
    target: Arc<Target>,
    /// Set when nothing more comes.
    end: Option<End>,
    _admitted: Admitted,
}

/// How a stream ends.
enum End {
    /// All documents were sent.
    Complete,
    /// The connection is cut, so that nobody takes what came for everything.
    Cut,
}

/// Cuts the connection.
#[derive(Debug, thiserror::Error)]
#[error("the stream failed")]
struct Cut;

impl Events {
    fn frames(self) -> impl Stream<Item = Result<Bytes, Cut>> {
        stream::unfold(self, |mut events| async move {
            match events.end {
                Some(End::Complete) => return None,
                Some(End::Cut) => {
                    // The connection drops what it has not sent when a body fails; when a body rests, it sends.
                    tokio::task::yield_now().await;
                    events.end = Some(End::Complete);
                    return Some((Err(Cut), events));
                }
                None => {}
            }
            let frame = events.next().await;
            Some((Ok(frame), events))
        })
    }

    async fn next(&mut self) -> Bytes {
        let silence = Instant::now() + PING;
        let part = match self.begin.take() {
            Some(begin) => begin,
            None => tokio::select! {
                part = self.documents.next() => part,
                () = tokio::time::sleep_until(silence) => return ping(),
            },
        };
        match part {
            None => {
                self.end = Some(End::Complete);
                Bytes::from_static(END)
            }
            Some(Ok(part)) if part.is_error() => {
                self.fail(&part.header.status.unwrap_or_default().description)
            }
            Some(Ok(part)) => self.document(&part),
            Some(Err(error)) => self.fail(&error.to_string()),
        }
    }

    fn document(&mut self, part: &Message) -> Bytes {
        let mut frame = b"event: update\r\ndata: ".to_vec();
        match self.target.model.write_document(part, &mut frame) {
            Ok(()) => {
                frame.extend_from_slice(b"\r\n\r\n");
                frame.into()
            }
            Err(error) => self.fail(&error.to_string()),
        }
    }

    fn fail(&mut self, description: &str) -> Bytes {
        self.end = Some(End::Cut);
        let mut frame = b"event: error\r\ndata: ".to_vec();
        put_detail(description, &mut frame);
        frame.extend_from_slice(b"\r\n\r\n");
        frame.into()
    }
}

fn ping() -> Bytes {
    format!(": ping - {}\r\n\r\n", jiff::Timestamp::now()).into()
}
