//! Answers over HTTP, see the specification "GraphQL over HTTP".

use async_graphql::{ErrorExtensionValues, Response as Answer, ServerError, Value};
use axum::response::{IntoResponse as _, Response};
use call::ErrorCode;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::error::{INVALID_QUERY, UNREADABLE_QUERY, code};
use crate::limits::Excess;

/// The content type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/graphql-response+json`: the status tells how it went.
    GraphQl,
    /// `application/json`: an answer to anything that is a query has status 200.
    Json,
}

/// Why a request is not executed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the method is not allowed here")]
    Method { allow: &'static str },
    #[error("bodies are `application/json` in UTF-8")]
    ContentType,
    #[error("answers are `application/graphql-response+json` or `application/json`")]
    NotAcceptable,
    #[error("no GraphQL query found in the request")]
    NoQuery,
    #[error("the body is not an object")]
    NoObject,
    #[error("the body is no JSON: {0}")]
    NoJson(#[source] serde_json::Error),
    #[error("`{name}` is not what it should be")]
    Parameter { name: String },
    #[error("{}", .0.message)]
    Unreadable(Box<ServerError>),
    #[error(transparent)]
    TooMuch(#[from] Excess),
    #[error("the endpoints of this Flow cannot be described in GraphQL")]
    NoSchema,
    /// A fault of ours, of which the log tells more.
    #[error("internal error")]
    Panic,
}

impl Media {
    /// What the client likes best. One that does not care gets what clients always understood.
    pub(crate) fn choose(headers: &HeaderMap) -> Result<Self, Refusal> {
        let values = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
        let mut is_told = false;
        let mut best: Option<(f32, Self)> = None;
        for range in values.flat_map(|value| value.split(',')).filter(|range| !range.trim().is_empty()) {
            is_told = true;
            let mut parts = range.split(';').map(str::trim);
            let media = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphQl,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if quality > best.map_or(0.0, |(quality, _)| quality) {
                best = Some((quality, media));
            }
        }
        match best {
            Some((_, media)) => Ok(media),
            None if is_told => Err(Refusal::NotAcceptable),
            None => Ok(Self::Json),
        }
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphQl => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// The answer to something that was understood.
pub(crate) fn response(answer: Answer, media: Media) -> Response {
    let status = match media {
        Media::GraphQl if is_refusal(&answer) => StatusCode::BAD_REQUEST,
        Media::GraphQl | Media::Json => StatusCode::OK,
    };
    (status, [(CONTENT_TYPE, media.content_type())], to_json(answer).to_string()).into_response()
}

/// The first ones tell enough.
const MAX_ERRORS: usize = 100;

/// Whether the query was not executed at all.
pub(crate) fn is_refusal(answer: &Answer) -> bool {
    answer.data == Value::Null && answer.errors.iter().any(|error| error.path.is_empty())
}

/// As it travels over every transport: without `data` if there is no such thing, and with a code in each error.
pub(crate) fn to_json(mut answer: Answer) -> serde_json::Value {
    let is_refusal = is_refusal(&answer);
    answer.errors.truncate(MAX_ERRORS);
    let otherwise = if is_refusal { INVALID_QUERY } else { code(ErrorCode::Internal) };
    for error in &mut answer.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", otherwise);
        }
    }
    // Everything in it came from JSON.
    let mut json = serde_json::to_value(&answer).unwrap_or_default();
    if is_refusal && let Some(answer) = json.as_object_mut() {
        answer.remove("data");
    }
    json
}

impl Refusal {
    fn status(&self, media: Media) -> StatusCode {
        match self {
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::NoQuery | Self::NoObject | Self::NoJson(_) | Self::Parameter { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::Unreadable(_) | Self::TooMuch(_) => match media {
                Media::GraphQl => StatusCode::BAD_REQUEST,
                Media::Json => StatusCode::OK,
            },
            Self::NoSchema | Self::Panic => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// As an error of GraphQL.
    pub(crate) fn into_errors(self) -> serde_json::Value {
        let code = match &self {
            Self::Unreadable(_) => UNREADABLE_QUERY,
            Self::TooMuch(_) => INVALID_QUERY,
            Self::NoSchema | Self::Panic => code(ErrorCode::Internal),
            Self::Method { .. }
            | Self::ContentType
            | Self::NotAcceptable
            | Self::NoQuery
            | Self::NoObject
            | Self::NoJson(_)
            | Self::Parameter { .. } => code(ErrorCode::InvalidRequest),
        };
        let message = self.to_string();
        let mut error = match self {
            Self::Unreadable(error) => *error,
            _ => ServerError::new(message, None),
        };
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code);
        error.extensions = Some(extensions);
        json!([error])
    }

    pub(crate) fn into_response(self, media: Media) -> Response {
        let status = self.status(media);
        let allow = match self {
            Self::Method { allow } => Some((ALLOW, HeaderValue::from_static(allow))),
            _ => None,
        };
        let body = json!({"errors": self.into_errors()}).to_string();
        let mut response = (status, [(CONTENT_TYPE, media.content_type())], body).into_response();
        response.headers_mut().extend(allow);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_the_content_type_that_they_like_best() {
        let chosen = |accept: Option<&'static str>| {
            let headers = accept.map(|accept| (ACCEPT, HeaderValue::from_static(accept)));
            Media::choose(&HeaderMap::from_iter(headers)).ok()
        };
        assert_eq!(chosen(None), Some(Media::Json));
        assert_eq!(chosen(Some("*/*")), Some(Media::Json));
        assert_eq!(chosen(Some("application/graphql-response+json")), Some(Media::GraphQl));
        let both = "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8";
        assert_eq!(chosen(Some(both)), Some(Media::GraphQl));
        assert_eq!(
            chosen(Some("application/graphql-response+json;q=0.5, application/json")),
            Some(Media::Json)
        );
        assert_eq!(chosen(Some("text/html, application/json;q=0")), None);
    }
}
