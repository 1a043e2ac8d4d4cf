//! A client on the level of bytes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use call::{Deadline, Message, Payload};
use grpc::client::{CallError, Connection, Options, Target};
use grpc::{Encoding, Status};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::JoinSet;
use tonic::Code;

use crate::soon;

/// One connection to a gateway or an executor.
#[derive(Debug)]
pub struct Caller {
    connection: Connection,
    headers: HeaderMap,
    allowed: Option<Duration>,
    _driver: JoinSet<()>,
}

/// Everything that a call was answered.
#[derive(Debug)]
pub struct Exchange {
    /// The messages.
    pub responses: Vec<Bytes>,
    /// How it ended.
    pub status: Result<HeaderMap, Status>,
}

impl Caller {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If that is not possible.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).await.expect("a connection")
    }

    /// Connects; `None` if nobody listens.
    pub async fn try_connect(address: SocketAddr) -> Option<Self> {
        let authority = Authority::try_from(address.to_string()).expect("an address is an authority");
        let target = Target { authority, tls: None };
        let (connection, driver) = grpc::client::connect(address, &target, &Options::default()).await.ok()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        Some(Self { connection, headers: HeaderMap::new(), allowed: None, _driver: tasks })
    }

    /// Sends a header with every call from now on.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Sends headers with every call from now on.
    ///
    /// # Panics
    ///
    /// If they are none.
    #[must_use]
    pub fn with_headers(mut self, headers: &[(String, String)]) -> Self {
        for (name, value) in headers {
            let name = HeaderName::try_from(name.as_str()).expect("a header name");
            self.headers.append(name, HeaderValue::try_from(value).expect("a header value"));
        }
        self
    }

    /// Allows every call this much time from now on.
    #[must_use]
    pub const fn within(mut self, allowed: Duration) -> Self {
        self.allowed = Some(allowed);
        self
    }

    /// Whether no further call can be made.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    /// Calls `path` with `requests`, all sent at once, and collects what comes back.
    pub async fn call(&self, path: &str, requests: impl IntoIterator<Item = Payload>) -> Exchange {
        let mut responses = Vec::new();
        let exchange = async {
            let deadline = self.allowed.map_or(Deadline::NEVER, Deadline::after);
            let path = PathAndQuery::try_from(path).expect("a path");
            let (mut outbox, reply) =
                self.connection.open(path, self.headers.clone(), deadline, Encoding::Identity).await?;
            let sending = async {
                for request in requests {
                    if outbox.send(request).await.is_err() {
                        // The call is over; how it ended is in the reply.
                        return;
                    }
                }
                let _over = outbox.finish();
            };
            let receiving = async {
                let mut reply = reply.await?;
                while let Some(response) = reply.next().await? {
                    responses.push(response.into_bytes());
                }
                Ok(reply.into_trailers())
            };
            let ((), trailers) = tokio::join!(sending, receiving);
            trailers
        };
        let status = soon(path, exchange).await.map_err(|error: CallError| match error {
            CallError::Status(status) => status,
            lost => Status { code: Code::Unavailable, message: lost.to_string().into() },
        });
        Exchange { responses, status }
    }

    /// `process_single_data`.
    ///
    /// # Errors
    ///
    /// The status, if it is not good.
    ///
    /// # Panics
    ///
    /// If the answer is not one message.
    pub async fn process(&self, request: &Message) -> Result<Message, Status> {
        let wire = proto::message::write(request);
        let exchange = self.call(grpc::path::PROCESS_SINGLE_DATA, [wire]).await;
        exchange.status?;
        let response = exchange.responses.first().filter(|_| exchange.responses.len() == 1);
        let response = response.expect("one message");
        Ok(proto::message::read(response.clone().into()).expect("a message"))
    }
}

impl Exchange {
    /// The code it ended with.
    #[must_use]
    pub fn code(&self) -> Code {
        self.status.as_ref().err().map_or(Code::Ok, |status| status.code)
    }

    /// The answers to data calls.
    ///
    /// # Panics
    ///
    /// If they are none.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let read = |wire: &Bytes| proto::message::read(wire.clone().into()).expect("a message");
        self.responses.iter().map(read).collect()
    }
}
