//! A client on the level of bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use call::{Deadline, Message, Payload};
use grpc::client::{CallError, Connection, Options, Outbox, Reply, Target, Tls};
use grpc::{Encoding, Status};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinSet;
use tonic::Code;

use crate::soon;

/// One connection to a gateway or an executor.
#[derive(Debug)]
pub struct Caller {
    connection: Connection,
    headers: HeaderMap,
    allowed: Option<Duration>,
    encoding: Encoding,
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
        Self::handshake(address, address.to_string(), None).await
    }

    /// Connects to `localhost` at `address` over TLS; `None` if the peer's certificate is not vouched for.
    ///
    /// # Panics
    ///
    /// If the authority is none.
    pub async fn connect_tls(address: SocketAddr, authority: CertificateDer<'static>) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(authority).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let server_name = ServerName::try_from("localhost").expect("a name");
        let tls = Tls { config: Arc::new(config), server_name };
        Self::handshake(address, format!("localhost:{}", address.port()), Some(tls)).await
    }

    async fn handshake(address: SocketAddr, authority: String, tls: Option<Tls>) -> Option<Self> {
        let authority = Authority::try_from(authority).expect("an address is an authority");
        let target = Target { authority, tls };
        let (connection, driver) = grpc::client::connect(address, &target, &Options::default()).await.ok()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        let (headers, encoding) = (HeaderMap::new(), Encoding::Identity);
        Some(Self { connection, headers, allowed: None, encoding, _driver: tasks })
    }

    /// Compresses every message from now on.
    #[must_use]
    pub const fn compressing(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
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
                self.connection.open(path, self.headers.clone(), deadline, self.encoding).await?;
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
        let status = soon(path, exchange).await.map_err(status);
        Exchange { responses, status }
    }

    /// Begins a call of many messages.
    ///
    /// # Panics
    ///
    /// If it does not begin well.
    pub async fn open(&self, path: &'static str) -> Dialogue {
        let path = PathAndQuery::from_static(path);
        let open = self.connection.open(path, self.headers.clone(), Deadline::NEVER, self.encoding);
        let (outbox, reply) = soon("the call begins", open).await.expect("a call");
        Dialogue { outbox, reply: soon("the answer begins", reply).await.expect("an answer") }
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

/// A call of many messages in both directions.
#[derive(Debug)]
pub struct Dialogue {
    outbox: Outbox,
    reply: Reply,
}

impl Dialogue {
    /// Sends a message.
    ///
    /// # Panics
    ///
    /// If the call is over.
    pub async fn send(&mut self, message: &Message) {
        let sent = self.outbox.send(proto::message::write(message));
        soon("the message is sent", sent).await.expect("a call that goes on");
    }

    /// The next answer; `None` if the call ended well.
    ///
    /// # Errors
    ///
    /// The status, if it is not good.
    ///
    /// # Panics
    ///
    /// If the answer is no message.
    pub async fn next(&mut self) -> Result<Option<Message>, Status> {
        let next = soon("the next answer", self.reply.next()).await.map_err(status)?;
        Ok(next.map(|wire| proto::message::read(wire).expect("a message")))
    }
}

fn status(error: CallError) -> Status {
    match error {
        CallError::Status(status) => status,
        lost => Status { code: Code::Unavailable, message: lost.to_string().into() },
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
