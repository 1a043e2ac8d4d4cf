//! From a request to whoever answers it.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use call::RootPath;
use http::header::{ALLOW, CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Request, Uri};

use crate::control;
use crate::error::Failure;
use crate::post;
use crate::service::Worker;
use crate::stream;
use crate::table::{Action, Table};

/// The content type of nearly everything.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers a request.
pub(crate) async fn answer(worker: &Worker, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let root = &worker.shared.settings.root_path;
    if let Some(mounted) = worker.mounted.iter().find(|mounted| mounted.has(root.below(parts.uri.path()))) {
        parts.uri = below(root, parts.uri);
        return mounted.clone().answer(worker, parts, body).await.unwrap_or_else(Failure::into_response);
    }
    if is_websocket(&parts) {
        return Failure::NoWebSocket.into_response();
    }
    let table = worker.shared.tables.current();
    let answer = match find(&table, root, &parts) {
        Ok(action) => act(worker, &table, action, parts, body).await,
        Err(failure) => Err(failure),
    };
    answer.unwrap_or_else(Failure::into_response)
}

async fn act(
    worker: &Worker,
    table: &Table,
    action: Action,
    parts: Parts,
    body: Body,
) -> Result<Response, Failure> {
    match action {
        Action::Health => Ok(control::health(&worker.shared.health)),
        Action::Status => Ok(control::status(&worker.shared.report)),
        Action::DryRun => control::dry_run(worker, &parts).await,
        Action::OpenApi => Ok(json(table.openapi())),
        Action::Page(page) => Ok(page.render(&worker.shared.settings.title)),
        Action::Asset(asset) => asset.serve(),
        Action::Post(target) => post::post(worker, target, parts, body).await,
        Action::Stream(target) => stream::stream(worker, target, parts, body).await,
    }
}

/// Whether the client wants another protocol than this one.
fn is_websocket(parts: &Parts) -> bool {
    parts.headers.get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// A place as it is called here.
fn below(root: &RootPath, uri: Uri) -> Uri {
    let path = root.below(uri.path());
    let target = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    // What is left of a valid path from a slash on is valid.
    target.parse().unwrap_or(uri)
}

/// What the path and the method ask for.
fn find(table: &Table, root: &RootPath, parts: &Parts) -> Result<Action, Failure> {
    let encoded = parts.uri.path();
    let path = percent_encoding::percent_decode_str(encoded).decode_utf8().map_err(|_| Failure::NotFound)?;
    let (received, path) = (&path, root.below(&path));
    let Some(route) = table.route(path) else {
        let other = match path.strip_suffix('/') {
            Some(shorter) => table.route(shorter.trim_end_matches('/')),
            None => table.route(&format!("{path}/")),
        };
        return Err(match other {
            Some(_) => {
                // A proxy may have taken the root away, and clients need it.
                let root = if path.len() == received.len() { root.as_str() } else { "" };
                Failure::Moved { location: format!("{root}{}", other_slash(encoded, parts.uri.query())) }
            }
            None => Failure::NotFound,
        });
    };
    match route.action(&parts.method) {
        Some(action) => Ok(action.clone()),
        None => Err(Failure::MethodNotAllowed { allow: route.allow() }),
    }
}

/// The same place with a slash less at its end, or one more. It stays on this host, however many slashes it begins
/// with.
fn other_slash(path: &str, query: Option<&str>) -> String {
    let path = match path.strip_suffix('/') {
        Some(shorter) => shorter.trim_end_matches('/').to_owned(),
        None => format!("{path}/"),
    };
    let path = format!("/{}", path.trim_start_matches('/'));
    query.map_or(path.clone(), |query| format!("{path}?{query}"))
}

/// An answer that is JSON already.
pub(crate) fn json(body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, JSON)], body.into()).into_response()
}

/// The header of an answer to the wrong method.
pub(crate) fn allow(methods: &str) -> Option<(http::HeaderName, HeaderValue)> {
    HeaderValue::from_str(methods).ok().map(|methods| (ALLOW, methods))
}
