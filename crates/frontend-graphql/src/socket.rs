//! From an HTTP request to a WebSocket connection, see RFC 6455 §4.2.

use axum::response::{IntoResponse as _, Response};
use call::{Arrived, Deadline};
use http::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::answer::GraphQl;
use crate::conversation::Conversation;

/// The only subprotocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// The only version of WebSocket that there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Whether a request wants to be a connection.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    has_token(headers, &UPGRADE, "websocket")
}

/// Opens a connection, which lives on beyond the request.
pub(crate) fn open(graphql: GraphQl, mut parts: Parts, arrived: Arrived) -> Response {
    let headers = &parts.headers;
    let is_possible = parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_possible);
    let proof = key.and_then(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok());
    let Some(proof) = proof else {
        let sentence = format!("connections speak `{PROTOCOL}` over HTTP/1.1");
        return (StatusCode::BAD_REQUEST, sentence).into_response();
    };
    if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return (StatusCode::UPGRADE_REQUIRED, [(SEC_WEBSOCKET_VERSION, VERSION)]).into_response();
    }
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return StatusCode::NOT_IMPLEMENTED.into_response();
    };
    // What is asked on the connection has no deadline, and is taken on question by question.
    let context = call::Context { deadline: Deadline::NEVER, ..arrived.context };
    let admission = arrived.admitted.admission().clone();
    let settings = graphql.shared.settings.clone();
    settings.tasks.clone().spawn(async move {
        let io = tokio::time::timeout(settings.patience, upgrade).await;
        let Ok(Ok(io)) = io else { return };
        let limits = WebSocketConfig::default()
            .max_message_size(Some(settings.max_message))
            .max_frame_size(Some(settings.max_message));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, Some(limits)).await;
        Conversation::new(graphql, context, admission).hold(socket).await;
    });
    let headers = [
        (UPGRADE, HeaderValue::from_static("websocket")),
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)),
        (SEC_WEBSOCKET_ACCEPT, proof),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}
