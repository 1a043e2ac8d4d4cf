//! Making a connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::driver::Driver;
use super::{Connection, End, Options, Shared};

/// Whom to connect to, beside the address.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host and port as the peer is known by.
    pub authority: Authority,
    /// Encrypts the connection.
    pub tls: Option<Tls>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Roots, client certificates, versions. Its ALPN list should be `h2` alone.
    pub config: Arc<ClientConfig>,
    /// The name that the peer's certificate must bear.
    pub server_name: ServerName<'static>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address does not accept connections.
    #[error("cannot connect to {address}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Encryption could not be agreed upon.
    #[error("the TLS handshake with {address} failed")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The peer does not speak HTTP/2.
    #[error("the HTTP/2 handshake failed")]
    Http2(#[from] h2::Error),
    /// The peer accepts and leaves.
    #[error("the peer closed the connection at once")]
    Closed,
    /// It took too long.
    #[error("connecting to {address} took more than {allowed:?}")]
    TimedOut {
        /// The address.
        address: SocketAddr,
        /// How long it was allowed to take.
        allowed: Duration,
    },
}

/// A connection's transport.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Connects to `address`; returns when the peer has shown that it is there and speaks HTTP/2.
///
/// # Errors
///
/// If there is no connection within `options.connect_timeout`.
pub async fn connect(
    address: SocketAddr,
    target: &Target,
    options: &Options,
) -> Result<(Connection, Driver), ConnectError> {
    let allowed = options.connect_timeout;
    let connected = async {
        let (connection, mut driver) = establish(address, target, options).await?;
        driver.confirm().await?;
        Ok((connection, driver))
    };
    tokio::time::timeout(allowed, connected).await.unwrap_or(Err(ConnectError::TimedOut { address, allowed }))
}

async fn establish(
    address: SocketAddr,
    target: &Target,
    options: &Options,
) -> Result<(Connection, Driver), ConnectError> {
    let tcp = TcpStream::connect(address).await.map_err(|source| ConnectError::Tcp { address, source })?;
    tcp.set_nodelay(true).map_err(|source| ConnectError::Tcp { address, source })?;
    let Some(tls) = &target.tls else {
        return handshake(tcp, Scheme::HTTP, target.authority.clone(), options).await;
    };
    let connector = TlsConnector::from(tls.config.clone());
    let stream = connector
        .connect(tls.server_name.clone(), tcp)
        .await
        .map_err(|source| ConnectError::Tls { address, source })?;
    handshake(stream, Scheme::HTTPS, target.authority.clone(), options).await
}

/// Speaks HTTP/2 over a transport that is there already.
///
/// # Errors
///
/// If the handshake fails.
pub async fn handshake(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    scheme: Scheme,
    authority: Authority,
    options: &Options,
) -> Result<(Connection, Driver), ConnectError> {
    let io: Box<dyn Io> = Box::new(io);
    let mut builder = h2::client::Builder::new();
    if let Some(max_header) = options.max_header {
        builder.max_header_list_size(max_header);
    }
    let (requests, connection) = builder
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .max_frame_size(options.max_frame)
        .enable_push(false)
        .handshake(io)
        .await?;
    let shared = Arc::new(Shared {
        scheme,
        authority,
        user_agent: options.user_agent.clone(),
        max_message: options.max_message,
        max_request: options.max_request,
        closed: AtomicBool::new(false),
        calls: AtomicUsize::new(0),
        received: AtomicUsize::new(0),
        end: AtomicU8::new(End::Open as u8),
    });
    let driver = Driver::new(connection, shared.clone(), options.keepalive);
    Ok((Connection { requests, shared }, driver))
}

pub(super) type BoxedConnection = h2::client::Connection<Box<dyn Io>, bytes::Bytes>;
