//! Where the process that is asked can be reached.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::PingError;

/// `[scheme://]host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What is spoken there.
    pub(super) protocol: Protocol,
    /// Whether it is encrypted, as the scheme says.
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

/// How a process is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    /// WebSocket servers answer plain HTTP too.
    Http,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address: `[grpc|http|ws://]host:port` is expected")]
pub struct InvalidAddress {
    /// The text.
    pub text: String,
}

impl Address {
    pub(super) async fn resolve(&self) -> Result<SocketAddr, PingError> {
        let fail = |source| PingError::Resolve { host: self.host.clone(), source };
        let mut found = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| fail(Some(error)))?;
        found.next().ok_or_else(|| fail(None))
    }

    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    /// Exported probes carry text after the port, `127.0.0.1:8080 - --timeout 9500`; it is left out.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress { text: text.to_owned() };
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("grpc", text.trim()));
        let (protocol, secure) = match scheme.to_ascii_lowercase().as_str() {
            "grpc" => (Protocol::Grpc, false),
            "grpcs" => (Protocol::Grpc, true),
            "http" | "ws" | "websocket" => (Protocol::Http, false),
            "https" | "wss" | "websockets" => (Protocol::Http, true),
            _ => return Err(invalid()),
        };
        let (host, port) = rest.rsplit_once(':').ok_or_else(invalid)?;
        let digits = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
        let port = port[..digits].parse().ok().filter(|port| *port != 0).ok_or_else(invalid)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(invalid());
        }
        Ok(Self { protocol, secure, host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.protocol, self.secure) {
            (Protocol::Grpc, false) => "grpc",
            (Protocol::Grpc, true) => "grpcs",
            (Protocol::Http, false) => "http",
            (Protocol::Http, true) => "https",
        };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_probes_write_them() {
        let check = |text: &str, want: Option<&str>| {
            let got = text.parse::<Address>().ok().map(|address| address.to_string());
            assert_eq!(got.as_deref(), want, "`{text}`");
        };
        check("127.0.0.1:8080", Some("grpc://127.0.0.1:8080"));
        check("grpc://gateway:80", Some("grpc://gateway:80"));
        check("HTTP://gateway:80", Some("http://gateway:80"));
        check("websocket://gateway:80", Some("http://gateway:80"));
        check("ws://[::1]:80", Some("http://[::1]:80"));
        check("grpcs://gateway:443", Some("grpcs://gateway:443"));
        check("wss://gateway:443", Some("https://gateway:443"));
        check("127.0.0.1:8080 - --timeout 9500", Some("grpc://127.0.0.1:8080"));
        for bad in ["", "gateway", "gateway:", ":80", "ftp://a:1", "a:0", "a:99999", "a:{port_uses}"] {
            check(bad, None);
        }
    }
}
