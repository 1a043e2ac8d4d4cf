//! Where a Flow or an executor listens.

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;

/// A host, a port, and whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) authority: Authority,
    pub(crate) port: u16,
    pub(crate) encrypted: bool,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address to connect to: {problem}")]
pub struct InvalidAddress {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Address {
    /// The host, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

/// Reads `host:port`, `grpc://host:port`, or `grpcs://host` with an optional port.
impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = |problem| InvalidAddress { text: text.to_owned(), problem };
        let (encrypted, rest) = match text.split_once("://") {
            None | Some(("grpc", _)) => (false, text.trim_start_matches("grpc://")),
            Some(("grpcs", rest)) => (true, rest),
            Some(_) => return Err(invalid("the scheme is `grpc` or `grpcs`")),
        };
        let authority: Authority = rest
            .trim_end_matches('/')
            .parse()
            .map_err(|_| invalid("it is not of the form `grpc://host:port`"))?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(invalid("it is not of the form `grpc://host:port`"));
        }
        let port = match authority.port_u16() {
            Some(0) => return Err(invalid("port 0 is nobody's")),
            Some(port) => port,
            // The port of HTTPS is where encrypted gRPC lives behind ingresses.
            None if encrypted && authority.port().is_none() => 443,
            None => return Err(invalid("the port is missing")),
        };
        Ok(Self { authority, port, encrypted })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "grpcs" } else { "grpc" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let check = |text: &str, host: &str, port, encrypted| {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.host(), address.port(), address.encrypted),
                (host, port, encrypted),
                "{text}"
            );
        };
        check("localhost:12345", "localhost", 12345, false);
        check("grpc://localhost:12345", "localhost", 12345, false);
        check("grpc://[::1]:12345/", "::1", 12345, false);
        check("grpcs://example.org", "example.org", 443, true);
        check("grpcs://example.org:8443", "example.org", 8443, true);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "localhost", "grpc://localhost", "http://localhost:80", "grpc://:80", "a b:80", "a:0"]
        {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error.text, text);
        }
    }
}
