//! The page that shows the OpenAPI document and tries it out: Swagger UI, served from this program.

use std::sync::Arc;

use axum::response::{Html, IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa_swagger_ui::Config;

use crate::error::Failure;

/// Where its parts are, and what Swagger UI calls them.
pub(crate) const ASSETS: [(&str, &str); 3] = [
    ("/docs/swagger-ui.css", "swagger-ui.css"),
    ("/docs/swagger-ui-bundle.js", "swagger-ui-bundle.js"),
    ("/docs/favicon-32x32.png", "favicon-32x32.png"),
];

/// A day: the parts change with the program only.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=86400");

const TEMPLATE: &str = include_str!("page.html");

pub(crate) fn page(title: &str) -> Response {
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    Html(TEMPLATE.replace("{title}", &title)).into_response()
}

pub(crate) fn asset(name: &str) -> Result<Response, Failure> {
    let config = Arc::new(Config::from("/openapi.json"));
    let file = utoipa_swagger_ui::serve(name, config).ok().flatten().ok_or(Failure::NoAsset)?;
    let content_type = HeaderValue::from_str(&file.content_type).map_err(|_| Failure::NoAsset)?;
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, KEPT)];
    Ok((headers, file.bytes.into_owned()).into_response())
}
