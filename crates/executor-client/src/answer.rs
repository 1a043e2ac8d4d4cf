//! What comes back from an executor.

use bytestring::ByteString;
use call::{Answer, Deadline, Message, Metadata, Parts};
use futures_util::stream;
use grpc::client::Reply;
use grpc::header;
use http::HeaderMap;

use crate::error::Failure;
use crate::replica::InFlight;

/// Reads the one message of an answer.
pub(crate) async fn one(reply: Reply) -> Result<Answer, Failure> {
    let (wire, trailers) = reply.only().await?;
    let mut message = proto::message::read(wire)?;
    message.trailers = metadata(&trailers);
    Ok(Answer::One { message, failed: trailers.contains_key(header::IS_ERROR) })
}

/// Reads a stream of documents up to its first, so that a call that fails before it can be made again.
/// `failed` makes the error that ends the stream later.
pub(crate) async fn documents(
    mut reply: Reply,
    in_flight: InFlight,
    deadline: Deadline,
    failed: impl Fn(Failure) -> call::Error + Send + 'static,
) -> Result<Answer, Failure> {
    let first = next(&mut reply).await?;
    let Some(first) = first else {
        return Ok(Answer::Stream(Box::pin(stream::empty())));
    };
    let rest = Rest { first: Some(first), reply, in_flight, deadline, failed };
    let parts: Parts = Box::pin(stream::unfold(Some(rest), |rest| async {
        let mut rest = rest?;
        match rest.next().await {
            Ok(Some(document)) => Some((Ok(document), Some(rest))),
            Ok(None) => None,
            Err(failure) => Some((Err((rest.failed)(failure)), None)),
        }
    }));
    Ok(Answer::Stream(parts))
}

/// The documents of a stream that are yet to be taken.
struct Rest<F> {
    first: Option<Message>,
    reply: Reply,
    #[expect(dead_code, reason = "counts the call until the stream is dropped")]
    in_flight: InFlight,
    deadline: Deadline,
    failed: F,
}

impl<F> Rest<F> {
    async fn next(&mut self) -> Result<Option<Message>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let next = self.deadline.bound(next(&mut self.reply)).await;
        next.unwrap_or(Err(Failure::TimedOut { allowed: None }))
    }
}

async fn next(reply: &mut Reply) -> Result<Option<Message>, Failure> {
    let Some(wire) = reply.next().await? else { return Ok(None) };
    Ok(Some(proto::message::read(wire)?))
}

/// The trailers that are not gRPC's own.
fn metadata(trailers: &HeaderMap) -> Metadata {
    let mut metadata = Metadata::default();
    for (name, value) in trailers {
        if name.as_str().starts_with("grpc-") {
            continue;
        }
        if let Ok(value) = value.to_str() {
            metadata.0.push((ByteString::from(name.as_str()), ByteString::from(value)));
        }
    }
    metadata
}
