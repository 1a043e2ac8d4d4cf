//! From an HTTP request to a WebSocket connection, see RFC 6455 §4.2.

use http::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The only version that there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Whether a request wants to be one.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    has_token(headers, UPGRADE, "websocket")
}

/// Whether messages are encoded; any other subprotocol, several of them or none mean JSON.
pub(crate) fn wants_bytes(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    protocols.next().is_some_and(|protocol| protocol == "bytes") && protocols.next().is_none()
}

/// The answer that opens the connection. No subprotocol is confirmed, as clients of Jina are used to.
///
/// # Errors
///
/// The answer to a request that cannot open one.
pub(crate) fn accept(request: &Parts) -> Result<Response<()>, Response<()>> {
    let headers = &request.headers;
    let is_possible = request.method == Method::GET
        && request.version == Version::HTTP_11
        && has_token(headers, CONNECTION, "upgrade");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_possible);
    let Some(key) = key else { return Err(refuse(StatusCode::BAD_REQUEST)) };
    if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        let mut refusal = refuse(StatusCode::UPGRADE_REQUIRED);
        refusal.headers_mut().insert(SEC_WEBSOCKET_VERSION, VERSION);
        return Err(refusal);
    }
    let proof = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    let Ok(proof) = proof else { return Err(refuse(StatusCode::BAD_REQUEST)) };
    let mut response = refuse(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, proof);
    Ok(response)
}

/// An answer of only a status.
pub(crate) fn refuse(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
