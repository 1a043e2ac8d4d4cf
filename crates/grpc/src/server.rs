//! The data calls, answered through a [`call::Handler`].
//!
//! One HTTP request becomes one [`call::Request`] (or, for `Call`, one for each message of its stream), the
//! answer becomes the HTTP response. Gateways and executors serve the same calls, so both use this.

mod body;
mod call_stream;
mod head;
mod port;
mod receive;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use call::{Admission, Admitted, Error, ErrorCode, Handler, Kind, Message, Request, Response};
use http::HeaderName;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub use body::Body;
pub use head::{Head, NotGrpc};
pub use port::{Grpc, Offers, PortBody};

use call_stream::CallStream;
use receive::Receiver;

/// A request body that arrives over a connection.
pub trait Incoming:
    http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static
{
}

impl<B> Incoming for B where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static
{
}

/// What the data calls allow.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest message taken, before and after decompression.
    pub max_message: usize,
    /// The largest message answered.
    pub max_answer: usize,
    /// Requests of one `Call` stream in flight; 0 is no limit of its own.
    pub prefetch: usize,
    /// How long a peer may stop in the middle of a message.
    pub stall: Duration,
    /// Whether answers that report an error say so in their trailers, as executors and heads do.
    pub mark_errors: bool,
    /// Request headers that travel on, beside those of the trace context.
    pub forward: Vec<HeaderName>,
    /// Cancelled when the process drains: streams of requests take no more of them then, and end when those in
    /// flight are answered.
    pub stop: CancellationToken,
}

impl Settings {
    const fn marks(&self) -> body::Marks {
        body::Marks { errors: self.mark_errors, max_answer: self.max_answer }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message: u32::MAX as usize,
            max_answer: u32::MAX as usize,
            prefetch: 1000,
            stall: Duration::from_secs(60),
            mark_errors: false,
            forward: Vec::new(),
            stop: CancellationToken::new(),
        }
    }
}

/// Serves the data calls. Cloning is cheap.
#[derive(Clone)]
pub struct DataCalls {
    handler: Handler,
    admission: Admission,
    settings: Arc<Settings>,
}

impl std::fmt::Debug for DataCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataCalls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl DataCalls {
    /// Serves with `handler`, within `admission`.
    #[must_use]
    pub fn new(handler: Handler, admission: Admission, settings: Settings) -> Self {
        Self { handler, admission, settings: Arc::new(settings) }
    }

    /// The same for what comes over one more connection.
    #[must_use]
    pub fn for_connection(&self) -> Self {
        Self { admission: self.admission.for_connection(), ..self.clone() }
    }

    /// `process_single_data`: one message, one answer.
    pub async fn process_single_data<B: Incoming>(self, request: http::Request<B>) -> http::Response<Body> {
        let one = |wire| Ok((proto::message::read(wire).map_err(malformed)?, Vec::new()));
        self.unary(request, Kind::Documents, one).await
    }

    /// `process_data`: the parts of a join, one answer.
    pub async fn process_data<B: Incoming>(self, request: http::Request<B>) -> http::Response<Body> {
        let list = |wire| {
            let mut parts = proto::message::read_list(wire).map_err(malformed)?.into_iter();
            let first = parts.next().ok_or_else(|| Error::new(ErrorCode::InvalidRequest, NoParts))?;
            Ok((first, parts.collect()))
        };
        self.unary(request, Kind::Documents, list).await
    }

    /// `stream_doc`: one document, a stream of documents.
    pub async fn stream_doc<B: Incoming>(self, request: http::Request<B>) -> http::Response<Body> {
        let one = |wire| Ok((proto::message::read(wire).map_err(malformed)?, Vec::new()));
        self.unary(request, Kind::Stream, one).await
    }

    /// `Call`: messages in, answers out.
    pub fn call<B: Incoming>(self, request: http::Request<B>) -> http::Response<Body> {
        let (parts, body) = request.into_parts();
        let head = match Head::read(&parts, &self.settings) {
            Ok(head) => head,
            Err(error) => return body::failed(&error),
        };
        let marks = self.settings.marks();
        let receiver = Receiver::new(body, head.encoding, &self.settings, self.admission);
        let answers = CallStream::new(receiver, self.handler, head, self.settings.stop.clone());
        body::stream(Box::pin(answers), None, marks)
    }

    async fn unary<B: Incoming>(
        self,
        request: http::Request<B>,
        kind: Kind,
        read: impl FnOnce(call::Payload) -> Result<(Message, Vec<Message>), Error>,
    ) -> http::Response<Body> {
        let marks = self.settings.marks();
        match self.answer(request, kind, read).await {
            Ok((Response::One(message), admitted)) => body::one(&message, admitted, marks),
            Ok((Response::Stream(parts), admitted)) => body::stream(parts, Some(admitted), marks),
            Err(error) => body::failed(&error),
        }
    }

    async fn answer<B: Incoming>(
        self,
        request: http::Request<B>,
        kind: Kind,
        read: impl FnOnce(call::Payload) -> Result<(Message, Vec<Message>), Error>,
    ) -> Result<(Response, Admitted), Error> {
        let (parts, body) = request.into_parts();
        let Head { context, encoding, .. } = Head::read(&parts, &self.settings)?;
        let mut receiver = Receiver::new(body, encoding, &self.settings, self.admission);
        let deadline = context.deadline;
        let received = deadline.bound(receiver.only()).await;
        let (wire, admitted) = received.ok_or_else(|| Error::new(ErrorCode::DeadlineExceeded, TooLate))??;
        let (message, parts) = read(wire)?;
        let request = Request { message, parts, kind, context };
        Ok((self.handler.oneshot(request).await?, admitted))
    }
}

fn malformed(error: call::wire::Malformed) -> Error {
    Error::new(ErrorCode::InvalidRequest, MalformedMessage(error))
}

/// The bytes of a message are no `DataRequestProto`.
#[derive(Debug, thiserror::Error)]
#[error("the request is not a valid message")]
struct MalformedMessage(#[source] call::wire::Malformed);

#[derive(Debug, thiserror::Error)]
#[error("the list of requests is empty")]
struct NoParts;

#[derive(Debug, thiserror::Error)]
#[error("the deadline passed before the request was received")]
struct TooLate;
