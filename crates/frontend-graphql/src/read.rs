//! Queries out of HTTP requests, see the specification "GraphQL over HTTP".

use std::borrow::Cow;

use async_graphql::{Request as Query, Value, Variables};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::{Map, Value as Json};

use crate::reply::Refusal;

/// Whether the address holds a query.
pub(crate) fn has_query(parts: &Parts) -> bool {
    pairs(parts).any(|(key, _)| key == "query")
}

pub(crate) fn from_query(parts: &Parts) -> Result<Query, Refusal> {
    let mut parameters = Map::new();
    for (key, value) in pairs(parts) {
        let value = match &*key {
            "variables" | "extensions" => {
                serde_json::from_str(&value).map_err(|_| Refusal::Parameter { name: key.to_string() })?
            }
            _ => Json::String(value.into_owned()),
        };
        parameters.insert(key.into_owned(), value);
    }
    query(parameters)
}

pub(crate) fn from_body(headers: &HeaderMap, body: &[u8]) -> Result<Query, Refusal> {
    if !is_json(headers) {
        return Err(Refusal::ContentType);
    }
    match serde_json::from_slice(body) {
        Ok(Json::Object(parameters)) => query(parameters),
        Ok(_) => Err(Refusal::NoObject),
        Err(error) => Err(Refusal::NoJson(error)),
    }
}

/// The same over every transport.
pub(crate) fn query(mut parameters: Map<String, Json>) -> Result<Query, Refusal> {
    let wrong = |name: &str| Refusal::Parameter { name: name.to_owned() };
    let query = match parameters.remove("query") {
        Some(Json::String(query)) if !query.trim().is_empty() => Query::new(query),
        Some(Json::Null) | None => return Err(Refusal::NoQuery),
        Some(_) => return Err(wrong("query")),
    };
    let query = match parameters.remove("operationName") {
        Some(Json::String(name)) if !name.is_empty() => query.operation_name(name),
        Some(Json::Null | Json::String(_)) | None => query,
        Some(_) => return Err(wrong("operationName")),
    };
    if !matches!(parameters.remove("extensions"), None | Some(Json::Null | Json::Object(_))) {
        return Err(wrong("extensions"));
    }
    match parameters.remove("variables") {
        Some(variables @ Json::Object(_)) => {
            let variables = Value::from_json(variables).map_err(|_| wrong("variables"))?;
            Ok(query.variables(Variables::from_value(variables)))
        }
        Some(Json::Null) | None => Ok(query),
        Some(_) => Err(wrong("variables")),
    }
}

fn pairs(parts: &Parts) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
}

/// A body of which nothing is said is not taken: any web page can send such.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    is_json && charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
}
