//! A request to a head as a call to its shards.

use bytestring::ByteString;
use call::{Answer, Error, Handler, Hop, HopInput, Kind, Metadata, NodeIndex, Request, Response};
use executor_client::Pool;
use grpc::header;
use routing::Sharding;

/// Answers requests from the shards.
pub(super) fn handler(sharding: Sharding<Pool>) -> Handler {
    Handler::new(tower::service_fn(move |request| answer(sharding.clone(), request)))
}

async fn answer(mut sharding: Sharding<Pool>, request: Request) -> Result<Response, Error> {
    let Request { message, mut parts, kind, mut context } = request;
    // Gateways tell the endpoint beside the message; others may tell it only in there.
    let endpoint = take_endpoint(&mut context.metadata).or_else(|| message.header.endpoint.clone());
    let input = match kind {
        Kind::Stream => HopInput::Stream(message),
        Kind::Documents if parts.is_empty() => HopInput::One(message),
        Kind::Documents => {
            parts.insert(0, message);
            HopInput::Many(parts)
        }
    };
    let hop = Hop { node: NodeIndex(0), input, context };
    match sharding.call_for(endpoint.as_deref().unwrap_or_default(), hop).await? {
        Answer::One { message, .. } => Ok(Response::One(message)),
        Answer::Stream(parts) => Ok(Response::Stream(parts)),
    }
}

/// The endpoint in the headers, which executors are not told that way twice.
fn take_endpoint(metadata: &mut Metadata) -> Option<ByteString> {
    let mut endpoint = None;
    metadata.0.retain(|(name, value)| {
        let found = **name == *header::ENDPOINT.as_str();
        if found && !value.is_empty() {
            endpoint = Some(value.clone());
        }
        !found
    });
    endpoint
}
