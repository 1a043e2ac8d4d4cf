//! What every Flow has in its document.

use serde_json::{Map, Value, json};

use crate::Settings;

/// The routes that are not endpoints.
pub(super) fn paths(settings: &Settings) -> Map<String, Value> {
    let mut paths = Map::new();
    let mut add = |path: &str, id: &str, summary: &str, model: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{model}")});
        let response = json!({
            "description": "Successful Response",
            "content": {"application/json": {"schema": schema}},
        });
        let operation = json!({"summary": summary, "operationId": id, "responses": {"200": response}});
        paths.insert(path.to_owned(), json!({"get": operation}));
    };
    add("/", "_gateway_health__get", "Whether the gateway takes requests", "JinaHealthModel");
    if !settings.no_debug_endpoints {
        add("/status", "_status_status_get", "Versions and environment of the gateway", "JinaInfoModel");
        add("/dry_run", "_flow_health_dry_run_get", "Whether all executors answer", "StatusProto");
    }
    paths
}

/// The schemas that are not of documents.
pub(super) fn schemas() -> Map<String, Value> {
    let text = |title: &str| json!({"type": "string", "title": title, "default": ""});
    let texts =
        |title: &str| json!({"items": {"type": "string"}, "type": "array", "title": title, "default": []});
    let nullable_text =
        |title: &str| json!({"anyOf": [{"type": "string"}, {"type": "null"}], "title": title});
    let schemas = [
        (
            "ExceptionProto",
            json!({
                "properties": {"name": text("Name"), "args": texts("Args"), "stacks": texts("Stacks"),
                    "executor": text("Executor")},
                "type": "object", "title": "ExceptionProto",
            }),
        ),
        ("StatusCode", json!({"type": "integer", "enum": [0, 1], "title": "StatusCode"})),
        (
            "StatusProto",
            json!({
                "properties": {
                    "code": {"$ref": "#/components/schemas/StatusCode", "default": 0},
                    "description": text("Description"),
                    "exception": {"anyOf": [{"$ref": "#/components/schemas/ExceptionProto"}, {"type": "null"}]},
                },
                "type": "object", "title": "StatusProto",
            }),
        ),
        (
            "Header",
            json!({
                "properties": {"request_id": nullable_text("Request Id"),
                    "target_executor": nullable_text("Target Executor")},
                "type": "object", "title": "Header",
            }),
        ),
        ("JinaHealthModel", json!({"properties": {}, "type": "object", "title": "JinaHealthModel"})),
        (
            "JinaInfoModel",
            json!({
                "properties": {"jina": {"type": "object", "title": "Jina"},
                    "envs": {"type": "object", "title": "Envs"}},
                "type": "object", "required": ["jina", "envs"], "title": "JinaInfoModel",
            }),
        ),
        (
            "ValidationError",
            json!({
                "properties": {
                    "loc": {"items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "type": "array",
                        "title": "Location"},
                    "msg": {"type": "string", "title": "Message"},
                    "type": {"type": "string", "title": "Error Type"},
                },
                "type": "object", "required": ["loc", "msg", "type"], "title": "ValidationError",
            }),
        ),
        (
            "HTTPValidationError",
            json!({
                "properties": {"detail": {"items": {"$ref": "#/components/schemas/ValidationError"},
                    "type": "array", "title": "Detail"}},
                "type": "object", "title": "HTTPValidationError",
            }),
        ),
        (
            "Failure",
            json!({
                "properties": {
                    "detail": {"type": "string", "title": "Detail"},
                    "header": {
                        "properties": {"request_id": {"type": "string"}, "target_executor": {"type": "string"},
                            "status": {"$ref": "#/components/schemas/StatusProto"}},
                        "type": "object",
                    },
                },
                "type": "object", "title": "Failure",
            }),
        ),
    ];
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
