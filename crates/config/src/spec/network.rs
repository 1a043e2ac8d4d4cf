//! What gateway and executor have in common: where they listen, and how they call others.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use indexmap::IndexMap;

/// A protocol towards clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// REST with server-sent events, and GraphQL beside it if switched on.
    Http,
    /// WebSocket.
    WebSocket,
}

/// A port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// Any that is free.
    Free,
    /// This one.
    Fixed(u16),
}

/// One listening port. More than one protocol shares it only if the user asked for a single port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// At least one.
    pub protocols: Vec<Protocol>,
    /// Where.
    pub port: Port,
}

/// How a process listens.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// The address or name to bind.
    pub host: String,
    /// At least one.
    pub listeners: Vec<Listener>,
    /// From where [`Port::Free`] is drawn; `None` leaves it to the system.
    pub free_ports: Option<(u16, u16)>,
    /// Encryption on all listeners.
    pub tls: Option<TlsServer>,
    /// Headers of requests that travel on, in lower case; those of traces always do.
    pub forward_headers: Vec<String>,
    /// What a process takes on.
    pub limits: Limits,
    /// What the user said about gRPC servers; everything else stays as it is by default.
    pub grpc: GrpcOptions,
    /// Between the end of readiness and the end of accepting.
    pub drain_linger: Duration,
    /// For calls in flight when the process ends.
    pub drain_grace: Duration,
    /// Threads that move data; `None` means one for each core.
    pub workers: Option<NonZeroUsize>,
}

/// A server's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsServer {
    /// Certificate chain, PEM.
    pub certificates: PathBuf,
    /// Private key, PEM.
    pub private_key: PathBuf,
    /// Authorities whose clients alone are let in, PEM.
    pub client_authorities: Option<PathBuf>,
}

/// How peers behind `grpcs://` are verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsClient {
    /// Trusted authorities, PEM; `None` means those of the system.
    pub authorities: Option<PathBuf>,
    /// Our own certificate chain and private key, for peers that ask for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Bounds on what is in flight and on what a single peer may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight in the whole process.
    pub requests: usize,
    /// Bytes of received messages in flight in the whole process.
    pub bytes: usize,
    /// Bytes of one received message; `None` leaves it to the other bounds.
    pub message: Option<usize>,
    /// Connections for each port.
    pub connections: usize,
    /// HTTP/2 requests at once on a connection.
    pub streams: u32,
    /// Bytes of all headers of a request.
    pub header: u32,
    /// For TLS, and again for showing what protocol is spoken.
    pub handshake_timeout: Duration,
    /// For the head of an HTTP/1 request; idle connections are kept as long.
    pub header_timeout: Duration,
    /// For the next piece of a body.
    pub body_timeout: Duration,
    /// The longest that a request may take; `None` leaves it to the client.
    pub request_timeout: Option<Duration>,
}

/// How executors are called.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// For each try of each call; `None` sets no limit.
    pub timeout_send: Option<Duration>,
    /// Tries after the first.
    pub retries: Retries,
    /// Of request messages.
    pub compression: Compression,
    /// What the user said about gRPC channels.
    pub grpc: GrpcOptions,
    /// Trust and identity towards `grpcs://` addresses.
    pub tls: TlsClient,
    /// HTTP/2 connections to each replica from each worker.
    pub connections_per_replica: NonZeroUsize,
    /// Which replica is taken.
    pub balance: Balance,
    /// For TCP, TLS and the HTTP/2 handshake together.
    pub connect_timeout: Duration,
    /// How often names are resolved again; `None` means once.
    pub resolve_every: Option<Duration>,
}

/// How often a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// As often as there are replicas, at least three times.
    Auto,
    /// This often.
    Times(u32),
}

/// How messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// `deflate`.
    Deflate,
    /// `gzip`.
    Gzip,
    /// `zstd`; only peers of this project understand it.
    Zstd,
}

/// How one of several replicas is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// The less loaded of two that are drawn.
    LeastLoaded,
    /// In turn.
    RoundRobin,
}

/// gRPC options by their names, such as `grpc.keepalive_time_ms`, as the user wrote them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GrpcOptions(pub IndexMap<String, GrpcOption>);

/// The value of a gRPC option.
#[derive(Debug, Clone, PartialEq)]
pub enum GrpcOption {
    /// A number. Switches are 0 and 1.
    Number(i64),
    /// A text.
    Text(String),
}

impl GrpcOptions {
    /// A numeric option.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(GrpcOption::Number(number)) => Some(*number),
            Some(GrpcOption::Text(_)) | None => None,
        }
    }

    /// An option in milliseconds, if it is positive.
    #[must_use]
    pub fn milliseconds(&self, name: &str) -> Option<Duration> {
        let number = self.number(name).filter(|number| *number > 0)?;
        u64::try_from(number).ok().map(Duration::from_millis)
    }

    /// A textual option.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(GrpcOption::Text(text)) => Some(text),
            Some(GrpcOption::Number(_)) | None => None,
        }
    }
}

/// Where an executor is: `host:port`, encrypted or not.
///
/// Any scheme may stand before it; `grpcs`, `https` and `wss` mean TLS, all others plain text. The call is gRPC
/// either way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// A name or an IP address; IPv6 addresses stand in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// There is no port in it.
    #[error("`{text}` has no port: an address is `host:port` or `scheme://host:port`")]
    NoPort {
        /// The text.
        text: String,
    },
    /// It is something else.
    #[error("`{text}` is no address: an address is `host:port` or `scheme://host:port`")]
    Malformed {
        /// The text.
        text: String,
    },
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let malformed = || InvalidAddress::Malformed { text: text.to_owned() };
        let (scheme, rest) = text.split_once("://").unwrap_or(("grpc", text));
        let secure = ["grpcs", "https", "wss"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let host_end = if authority.starts_with('[') {
            authority.find(']').map(|end| end + 1).ok_or_else(malformed)?
        } else {
            authority.rfind(':').unwrap_or(authority.len())
        };
        let (host, port) = authority.split_at(host_end);
        let port = port.strip_prefix(':').ok_or_else(|| InvalidAddress::NoPort { text: text.to_owned() })?;
        let port = port.parse().map_err(|_| malformed())?;
        let plain = host.starts_with('[') || !host.contains([':', '@', ' ', ',']);
        if host.is_empty() || scheme.is_empty() || port == 0 || !plain {
            return Err(malformed());
        }
        Ok(Self { secure, host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "grpcs" } else { "grpc" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Grpc, Self::Http, Self::WebSocket];

    /// As Jina spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "GRPC",
            Self::Http => "HTTP",
            Self::WebSocket => "WEBSOCKET",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        let check = |text: &str, want: &str| assert_eq!(text.parse::<Address>().unwrap().to_string(), want);
        check("encoder:8081", "grpc://encoder:8081");
        check("grpc://a.ns.svc:8080", "grpc://a.ns.svc:8080");
        check("GRPCS://a:443/path", "grpcs://a:443");
        check("https://a:1?x", "grpcs://a:1");
        check("wss://a:1", "grpcs://a:1");
        check("http://[::1]:80", "grpc://[::1]:80");
        for text in ["a", "grpc://a", "https://a/b", "[::1]"] {
            assert!(matches!(text.parse::<Address>(), Err(InvalidAddress::NoPort { .. })), "{text}");
        }
        for text in ["", ":80", "a:b", "a:0", "a:70000", "a:1:2", "a,b:1", "[::1:80", "://a:1"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
