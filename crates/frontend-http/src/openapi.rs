//! The OpenAPI document: the endpoints of the Flow with the schemas of its executors.

mod components;
mod fixed;

use docarray::discovery::{Discovery, EndpointSchema};
use http::Method;
use serde_json::{Map, Value, json};

use crate::settings::{Exposed, Settings};
use crate::table::{path, visible};

use components::Components;

/// The version that clients are told.
const VERSION: &str = "3.34.0";

/// The document for a Flow as it is now.
pub(crate) fn document(flow: &Discovery, settings: &Settings) -> Value {
    let mut document =
        Document { paths: fixed::paths(settings), components: Components::new(fixed::schemas()) };
    for (endpoint, schema) in visible(flow) {
        document.endpoint(endpoint, schema);
        for exposed in settings.exposed.iter().filter(|exposed| exposed.endpoint == *endpoint) {
            document.exposed(exposed, schema);
        }
    }
    let mut result = json!({
        "openapi": "3.1.0",
        "info": {"title": settings.title, "description": settings.description, "version": VERSION},
        "paths": document.paths,
        "components": {"schemas": document.components.into_schemas()},
    });
    // Without servers, paths are those of whoever shows the document.
    if !settings.root_path.as_str().is_empty() {
        result["servers"] = json!([{"url": settings.root_path.as_str()}]);
    }
    result
}

struct Document {
    paths: Map<String, Value>,
    components: Components,
}

impl Document {
    fn endpoint(&mut self, endpoint: &str, schema: Option<&EndpointSchema>) {
        let path = path(endpoint);
        let streams = schema.is_some_and(|schema| schema.is_generator);
        let (name, summary, method) = if streams {
            ("streaming_get", format!("Streaming Endpoint {path}"), Method::GET)
        } else {
            ("post", format!("Endpoint {path}"), Method::POST)
        };
        let mut operation = self.operation(&path, schema);
        operation["summary"] = summary.into();
        operation["operationId"] = operation_id(name, &path, &method).into();
        self.put(&path, &method, operation);
    }

    fn exposed(&mut self, exposed: &Exposed, schema: Option<&EndpointSchema>) {
        let hidden = exposed.openapi.get("include_in_schema") == Some(&Value::Bool(false));
        for method in exposed.methods.iter().filter(|_| !hidden) {
            let mut operation = self.operation(&path(&exposed.endpoint), schema);
            operation["operationId"] = operation_id("exposed", &exposed.path, method).into();
            for (key, value) in &exposed.openapi {
                match key.as_str() {
                    "summary" | "description" | "tags" | "deprecated" => operation[key] = value.clone(),
                    "operation_id" => operation["operationId"] = value.clone(),
                    _ => {}
                }
            }
            self.put(&exposed.path, method, operation);
        }
    }

    fn put(&mut self, path: &str, method: &Method, operation: Value) {
        let item = self.paths.entry(path).or_insert_with(|| json!({}));
        item[method.as_str().to_ascii_lowercase()] = operation;
    }

    /// What the endpoint takes and returns; its bodies are components named after its path.
    fn operation(&mut self, path: &str, schema: Option<&EndpointSchema>) -> Value {
        let input = schema.map_or_else(any, |schema| self.components.model(&schema.input));
        let output = schema.map_or_else(any, |schema| self.components.model(&schema.output));
        if schema.is_some_and(|schema| schema.is_generator) {
            return json!({
                "requestBody": content(&input),
                "responses": {
                    "200": {
                        "description": "Events: `update` with a document as data, `end` after the last one, \
                            `error` before a connection that is cut",
                        // A schema would be taken by some for that of the text, by others for that of an event.
                        "content": {"text/event-stream": {"x-document": output}},
                    },
                    "422": invalid(),
                    "default": failed(),
                },
            });
        }
        let parameters = schema.and_then(|schema| schema.parameters.as_ref());
        let required = parameters.is_some_and(has_required);
        let parameters = match parameters {
            Some(model) if required => self.components.model(model),
            Some(model) => json!({"anyOf": [self.components.model(model), {"type": "null"}]}),
            None => json!({"anyOf": [{"type": "object"}, {"type": "null"}], "title": "Parameters"}),
        };
        let name = path.trim_matches('/');
        let mut needed = vec!["data"];
        needed.extend(required.then_some("parameters"));
        let takes = self.components.body(&format!("{name}_input_model"), &input, &parameters, &needed);
        let any_parameters = json!({"anyOf": [{"type": "object"}, {"type": "null"}], "title": "Parameters"});
        let returns =
            self.components.body(&format!("{name}_output_model"), &output, &any_parameters, &["data"]);
        let mut request = content(&takes);
        request["required"] = true.into();
        json!({
            "requestBody": request,
            "responses": {
                "200": success(&returns),
                "422": invalid(),
                "default": failed(),
            },
        })
    }
}

/// A document of which nothing is known.
fn any() -> Value {
    json!({"type": "object"})
}

fn has_required(model: &docarray::discovery::Model) -> bool {
    model.schema["required"].as_array().is_some_and(|required| !required.is_empty())
}

fn content(schema: &Value) -> Value {
    json!({"content": {"application/json": {"schema": schema}}})
}

fn success(schema: &Value) -> Value {
    let mut response = content(schema);
    response["description"] = "Successful Response".into();
    response
}

fn invalid() -> Value {
    let mut response = content(&json!({"$ref": "#/components/schemas/HTTPValidationError"}));
    response["description"] = "Validation Error".into();
    response
}

fn failed() -> Value {
    let mut response = content(&json!({"$ref": "#/components/schemas/Failure"}));
    response["description"] = "An executor failed, or there was no answer".into();
    response
}

/// As FastAPI makes them.
fn operation_id(name: &str, path: &str, method: &Method) -> String {
    let word = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
    let id: String = format!("{name}{path}").chars().map(word).collect();
    format!("{id}_{}", method.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
