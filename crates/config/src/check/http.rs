//! The HTTP side: documentation and routes.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Context, Settings, web_server};
use crate::nearest::nearest;
use crate::{CustomEndpoint, GraphQl, HttpSpec, Place, Reason};

/// What an `expose_endpoints` entry may say beside path and methods.
const OPENAPI: &[&str] = &[
    "tags",
    "summary",
    "description",
    "status_code",
    "name",
    "response_description",
    "deprecated",
    "operation_id",
    "include_in_schema",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
];

/// The stack is not endless.
const MAX_GRAPHQL_DEPTH: usize = 64;

const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

pub(super) fn http(settings: &Settings, context: &mut Context<'_>) -> HttpSpec {
    HttpSpec {
        title: settings.owned("title"),
        description: settings.owned("description"),
        cors: settings.flag("cors"),
        no_debug_endpoints: settings.flag("no-debug-endpoints"),
        no_crud_endpoints: settings.flag("no-crud-endpoints"),
        expose_endpoints: expose_endpoints(settings, context),
        graphql: graphql(settings, context),
        web_server: web_server::web_server(settings, context),
    }
}

fn graphql(settings: &Settings, context: &mut Context<'_>) -> Option<GraphQl> {
    if !settings.flag("expose-graphql-endpoint") {
        return None;
    }
    let max_depth = settings.count("graphql-max-depth");
    if max_depth > MAX_GRAPHQL_DEPTH {
        let value = settings.value("graphql-max-depth").cloned().unwrap_or_default();
        context.expected(settings.place("graphql-max-depth"), "a whole number from 1 to 64", &value);
    }
    Some(GraphQl {
        max_depth,
        max_complexity: settings.count("graphql-max-complexity"),
        max_calls: settings.count("graphql-max-calls"),
        max_query: settings.count("graphql-max-query"),
        max_tokens: settings.count("graphql-max-tokens"),
        max_operations: settings.count("graphql-max-operations"),
    })
}

fn expose_endpoints(settings: &Settings, context: &mut Context<'_>) -> IndexMap<String, CustomEndpoint> {
    let place = settings.place("expose-endpoints");
    let mut endpoints = IndexMap::new();
    let entries = match settings.value("expose-endpoints") {
        None | Some(Value::Null) => return endpoints,
        Some(Value::Object(entries)) => entries,
        Some(other) => {
            context.expected(place, "an object: endpoint to its route", other);
            return endpoints;
        }
    };
    for (endpoint, route) in entries {
        let place = place.within(endpoint);
        match route {
            Value::Object(route) => {
                endpoints.insert(endpoint.clone(), custom_endpoint(endpoint, route, &place, context));
            }
            other => {
                context.expected(place, "an object with `http_path`, `methods`, `tags` and the like", other)
            }
        }
    }
    endpoints
}

fn custom_endpoint(
    endpoint: &str,
    route: &serde_json::Map<String, Value>,
    place: &Place,
    context: &mut Context<'_>,
) -> CustomEndpoint {
    let rooted = |path: &str| format!("/{}", path.trim_start_matches('/'));
    let mut custom = CustomEndpoint {
        http_path: rooted(endpoint),
        methods: vec!["POST".to_owned()],
        openapi: IndexMap::new(),
    };
    for (key, value) in route {
        match (key.as_str(), value) {
            // The signature of the original offers `path`, though only `http_path` works there.
            ("http_path" | "path", Value::String(path)) => custom.http_path = rooted(path),
            ("http_path" | "path", other) => context.expected(place.within(key), "a path", other),
            ("methods", value) => custom.methods = methods(value, &place.within(key), context),
            (key, value) if OPENAPI.contains(&key) => {
                custom.openapi.insert(key.to_owned(), value.clone());
            }
            (key, _) => {
                let known = OPENAPI.iter().copied().chain(["http_path", "methods"]);
                let nearest = nearest(key, known).map(str::to_owned);
                context.problem(place.clone(), Reason::UnknownKey { key: key.to_owned(), nearest });
            }
        }
    }
    custom
}

fn methods(value: &Value, place: &Place, context: &mut Context<'_>) -> Vec<String> {
    let Value::Array(items) = value else {
        context.expected(place.clone(), "a list of HTTP methods", value);
        return Vec::new();
    };
    let mut methods = Vec::new();
    for item in items {
        let method =
            item.as_str().map(str::to_ascii_uppercase).filter(|name| METHODS.contains(&name.as_str()));
        match method {
            Some(method) => methods.push(method),
            None => context.expected(place.clone(), &format!("one of {}", METHODS.join(", ")), item),
        }
    }
    methods
}
