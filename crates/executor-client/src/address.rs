//! Where executors are, as written in the configuration.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::uri::Authority;

/// `host:port` or `scheme://host:port`; the schemes `grpcs`, `https` and `wss` ask for TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    authority: Authority,
    port: u16,
    tls: bool,
}

/// A text that is no address of an executor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is no executor address: expected `host:port` or `scheme://host:port`, {why}")]
pub struct InvalidAddress {
    /// The text.
    pub address: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Address {
    /// The name or the IP address, an IPv6 one without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// Host and port.
    pub(crate) const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The socket address, if the host is not a name.
    pub(crate) fn literal(&self) -> Option<SocketAddr> {
        self.host().parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = |why| InvalidAddress { address: text.to_owned(), why };
        let (tls, rest) = match text.split_once("://") {
            None => (false, text),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "grpc" | "http" | "ws" => (false, rest),
                "grpcs" | "https" | "wss" => (true, rest),
                _ => return Err(invalid("the scheme is not known")),
            },
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority = rest.parse::<Authority>().map_err(|_| invalid("this names no host"))?;
        if authority.host().is_empty() || rest.contains('@') {
            return Err(invalid("this names no host"));
        }
        let port = authority.port_u16().filter(|port| *port != 0);
        Ok(Self { port: port.ok_or_else(|| invalid("the port is missing"))?, authority, tls })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tls {
            f.write_str("grpcs://")?;
        }
        self.authority.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let check = |text: &str, want: (&str, u16, bool), shown: &str| {
            let address = text.parse::<Address>().unwrap();
            assert_eq!((address.host(), address.port(), address.tls()), want, "{text}");
            assert_eq!(address.to_string(), shown);
        };
        check("127.0.0.1:80", ("127.0.0.1", 80, false), "127.0.0.1:80");
        check("executor0:8081", ("executor0", 8081, false), "executor0:8081");
        check("grpc://executor0:8081", ("executor0", 8081, false), "executor0:8081");
        check("GRPCS://a.b.svc:443", ("a.b.svc", 443, true), "grpcs://a.b.svc:443");
        check("https://a:443/", ("a", 443, true), "grpcs://a:443");
        check("wss://a:443", ("a", 443, true), "grpcs://a:443");
        check("[::1]:80", ("::1", 80, false), "[::1]:80");
    }

    #[test]
    fn wrong_addresses_say_what_is_wrong() {
        let check = |text: &str, why| {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress { address: text.to_owned(), why }));
        };
        check("executor0", "the port is missing");
        check("executor0:0", "the port is missing");
        check("", "this names no host");
        check(":80", "this names no host");
        check("user@host:80", "this names no host");
        check("two words:80", "this names no host");
        check("ftp://host:80", "the scheme is not known");
    }

    #[test]
    fn literal_addresses_need_no_resolver() {
        let literal = |text: &str| text.parse::<Address>().unwrap().literal();
        assert_eq!(literal("127.0.0.1:80"), Some(([127, 0, 0, 1], 80).into()));
        assert_eq!(literal("[::1]:80"), Some("[::1]:80".parse().unwrap()));
        assert_eq!(literal("localhost:80"), None);
    }
}
