//! The pages that show the OpenAPI document: Swagger UI, which tries it out, and Redoc. All their parts are in this
//! program.
//!
//! Redoc's is that of the npm package, see `assets/README.md`.

use std::sync::Arc;

use axum::response::{Html, IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use utoipa_swagger_ui::Config;

use crate::error::Failure;

/// A page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Page {
    /// Where endpoints can be tried out.
    SwaggerUi,
    /// Where they can be read about.
    Redoc,
}

/// A part of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asset {
    /// One of Swagger UI, by its name there.
    SwaggerUi(&'static str),
    /// The only one of Redoc.
    Redoc,
}

/// Where the pages are.
pub(crate) const PAGES: [(&str, Page); 2] = [("/docs", Page::SwaggerUi), ("/redoc", Page::Redoc)];

/// Where their parts are.
pub(crate) const ASSETS: [(&str, Asset); 4] = [
    ("/docs/swagger-ui.css", Asset::SwaggerUi("swagger-ui.css")),
    ("/docs/swagger-ui-bundle.js", Asset::SwaggerUi("swagger-ui-bundle.js")),
    ("/docs/favicon-32x32.png", Asset::SwaggerUi("favicon-32x32.png")),
    ("/redoc/redoc.standalone.js", Asset::Redoc),
];

/// Compressed as every browser understands.
const REDOC: &[u8] = include_bytes!("../assets/redoc.standalone.js.gz");

/// A day: the parts change with the program only.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=86400");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");

/// Browsers fetch nothing from elsewhere, whatever the parts ask for. Redoc searches in a worker that it makes up.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; worker-src 'self' blob:",
);

impl Page {
    pub(crate) fn render(self, title: &str) -> Response {
        let template = match self {
            Self::SwaggerUi => include_str!("swagger.html"),
            Self::Redoc => include_str!("redoc.html"),
        };
        let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let headers: [(HeaderName, HeaderValue); 1] = [(CONTENT_SECURITY_POLICY, POLICY)];
        (headers, Html(template.replace("{title}", &title))).into_response()
    }
}

impl Asset {
    pub(crate) fn serve(self) -> Result<Response, Failure> {
        match self {
            Self::SwaggerUi(name) => swagger_ui(name),
            Self::Redoc => {
                let headers = [(CONTENT_TYPE, SCRIPT), (CACHE_CONTROL, KEPT), (CONTENT_ENCODING, GZIP)];
                Ok((headers, REDOC).into_response())
            }
        }
    }
}

fn swagger_ui(name: &str) -> Result<Response, Failure> {
    let config = Arc::new(Config::from("/openapi.json"));
    let file = utoipa_swagger_ui::serve(name, config).ok().flatten().ok_or(Failure::NoAsset)?;
    let content_type = HeaderValue::from_str(&file.content_type).map_err(|_| Failure::NoAsset)?;
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, KEPT)];
    Ok((headers, file.bytes.into_owned()).into_response())
}
