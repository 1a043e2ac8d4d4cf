//! The JSON Schema of Flow files, for editors.

use serde_json::{Map, Value, json};

use crate::form::Form;
use crate::table::{Argument, Program, arguments};

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let gateway = keys(Program::Gateway);
    let executor = keys(Program::Deployment);
    let mut with = gateway.clone();
    with.extend(executor.clone());
    with.insert("inspect".to_owned(), json!({ "enum": ["HANG", "REMOVE", "COLLECT"] }));
    with.insert("suppress_root_logging".to_owned(), json!({ "type": "boolean" }));
    let entry = json!({
        "anyOf": [
            { "type": "string", "description": "A Deployment file" },
            { "$ref": "#/$defs/executor" },
            { "$ref": "#/$defs/deployment" },
        ]
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flow",
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "jtype": { "const": "Flow" },
                    "version": { "description": "Major version 1" },
                    "with": { "type": "object", "properties": with },
                    "gateway": { "$ref": "#/$defs/gateway" },
                    "executors": { "type": "array", "items": entry },
                },
                "required": ["jtype"],
            },
            { "$ref": "#/$defs/deployment" },
        ],
        "$defs": {
            "gateway": { "type": "object", "properties": gateway, "additionalProperties": false },
            "executor": { "type": "object", "properties": executor, "additionalProperties": false },
            "deployment": {
                "type": "object",
                "properties": {
                    "jtype": { "const": "Deployment" },
                    "needs": { "type": ["string", "array"] },
                    "with": { "type": "object", "properties": executor },
                },
                "required": ["jtype", "with"],
            },
        },
    })
}

fn keys(program: Program) -> Map<String, Value> {
    let mut keys = Map::new();
    for argument in arguments(program) {
        for alias in std::iter::once(&argument.name).chain(argument.aliases) {
            keys.insert(alias.replace('-', "_"), property(argument));
        }
    }
    keys
}

fn property(argument: &Argument) -> Value {
    let mut property = match values(argument.form) {
        Value::Object(property) => property,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    property.insert("description".to_owned(), argument.help.into());
    if let Some(Ok(default)) = argument.default.map(|default| argument.form.read(&default.into())) {
        property.insert("default".to_owned(), default);
    }
    Value::Object(property)
}

/// Every value may also be a text, for it may hold a variable; only what a text could never be is typed.
fn values(form: Form) -> Value {
    match form {
        Form::Flag => json!({ "type": ["boolean", "string"] }),
        Form::Text => json!({ "type": ["string", "number", "boolean"] }),
        Form::Texts | Form::Hosts => {
            json!({ "type": ["string", "array"], "items": { "type": ["string", "number"] } })
        }
        Form::Integer | Form::Count | Form::Positive | Form::Port => json!({ "type": ["integer", "string"] }),
        Form::Ports => {
            json!({ "type": ["integer", "string", "array"], "items": { "type": ["integer", "string"] } })
        }
        Form::Milliseconds | Form::Size => json!({ "type": ["integer", "string"] }),
        Form::Choice { of, exact: true } => json!({ "anyOf": [{ "enum": of }, { "pattern": "\\$" }] }),
        Form::Choice { of, exact: false } => json!({ "type": "string", "examples": of }),
        Form::Choices { of } => {
            json!({ "type": ["string", "array"], "items": { "type": "string" }, "examples": of })
        }
        Form::PeerPorts => json!({ "type": ["integer", "string", "array", "object"] }),
        Form::KeyValue => json!({ "type": ["object", "string", "array"] }),
        Form::Json | Form::JsonOrText => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_file_agrees_with_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/flow.schema.json");
        let text = format!("{:#}\n", schema());
        if std::env::var_os("FLOWGATE_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == text, "docs/flow.schema.json is old: FLOWGATE_BLESS=1 cargo test -p config");
    }

    #[test]
    fn every_key_of_the_exported_examples_is_in_it() {
        let schema = schema();
        let keys = &schema["$defs"]["executor"]["properties"];
        for key in ["needs", "polling", "uses_dynamic_batching", "disable_reduce", "max_waiting", "when"] {
            assert!(keys.get(key).is_some(), "{key}");
        }
        assert!(schema["$defs"]["gateway"]["properties"].get("ports").is_some());
    }
}
