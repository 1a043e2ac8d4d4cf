//! What the head of a request says.

use std::time::Duration;

use bytestring::ByteString;
use call::{Context, Deadline, Metadata};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Settings;
use crate::error::Failure;

/// How many seconds the client waits, fractions allowed.
pub(crate) const REQUEST_TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout");

/// The id of a request; answers bear it too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over.
const MAX_ID: usize = 256;

/// The deadline and what travels on.
pub(crate) fn context(parts: &Parts, settings: &Settings) -> Result<Context, Failure> {
    let deadline = match parts.headers.get(REQUEST_TIMEOUT) {
        None => Deadline::NEVER,
        Some(value) => Deadline::after(timeout(value)?),
    };
    Ok(Context { deadline, metadata: metadata(&parts.headers, &settings.forward) })
}

fn timeout(value: &HeaderValue) -> Result<Duration, Failure> {
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let allowed = seconds.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
    allowed.ok_or_else(|| Failure::Timeout { value: String::from_utf8_lossy(value.as_bytes()).into_owned() })
}

/// Values that are not text are left out.
fn metadata(headers: &HeaderMap, forward: &[HeaderName]) -> Metadata {
    Metadata::of_headers(forward, |name| {
        headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    })
}

/// The id that the client, or a proxy before it, gave the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<ByteString> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    (!id.is_empty() && id.len() <= MAX_ID).then(|| id.into())
}

/// The header that tells the client the id of its request, unless it cannot stand there.
pub(crate) fn tell_request_id(id: &str, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// Whether the body is said to be JSON; one that nothing is said of is.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let text = value.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.split_once('/') {
        Some(("application", subtype)) => subtype == "json" || subtype.ends_with("+json"),
        _ => false,
    }
}

/// How many bytes the body is said to have.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
