//! Bodies as they arrive.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes};
use call::{Admitted, Arrived, Payload};
use http::header::CONTENT_ENCODING;
use http::request::Parts;
use http_body_util::BodyExt as _;

use crate::error::Failure;
use crate::head;
use crate::service::Worker;

/// What can go wrong while a body arrives.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body stopped arriving for {0:?}")]
    Stalled(Duration),
    #[error("the deadline passed while the body arrived")]
    TooLate,
    #[error("the body cannot be read: {0}")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    #[error("bodies encoded as `{name}` are not understood; gzip, deflate, br and zstd are")]
    Encoding { name: String },
}

/// Takes on a request and collects its body, each piece of which is taken on in the name of the process, too.
pub(crate) async fn receive(worker: &Worker, parts: &Parts, body: Body) -> Result<Arrived, Failure> {
    let settings = &worker.shared.settings;
    let context = head::context(parts, settings)?;
    let mut admitted = worker.admission(parts).admit()?;
    let headers = &parts.headers;
    // What was understood is decoded already, and its header gone.
    if let Some(name) = headers.get(CONTENT_ENCODING).filter(|name| *name != "identity") {
        let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
        return Err(ReceiveError::Encoding { name }.into());
    }
    let limit = settings.max_body;
    if head::content_length(headers).is_some_and(|announced| announced > limit) {
        return Err(ReceiveError::TooLarge { limit }.into());
    }
    let collected = collect(body, limit, settings.stall, &mut admitted);
    let body = context.deadline.bound(collected).await.ok_or(ReceiveError::TooLate)??;
    Ok(Arrived { body, context, admitted })
}

async fn collect(
    mut body: Body,
    limit: usize,
    stall: Duration,
    admitted: &mut Admitted,
) -> Result<Bytes, Failure> {
    let mut received = Payload::new();
    loop {
        let frame = tokio::time::timeout(stall, body.frame()).await;
        let Some(frame) = frame.map_err(|_| ReceiveError::Stalled(stall))? else { break };
        let frame = frame.map_err(|error| ReceiveError::Lost(error.into()))?;
        // Trailers have nothing to say.
        let Ok(data) = frame.into_data() else { continue };
        if received.len() + data.len() > limit {
            return Err(ReceiveError::TooLarge { limit }.into());
        }
        admitted.add_bytes(data.len())?;
        received.push(data);
    }
    Ok(received.into_bytes())
}
