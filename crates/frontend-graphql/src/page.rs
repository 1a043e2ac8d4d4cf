//! The page to try it: GraphiQL, served from this program.
//!
//! Its parts are those of the npm packages `graphiql`, `react` and `react-dom`, see `assets/README.md`.

use axum::response::{Html, IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

/// The parts, compressed as every browser understands.
const ASSETS: [(&str, &str, &[u8]); 4] = [
    ("graphiql.min.css", "text/css; charset=utf-8", include_bytes!("../assets/graphiql.min.css.gz")),
    ("graphiql.min.js", SCRIPT, include_bytes!("../assets/graphiql.min.js.gz")),
    ("react.production.min.js", SCRIPT, include_bytes!("../assets/react.production.min.js.gz")),
    ("react-dom.production.min.js", SCRIPT, include_bytes!("../assets/react-dom.production.min.js.gz")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A day: the parts change with the program only.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=86400");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

pub(crate) fn page() -> Response {
    Html(include_str!("page.html")).into_response()
}

pub(crate) fn asset(wanted: &str) -> Response {
    let Some((_, kind, bytes)) = ASSETS.iter().find(|(name, _, _)| *name == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static(kind)), (CACHE_CONTROL, KEPT), (CONTENT_ENCODING, GZIP)];
    (headers, *bytes).into_response()
}
