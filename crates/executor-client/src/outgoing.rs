//! A hop as it goes over the wire.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use call::{Context, Deadline, Hop, HopInput, Payload};
use grpc::client::{Message, Outgoing};
use grpc::{Encoding, header, path};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::executor::Executor;

/// A hop, encoded once for all attempts.
#[derive(Debug)]
pub(crate) struct Prepared {
    executor: Arc<Executor>,
    path: &'static str,
    endpoint: Option<HeaderValue>,
    context: Context,
    encoding: Encoding,
    /// A frame if nothing is compressed and the message is one, otherwise a message.
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Frame(Payload),
    Message(Payload),
}

impl Prepared {
    pub(crate) fn new(executor: Arc<Executor>, hop: Hop, encoding: Encoding) -> Self {
        let endpoint = hop.input.first().and_then(|message| message.header.endpoint.as_ref());
        let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty()).cloned();
        // An endpoint that no header can hold is only missed by heads, which then go by the message's.
        let endpoint =
            endpoint.and_then(|endpoint| HeaderValue::from_maybe_shared(endpoint.into_bytes()).ok());
        let single = if executor.offers_single.load(Ordering::Relaxed) {
            path::PROCESS_SINGLE_DATA
        } else {
            path::CALL
        };
        let (path, wire) = match &hop.input {
            HopInput::One(message) => (single, one(message, encoding)),
            HopInput::Stream(message) => (path::STREAM_DOC, one(message, encoding)),
            HopInput::Many(messages) => {
                (path::PROCESS_DATA, Wire::Message(proto::message::write_list(messages)))
            }
        };
        Self { executor, path, endpoint, context: hop.context, encoding, wire }
    }

    /// When nobody waits for the answer any more.
    pub(crate) const fn deadline(&self) -> Deadline {
        self.context.deadline
    }

    /// Whether a stream of documents is the answer.
    pub(crate) fn is_stream(&self) -> bool {
        self.path == path::STREAM_DOC
    }

    /// The call for one attempt.
    pub(crate) fn outgoing(&self, deadline: Deadline) -> Outgoing {
        let message = match &self.wire {
            Wire::Frame(frame) => Message::Frame(frame.clone()),
            Wire::Message(message) => Message::Encode(self.encoding, message.clone()),
        };
        Outgoing { path: PathAndQuery::from_static(self.path), headers: self.headers(), deadline, message }
    }

    /// The configured metadata, then what travels on, then the endpoint.
    fn headers(&self) -> HeaderMap {
        let configured = &self.executor.headers;
        // Room for those that the connection adds as well.
        let mut headers = HeaderMap::with_capacity(configured.len() + self.context.metadata.0.len() + 6);
        for (name, value) in configured {
            headers.append(name.clone(), value.clone());
        }
        for (name, value) in &self.context.metadata.0 {
            let value = HeaderValue::from_maybe_shared(value.clone().into_bytes());
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                headers.append(name, value);
            }
        }
        if let Some(endpoint) = &self.endpoint {
            headers.append(header::ENDPOINT, endpoint.clone());
        }
        headers
    }
}

fn one(message: &call::Message, encoding: Encoding) -> Wire {
    match encoding {
        Encoding::Identity => Wire::Frame(proto::message::write_frame(message)),
        Encoding::Gzip | Encoding::Deflate | Encoding::Zstd => Wire::Message(proto::message::write(message)),
    }
}
