//! What a process can tell of how it serves.

use crate::{HttpOptions, tls};

/// The bounds on connections that are in force, and whether they are encrypted, by the names of the arguments.
#[must_use]
pub fn facts(http: &HttpOptions, tls: Option<&tls::Files>) -> [(&'static str, String); 6] {
    let encrypted = match tls {
        None => "off",
        Some(files) if files.client_authorities.is_some() => "on, with client certificates",
        Some(_) => "on",
    };
    let age = http.max_age.map_or_else(|| "none".to_owned(), |age| format!("{age:?}"));
    [
        ("tls", encrypted.to_owned()),
        ("max-connections", http.max_connections.to_string()),
        ("max-streams", http.max_streams.to_string()),
        ("max-header", http.max_header_bytes.to_string()),
        ("handshake-timeout", format!("{:?}", http.handshake_timeout)),
        ("max-connection-age", age),
    ]
}
