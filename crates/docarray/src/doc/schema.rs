//! JSON schemas in the dialect of pydantic 2, which Jina's gateways and clients read.

use serde_json::{Map, Value, json};

use super::{Doc, Field};

/// The classes that a schema refers to.
#[derive(Debug, Default)]
pub struct Definitions(Map<String, Value>);

/// The schema of one class while its fields are told.
#[derive(Debug)]
pub struct Definition {
    name: &'static str,
    description: &'static str,
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Definitions {
    /// A reference to the class `T`, which is told here once.
    pub fn reference<T: Doc>(&mut self) -> Value {
        if !self.0.contains_key(T::name()) {
            // Holds the place, so that a class that refers to itself comes to an end.
            self.0.insert(T::name().to_owned(), Value::Null);
            let definition = T::definition(self);
            self.0.insert(T::name().to_owned(), definition);
        }
        json!({"$ref": format!("#/$defs/{}", T::name())})
    }

    /// The schema of the class `name` with the classes it refers to.
    pub(super) fn complete(mut self, name: &str, root: Value) -> Value {
        let plain = self.0.clone();
        for definition in self.0.values_mut() {
            repeat_optional(definition, &plain, &mut Vec::new());
        }
        let mut schema = Map::new();
        if self.0.contains_key(name) {
            schema.insert("$ref".to_owned(), format!("#/$defs/{name}").into());
        } else {
            let mut root = root;
            repeat_optional(&mut root, &plain, &mut Vec::new());
            if let Value::Object(root) = root {
                schema = root;
            }
        }
        if !self.0.is_empty() {
            schema.insert("$defs".to_owned(), Value::Object(self.0));
        }
        Value::Object(schema)
    }
}

/// Repeats the classes of optional documents under `definitions`.
///
/// Jina 3.34 looks there, in the class that has the field, and stops at start if it finds nothing. It cannot
/// rebuild classes that refer to themselves at all, so those are not repeated.
fn repeat_optional(class: &mut Value, plain: &Map<String, Value>, within: &mut Vec<String>) {
    let mut names = Vec::new();
    if let Some(properties) = class.get("properties") {
        optional_references(properties, &mut names);
    }
    let mut repeated = Map::new();
    for name in names {
        if within.contains(&name) {
            continue;
        }
        if let Some(definition) = plain.get(&name) {
            let mut definition = definition.clone();
            within.push(name.clone());
            repeat_optional(&mut definition, plain, within);
            within.pop();
            repeated.insert(name, definition);
        }
    }
    if let (Value::Object(class), false) = (class, repeated.is_empty()) {
        class.insert("definitions".to_owned(), Value::Object(repeated));
    }
}

/// The names of the classes that stand directly in an `anyOf`.
fn optional_references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for option in map.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
                let reference = option.get("$ref").and_then(Value::as_str);
                names.extend(reference.and_then(|path| path.strip_prefix("#/$defs/")).map(str::to_owned));
            }
            map.values().for_each(|value| optional_references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| optional_references(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Definition {
    /// A class with no field yet.
    #[must_use]
    pub fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description, properties: Map::new(), required: Vec::new() }
    }

    /// Adds a field whose value, if it does not come, is the type's own.
    #[must_use]
    pub fn field<T: Field>(
        self,
        name: &'static str,
        description: &'static str,
        definitions: &mut Definitions,
    ) -> Self {
        self.field_or::<T>(name, description, T::absent().as_ref(), definitions)
    }

    /// Adds a field with a default of its own; without one it is required.
    #[must_use]
    pub fn field_or<T: Field>(
        mut self,
        name: &'static str,
        description: &'static str,
        default: Option<&T>,
        definitions: &mut Definitions,
    ) -> Self {
        let mut schema = T::schema_in(definitions);
        let is_reference = schema.get("$ref").is_some() || schema["anyOf"][0].get("$ref").is_some();
        if let Value::Object(schema) = &mut schema {
            match default {
                None => self.required.push(name.into()),
                Some(default) => {
                    if let Some(default) = default.as_default() {
                        schema.insert("default".to_owned(), default);
                    }
                }
            }
            if !description.is_empty() {
                schema.insert("description".to_owned(), description.into());
            }
            if !is_reference {
                schema.insert("title".to_owned(), title(name).into());
            }
        }
        self.properties.insert(name.to_owned(), schema);
        self
    }

    /// The schema.
    #[must_use]
    pub fn finish(self) -> Value {
        let mut schema = Map::new();
        if !self.description.is_empty() {
            schema.insert("description".to_owned(), self.description.into());
        }
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        schema.insert("title".to_owned(), self.name.into());
        schema.insert("type".to_owned(), "object".into());
        Value::Object(schema)
    }
}

/// The title that pydantic gives a field of that name: `created_at` becomes `Created At`.
#[must_use]
pub fn title(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let words = words.map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        first + &letters.as_str().to_lowercase()
    });
    words.collect::<Vec<_>>().join(" ")
}
