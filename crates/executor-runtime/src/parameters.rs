//! Schemas of parameters, in the dialect in which gateways in Python tell them.

use std::marker::PhantomData;

use docarray::discovery::Model;
use docarray::doc::title;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Asks the type `P` for its schema. It need not have one: [`TellSchema`] answers for those that do, and as it is
/// nearer to the receiver of the call, [`TellNothing`] for the others only.
#[derive(Debug)]
pub struct Tell<P>(PhantomData<fn() -> P>);

impl<P> Tell<P> {
    /// Of this type.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P> Default for Tell<P> {
    fn default() -> Self {
        Self::new()
    }
}

/// Types that derive `JsonSchema`.
pub trait TellSchema {
    /// The schema; `None` for maps, which take anything.
    fn parameters(&self) -> Option<Model>;
}

impl<P: JsonSchema> TellSchema for Tell<P> {
    fn parameters(&self) -> Option<Model> {
        model::<P>()
    }
}

/// All other types.
pub trait TellNothing {
    /// Nothing is known.
    fn parameters(&self) -> Option<Model>;
}

impl<P> TellNothing for &Tell<P> {
    fn parameters(&self) -> Option<Model> {
        None
    }
}

fn model<P: JsonSchema>() -> Option<Model> {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<P>();
    let mut schema = schema.to_value();
    let root = schema.as_object_mut().filter(|root| root.contains_key("properties"))?;
    root.shift_remove("$schema");
    for definition in root.get_mut("$defs").and_then(Value::as_object_mut).into_iter().flatten() {
        class(definition.1);
    }
    class(&mut schema);
    Some(Model { name: P::schema_name().as_ref().into(), schema })
}

/// Names the fields of a class as pydantic does, and gives those a default that may be left out.
fn class(schema: &mut Value) {
    let required: Vec<String> = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        dialect(property);
        let Value::Object(property) = property else { continue };
        if !property.contains_key("$ref") {
            property.entry("title").or_insert_with(|| title(name).into());
        }
        if !required.contains(name) && is_nullable(property) {
            property.entry("default").or_insert(Value::Null);
        }
    }
}

fn is_nullable(property: &Map<String, Value>) -> bool {
    let null = json!({"type": "null"});
    property.get("anyOf").and_then(Value::as_array).is_some_and(|options| options.contains(&null))
}

/// A choice of types is an `anyOf`, and numbers have no format.
fn dialect(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if matches!(entries.get("type").and_then(Value::as_str), Some("integer" | "number")) {
                entries.shift_remove("format");
            }
            if let Some(Value::Array(types)) = entries.get("type").cloned() {
                split(entries, types);
            }
            entries.values_mut().for_each(dialect);
        }
        Value::Array(items) => items.iter_mut().for_each(dialect),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Moves what is said of a value into one option for each of `types`.
fn split(entries: &mut Map<String, Value>, types: Vec<Value>) {
    const OF_THE_FIELD: [&str; 3] = ["default", "description", "title"];
    let (kept, said): (Map<String, Value>, Map<String, Value>) =
        std::mem::take(entries).into_iter().partition(|(key, _)| OF_THE_FIELD.contains(&key.as_str()));
    let option = |of: Value| {
        let mut option = if of == "null" { Map::new() } else { said.clone() };
        option.insert("type".to_owned(), of);
        Value::Object(option)
    };
    entries.insert("anyOf".to_owned(), types.into_iter().map(option).collect());
    entries.extend(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a search may be told.
    #[expect(dead_code, reason = "only its schema counts")]
    #[derive(serde::Deserialize, JsonSchema)]
    struct Search {
        query: String,
        /// How many.
        #[serde(default = "ten")]
        top_k: u32,
        language: Option<String>,
        filter: Option<Filter>,
    }

    #[expect(dead_code, reason = "only its schema counts")]
    #[derive(serde::Deserialize, JsonSchema)]
    struct Filter {
        min_score: Option<f64>,
    }

    fn ten() -> u32 {
        10
    }

    struct Silent;

    #[test]
    fn types_that_derive_a_schema_tell_it_as_pydantic_does() {
        let model = Tell::<Search>::new().parameters().unwrap();
        assert_eq!(model.name, "Search");
        let want = json!({
            "title": "Search",
            "description": "What a search may be told.",
            "type": "object",
            "properties": {
                "query": {"type": "string", "title": "Query"},
                "top_k": {"description": "How many.", "type": "integer", "minimum": 0, "default": 10,
                    "title": "Top K"},
                "language": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Language",
                    "default": null},
                "filter": {"anyOf": [{"$ref": "#/$defs/Filter"}, {"type": "null"}], "title": "Filter",
                    "default": null},
            },
            "required": ["query"],
            "$defs": {"Filter": {"type": "object", "properties": {
                "min_score": {"anyOf": [{"type": "number"}, {"type": "null"}], "title": "Min Score",
                    "default": null}}}},
        });
        assert_eq!(model.schema, want);
    }

    #[test]
    fn maps_and_types_without_a_schema_tell_none() {
        assert_eq!(Tell::<Map<String, Value>>::new().parameters(), None);
        assert_eq!((&Tell::<Silent>::new()).parameters(), None);
    }
}
