//! What the headers of a call say.

use call::{Context, Deadline, Error, ErrorCode, Metadata};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header::CONTENT_TYPE};

use super::Settings;
use crate::{Encoding, encoding, header, timeout};

/// The headers of a call, read.
#[derive(Debug)]
pub struct Head {
    /// The deadline and what travels on.
    pub context: Context,
    /// The encoding of the messages that are marked as compressed.
    pub encoding: Encoding,
    /// Whether the answers of a stream come in the order of its requests.
    pub in_order: bool,
    /// Requests of a stream in flight; `usize::MAX` for no limit.
    pub prefetch: usize,
}

/// A request that is not a gRPC call; answered on the level of HTTP.
#[derive(Debug, thiserror::Error)]
#[error("a gRPC call is a POST with content type application/grpc")]
pub struct NotGrpc;

impl Head {
    /// Reads the headers.
    ///
    /// # Errors
    ///
    /// If this is no gRPC call, or one in an encoding that is not known.
    pub fn read(parts: &Parts, settings: &Settings) -> Result<Self, Error> {
        let headers = &parts.headers;
        let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if parts.method != Method::POST || !content_type.starts_with(b"application/grpc") {
            return Err(Error::new(ErrorCode::InvalidRequest, NotGrpc));
        }
        let encoding = match headers.get(header::GRPC_ENCODING) {
            None => Encoding::Identity,
            Some(name) => Encoding::from_name(name.as_bytes()).ok_or_else(|| {
                let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
                Error::new(ErrorCode::Unimplemented, UnknownEncoding { name })
            })?,
        };
        let allowed = headers.get(header::GRPC_TIMEOUT).and_then(|value| timeout::parse(value.as_bytes()));
        let prefetch = headers
            .get(header::PREFETCH)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .filter(|prefetch| *prefetch > 0)
            .unwrap_or(settings.prefetch);
        Ok(Self {
            context: Context {
                deadline: allowed.map_or(Deadline::NEVER, Deadline::after),
                metadata: metadata(headers, &settings.forward),
            },
            encoding,
            in_order: headers.get(header::RESULTS_IN_ORDER).is_some_and(|value| value == "true"),
            prefetch: if prefetch == 0 { usize::MAX } else { prefetch },
        })
    }
}

/// The headers that travel on. Values that are not text are left out.
fn metadata(headers: &HeaderMap, forward: &[HeaderName]) -> Metadata {
    Metadata::of_headers(forward, |name| {
        headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    })
}

#[derive(Debug, thiserror::Error)]
#[error("messages in the encoding `{name}` are not understood; accepted are {}", encoding::ACCEPTED)]
struct UnknownEncoding {
    name: String,
}
