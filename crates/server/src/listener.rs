//! Sockets that accept connections, bound before anything else is built.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// A bound socket that accepts nothing yet.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: SocketAddr,
    backlog: i32,
}

/// A socket that clients can connect to.
#[derive(Debug)]
pub struct Open(pub(crate) TcpListener);

/// A socket that could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The host is no address and no name of one.
    #[error("cannot resolve the host `{host}` to listen on")]
    Host {
        /// As configured.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The name has no address.
    #[error("the host `{host}` to listen on has no address")]
    NoAddress {
        /// As configured.
        host: String,
    },
    /// Somebody else has the port, or the address is not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Listener {
    /// Binds to `host`, a name or an address, and `port`; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If that is not possible.
    pub fn bind(host: &str, port: u16, backlog: i32) -> Result<Self, BindError> {
        let address = resolve(host, port)?;
        Self::bind_to(address, backlog).map_err(|source| BindError::Bind { address, source })
    }

    fn bind_to(address: SocketAddr, backlog: i32) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            // `::` serves both families, as it does in other servers.
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let address = socket.local_addr()?.as_socket().unwrap_or(address);
        Ok(Self { socket, address, backlog })
    }

    /// Where it is bound.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets clients connect from now on; until then they are refused.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn open(self) -> io::Result<Open> {
        self.socket.listen(self.backlog)?;
        TcpListener::from_std(self.socket.into()).map(Open)
    }
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, BindError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    let mut addresses =
        (host, port).to_socket_addrs().map_err(|source| BindError::Host { host: host.to_owned(), source })?;
    // A name with addresses of both families, such as `localhost`, means the older one to most clients.
    let first = addresses.next();
    let four = first.into_iter().chain(addresses).find(SocketAddr::is_ipv4);
    four.or(first).ok_or_else(|| BindError::NoAddress { host: host.to_owned() })
}

/// Accepts the next connection. Errors that pass by themselves are waited out.
pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely; others can be accepted when one is closed.
                if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
                {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_resolved() {
        let check = |host: &str, want: &str| {
            assert_eq!(resolve(host, 80).unwrap(), want.parse().unwrap(), "{host}");
        };
        check("0.0.0.0", "0.0.0.0:80");
        check("::", "[::]:80");
        check("[::1]", "[::1]:80");
        check("localhost", "127.0.0.1:80");
        assert!(matches!(resolve("no such host", 80), Err(BindError::Host { .. })));
    }

    #[tokio::test]
    async fn a_bound_port_is_taken_and_closed_until_opened() {
        let listener = Listener::bind("127.0.0.1", 0, 16).unwrap();
        let address = listener.address();
        TcpStream::connect(address).await.unwrap_err();
        let listener = listener.open().unwrap();
        let (connected, _accepted) = tokio::join!(TcpStream::connect(address), accept(&listener.0));
        connected.unwrap();
        let taken = Listener::bind("127.0.0.1", address.port(), 16);
        assert!(matches!(taken, Err(BindError::Bind { .. })), "{taken:?}");
    }
}
