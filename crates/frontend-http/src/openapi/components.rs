//! The named schemas of the document.

use docarray::discovery::Model;
use serde_json::{Map, Value, json};

const PREFIX: &str = "#/components/schemas/";

/// Where schemas define others.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Named schemas, each once.
pub(super) struct Components {
    schemas: Map<String, Value>,
}

impl Components {
    pub(super) const fn new(fixed: Map<String, Value>) -> Self {
        Self { schemas: fixed }
    }

    pub(super) fn into_schemas(self) -> Map<String, Value> {
        self.schemas
    }

    /// Takes over the schema of an executor with all that it defines; returns a reference to it.
    pub(super) fn model(&mut self, model: &Model) -> Value {
        let mut schema = model.schema.clone();
        let mut definitions = Map::new();
        if let Value::Object(schema) = &mut schema {
            for key in DEFINITIONS {
                if let Some(Value::Object(found)) = schema.remove(key) {
                    definitions.extend(found);
                }
            }
        }
        let root = if model.name.is_empty() { "Document" } else { &*model.name };
        definitions.entry(root).or_insert(schema);
        let names = self.names(&definitions);
        for (name, mut schema) in definitions {
            rename(&mut schema, &names);
            let name = names.get(&name).and_then(Value::as_str).unwrap_or(&name).to_owned();
            self.schemas.insert(name, schema);
        }
        json!({"$ref": format!("{PREFIX}{}", names[root].as_str().unwrap_or(root))})
    }

    /// A name for each of `definitions`: its own, or a numbered one where another schema has that already.
    fn names(&self, definitions: &Map<String, Value>) -> Map<String, Value> {
        let mut names: Map<String, Value> =
            definitions.keys().map(|name| (name.clone(), plain(name).into())).collect();
        let mut number = 1;
        // A schema that gets a number changes those that refer to it, which may need one then.
        loop {
            let taken = |(name, schema): &(&String, &Value)| {
                let mut renamed = (*schema).clone();
                rename(&mut renamed, &names);
                let there = names[*name].as_str().and_then(|name| self.schemas.get(name));
                there.is_some_and(|there| *there != renamed)
            };
            let Some((name, _)) = definitions.iter().find(taken) else { return names };
            number += 1;
            let name = name.clone();
            let numbered = format!("{}_{number}", plain(&name));
            names.insert(name, numbered.into());
        }
    }

    /// The body of an endpoint's requests or answers; returns a reference to it.
    pub(super) fn body(&mut self, name: &str, doc: &Value, parameters: &Value, required: &[&str]) -> Value {
        let name = plain(name);
        let data = json!({"anyOf": [{"items": doc, "type": "array"}, doc], "title": "Data"});
        let header = json!({"anyOf": [{"$ref": format!("{PREFIX}Header")}, {"type": "null"}]});
        let body = json!({
            "properties": {"data": data, "parameters": parameters, "header": header},
            "type": "object",
            "required": required,
            "title": name,
        });
        self.schemas.insert(name.clone(), body);
        json!({"$ref": format!("{PREFIX}{name}")})
    }
}

/// Numbers or truth values, null for numbers that JSON has not, or the rows of a tensor of a higher rank.
fn tensor_items() -> Value {
    json!({"anyOf": [{"type": ["number", "boolean", "null"]}, {"items": {}, "type": "array"}]})
}

/// A name as OpenAPI allows it.
fn plain(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    name.chars().map(allowed).collect()
}

/// Points references to definitions at components, and tells what tensors hold.
fn rename(schema: &mut Value, names: &Map<String, Value>) {
    match schema {
        Value::Object(entries) => {
            if entries.contains_key("tensor/array shape") {
                // Schemas of executors tell of vectors without NaN only; a tensor may be a single item, too.
                entries.insert("type".to_owned(), json!(["array", "number", "boolean"]));
                entries.insert("items".to_owned(), tensor_items());
            }
            for (key, value) in entries {
                match value {
                    Value::String(target) if key == "$ref" => {
                        let name = DEFINITIONS.iter().find_map(|definitions| {
                            target.strip_prefix("#/")?.strip_prefix(definitions)?.strip_prefix('/')
                        });
                        if let Some(name) = name.and_then(|name| names.get(name)).and_then(Value::as_str) {
                            *target = format!("{PREFIX}{name}");
                        }
                    }
                    value => rename(value, names),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
