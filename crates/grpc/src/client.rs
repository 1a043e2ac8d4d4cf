//! Calls to a peer over one HTTP/2 connection.
//!
//! [`connect`] makes a [`Connection`], a cheap handle for any number of calls at once, and a [`Driver`] that
//! its owner must keep polling: it moves the bytes and pings the peer. Nothing here connects again; a closed
//! connection stays closed and says so.

mod connect;
mod driver;
mod reply;
mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use call::{Deadline, Payload};
use h2::client::SendRequest;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE, USER_AGENT};
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{Method, Version};

pub use connect::{ConnectError, Target, Tls, connect, handshake};
pub use driver::Driver;
pub use reply::{CallError, Reply};
pub use trust::Trust;

use crate::{Encoding, frame, header, timeout};

/// How connections behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long connecting may take, TLS and the HTTP/2 handshake included.
    pub connect_timeout: Duration,
    /// Pings; `None` sends none.
    pub keepalive: Option<Keepalive>,
    /// Bytes in flight towards us per call.
    pub stream_window: u32,
    /// Bytes in flight towards us per connection.
    pub connection_window: u32,
    /// The largest HTTP/2 frame that we take.
    pub max_frame: u32,
    /// The largest answer that we take.
    pub max_message: usize,
    /// The largest request that we send.
    pub max_request: usize,
    /// Bytes of the headers of an answer; `None` leaves it to the library.
    pub max_header: Option<u32>,
    /// The `user-agent` header.
    pub user_agent: HeaderValue,
}

/// When the peer is pinged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// After this much silence.
    pub time: Duration,
    /// Without an answer for this long the connection is given up.
    pub timeout: Duration,
    /// Also while no call is in flight.
    pub without_calls: bool,
    /// Pings in a row without a frame from the peer. gRPC's C core, which Python peers run on, drops
    /// connections at the third.
    pub max_without_data: usize,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(9999),
            timeout: Duration::from_millis(4999),
            without_calls: true,
            max_without_data: 2,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            keepalive: Some(Keepalive::default()),
            stream_window: 4 << 20,
            connection_window: 32 << 20,
            max_frame: 1 << 20,
            max_message: u32::MAX as usize,
            max_request: u32::MAX as usize,
            max_header: None,
            user_agent: HeaderValue::from_static(concat!("flowgate/", env!("CARGO_PKG_VERSION"))),
        }
    }
}

/// A handle to one connection. Clones share it.
#[derive(Clone)]
pub struct Connection {
    requests: SendRequest<Bytes>,
    shared: Arc<Shared>,
}

struct Shared {
    scheme: Scheme,
    authority: http::uri::Authority,
    user_agent: HeaderValue,
    max_message: usize,
    max_request: usize,
    closed: AtomicBool,
    calls: AtomicUsize,
    /// Counts what arrived, so that the driver sees whether anything did.
    received: AtomicUsize,
    /// An [`End`].
    end: AtomicU8,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It has not, or its driver was dropped.
    Open,
    /// In order.
    Closed,
    /// It broke.
    Lost,
    /// The peer did not answer pings.
    Silent,
    /// The peer closed it because it was pinged too often; the next one should ping less.
    TooManyPings,
}

/// One call as it goes out.
#[derive(Debug)]
pub struct Outgoing {
    /// The full name of the call, such as `/jina.JinaRPC/Call`.
    pub path: PathAndQuery,
    /// Beside those that gRPC asks for.
    pub headers: HeaderMap,
    /// Told to the peer; waiting for it is up to the caller.
    pub deadline: Deadline,
    /// What the one message is.
    pub message: Message,
}

/// A message as it goes out.
#[derive(Debug)]
pub enum Message {
    /// A complete uncompressed frame, as `proto::message::write_frame` makes it.
    Frame(Payload),
    /// A message to be compressed.
    Encode(Encoding, Payload),
}

/// Counts a call while it runs.
struct InFlight(Arc<Shared>);

impl Connection {
    /// Whether no further call can be made.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// How it ended, once its driver is done.
    #[must_use]
    pub fn end(&self) -> End {
        let end = self.shared.end.load(Ordering::Relaxed);
        [End::Closed, End::Lost, End::Silent, End::TooManyPings]
            .into_iter()
            .find(|known| *known as u8 == end)
            .unwrap_or(End::Open)
    }

    /// Calls whose answers are not complete.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Sends one message and returns when the head of the answer is there.
    ///
    /// Dropping the future, or the reply, cancels the call at the peer.
    ///
    /// # Errors
    ///
    /// If the call could not be sent or the connection was lost. An error status is the reply's.
    pub async fn call(&self, outgoing: Outgoing) -> Result<Reply, CallError> {
        let (frame, encoding) = match outgoing.message {
            Message::Frame(frame) => (frame, Encoding::Identity),
            Message::Encode(Encoding::Identity, message) => {
                (frame::frame(message, false), Encoding::Identity)
            }
            Message::Encode(encoding, message) => {
                let message = encoding.encode(&message).map_err(CallError::Encode)?;
                (frame::frame(message, true), encoding)
            }
        };
        let (len, limit) = (frame.len().saturating_sub(crate::frame::HEAD), self.shared.max_request);
        if len > limit {
            let message = format!("a request of {len} bytes is larger than the limit of {limit}");
            return Err(CallError::Status(crate::Status {
                code: tonic::Code::ResourceExhausted,
                message: message.into(),
            }));
        }
        let request = self.request(outgoing.path, outgoing.headers, outgoing.deadline, encoding);
        let mut requests = self.requests.clone().ready().await.map_err(CallError::NotSent)?;
        let in_flight = InFlight::new(&self.shared);
        let (response, mut body) = requests.send_request(request, false).map_err(CallError::NotSent)?;
        // The message is in memory already, so queueing it before the window opens costs nothing more.
        let mut pieces = frame.into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let last = pieces.peek().is_none();
            if body.send_data(piece, last).is_err() {
                // The peer has answered or the connection is lost: the response tells which.
                break;
            }
        }
        let response = response.await.map_err(CallError::lost)?;
        self.shared.received.fetch_add(1, Ordering::Relaxed);
        Reply::new(response, in_flight, self.shared.max_message)
    }

    /// Begins a call of many messages: they go out through the [`Outbox`] while the answers come in.
    ///
    /// # Errors
    ///
    /// If the call could not be sent.
    pub async fn open(
        &self,
        path: PathAndQuery,
        headers: HeaderMap,
        deadline: Deadline,
        encoding: Encoding,
    ) -> Result<(Outbox, impl Future<Output = Result<Reply, CallError>> + Send + use<>), CallError> {
        let request = self.request(path, headers, deadline, encoding);
        let mut requests = self.requests.clone().ready().await.map_err(CallError::NotSent)?;
        let in_flight = InFlight::new(&self.shared);
        let (response, body) = requests.send_request(request, false).map_err(CallError::NotSent)?;
        let shared = self.shared.clone();
        let reply = async move {
            let response = response.await.map_err(CallError::lost)?;
            shared.received.fetch_add(1, Ordering::Relaxed);
            Reply::new(response, in_flight, shared.max_message)
        };
        Ok((Outbox { body, encoding }, reply))
    }

    fn request(
        &self,
        path: PathAndQuery,
        mut headers: HeaderMap,
        deadline: Deadline,
        encoding: Encoding,
    ) -> http::Request<()> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(USER_AGENT, self.shared.user_agent.clone());
        if encoding != Encoding::Identity {
            headers.insert(header::GRPC_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        if let Some(left) = deadline.remaining() {
            headers.insert(header::GRPC_TIMEOUT, timeout::format(left));
        }
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.shared.scheme.clone());
        uri.authority = Some(self.shared.authority.clone());
        uri.path_and_query = Some(path);
        let mut request = http::Request::new(());
        *request.method_mut() = Method::POST;
        // Scheme, authority and path together are always a valid URI.
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        request
    }
}

/// The outgoing half of a call of many messages. Dropping it cancels the call unless it is finished.
pub struct Outbox {
    body: h2::SendStream<Bytes>,
    encoding: Encoding,
}

impl Outbox {
    /// Sends one message; waits while the peer does not read.
    ///
    /// # Errors
    ///
    /// If the call is over; how it ended is the reply's to say.
    pub async fn send(&mut self, message: Payload) -> Result<(), CallError> {
        let frame = match self.encoding {
            Encoding::Identity => frame::frame(message, false),
            encoding => frame::frame(encoding.encode(&message).map_err(CallError::Encode)?, true),
        };
        for mut piece in frame {
            while !piece.is_empty() {
                self.body.reserve_capacity(piece.len());
                let room = std::future::poll_fn(|cx| self.body.poll_capacity(cx)).await;
                let room = room.ok_or(CallError::Closed)?.map_err(CallError::lost)?;
                let part = piece.split_to(room.min(piece.len()));
                self.body.send_data(part, false).map_err(CallError::lost)?;
            }
        }
        Ok(())
    }

    /// Says that nothing more will come.
    ///
    /// # Errors
    ///
    /// If the call is over.
    pub fn finish(mut self) -> Result<(), CallError> {
        self.body.send_data(Bytes::new(), true).map_err(CallError::lost)
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

impl InFlight {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.calls.fetch_add(1, Ordering::Relaxed);
        Self(shared.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("authority", &self.shared.authority)
            .field("closed", &self.is_closed())
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
