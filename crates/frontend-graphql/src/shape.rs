//! What documents look like in GraphQL: the executors' JSON schemas as its types.

use std::collections::HashMap;

use docarray::discovery::Model;
use serde_json::{Map, Value};

use crate::names::{self, Names};

/// What a value can be, and whether it can be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// What a value can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A scalar of this name.
    Scalar(&'static str),
    /// One of some words, by the name of their type.
    Enum(String),
    /// An object, by its place among the classes.
    Object(usize),
    /// A list.
    List(Box<Slot>),
}

/// An object type.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) is_input: bool,
    pub(crate) fields: Vec<Property>,
}

/// A field of an object.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    /// In GraphQL.
    pub(crate) name: String,
    /// In JSON.
    pub(crate) key: String,
    pub(crate) slot: Slot,
    pub(crate) required: bool,
}

/// All types of a Flow.
#[derive(Debug)]
pub(crate) struct Shapes {
    pub(crate) classes: Vec<Class>,
    /// Enumerations, each with its words.
    pub(crate) enums: Vec<(String, Vec<String>)>,
    /// Where classes are by what makes them; one that is being made is here, too: classes may contain themselves.
    known: HashMap<String, usize>,
    pub(crate) names: Names,
}

/// Any JSON.
pub(crate) const JSON: &str = "JSON";
/// Nested arrays of numbers.
pub(crate) const TENSOR: &str = "NdArray";

/// A schema inside a schema inside a schema ends somewhere.
const MAX_DEPTH: usize = 64;
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

impl Slot {
    pub(crate) const fn any() -> Self {
        Self { kind: Kind::Scalar(JSON), nullable: true }
    }

    pub(crate) const fn scalar(name: &'static str) -> Self {
        Self { kind: Kind::Scalar(name), nullable: false }
    }
}

impl Shapes {
    pub(crate) fn new(names: Names) -> Self {
        Self { classes: Vec::new(), enums: Vec::new(), known: HashMap::new(), names }
    }

    /// The type of a model; what is not an object of known fields is any JSON.
    pub(crate) fn model(&mut self, model: &Model, is_input: bool) -> Slot {
        let slot = Reader { shapes: self, root: &model.schema, is_input }.slot(&model.schema, &model.name, 0);
        match slot.kind {
            Kind::Object(_) => slot,
            _ => Slot::any(),
        }
    }
}

struct Reader<'s> {
    shapes: &'s mut Shapes,
    root: &'s Value,
    is_input: bool,
}

impl<'s> Reader<'s> {
    fn slot(&mut self, schema: &'s Value, name: &str, depth: usize) -> Slot {
        let Value::Object(map) = schema else { return Slot::any() };
        if depth > MAX_DEPTH {
            return Slot::any();
        }
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or(name);
            return match reference.strip_prefix('#').and_then(|path| self.root.pointer(path)) {
                Some(target) => self.slot(target, name, depth + 1),
                None => Slot::any(),
            };
        }
        if let Some([only]) = list(map, "allOf") {
            return self.slot(only, name, depth + 1);
        }
        if let Some(options) = list(map, "anyOf").or_else(|| list(map, "oneOf")) {
            return self.union(options, name, depth);
        }
        if let Some(words) = list(map, "enum") {
            return self.choice(words, map.get("title").and_then(Value::as_str).unwrap_or(name));
        }
        match map.get("type").and_then(Value::as_str) {
            Some("boolean") => Slot::scalar("Boolean"),
            Some("integer") => Slot::scalar("Int"),
            Some("number") => Slot::scalar("Float"),
            Some("string") => Slot::scalar("String"),
            Some("array") => self.array(map, name, depth),
            Some("object") => self.object(map, name, depth),
            None if map.contains_key("properties") => self.object(map, name, depth),
            _ => Slot::any(),
        }
    }

    /// Only an optional value is a union that GraphQL has for input and output.
    fn union(&mut self, options: &'s [Value], name: &str, depth: usize) -> Slot {
        let is_null = |option: &&Value| option.get("type").is_some_and(|kind| kind == "null");
        let mut others = options.iter().filter(|option| !is_null(option));
        match (others.next(), others.next()) {
            (Some(only), None) => {
                let slot = self.slot(only, name, depth + 1);
                Slot { nullable: slot.nullable || options.len() > 1, ..slot }
            }
            _ => Slot::any(),
        }
    }

    fn choice(&mut self, words: &[Value], name: &str) -> Slot {
        let nullable = words.iter().any(Value::is_null);
        let texts: Option<Vec<&str>> =
            words.iter().filter(|word| !word.is_null()).map(Value::as_str).collect();
        let Some(texts) = texts else { return Slot::any() };
        let is_word = |text: &&str| names::is_valid(text) && !["true", "false", "null"].contains(text);
        if texts.is_empty() || !texts.iter().all(is_word) {
            return Slot { kind: Kind::Scalar("String"), nullable };
        }
        let mut words: Vec<String> = Vec::new();
        for text in texts {
            if !words.iter().any(|word| word == text) {
                words.push(text.to_owned());
            }
        }
        let enums = &mut self.shapes.enums;
        let wanted = pascal_or(name, "Choice");
        let same = enums.iter().find(|(known, of)| *of == words && known.starts_with(&wanted));
        let name = match same {
            Some((known, _)) => known.clone(),
            None => {
                let name = self.shapes.names.give(&wanted);
                self.shapes.enums.push((name.clone(), words));
                name
            }
        };
        Slot { kind: Kind::Enum(name), nullable }
    }

    fn array(&mut self, map: &'s Map<String, Value>, name: &str, depth: usize) -> Slot {
        if map.contains_key("tensor/array shape") {
            return Slot::scalar(TENSOR);
        }
        if map.contains_key("prefixItems") || list(map, "items").is_some() {
            return Slot { nullable: false, ..Slot::any() };
        }
        let items = map.get("items").map_or_else(Slot::any, |items| self.slot(items, name, depth + 1));
        Slot { kind: Kind::List(Box::new(items)), nullable: false }
    }

    fn object(&mut self, map: &'s Map<String, Value>, name: &str, depth: usize) -> Slot {
        let properties = map.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty());
        let Some(properties) = properties else { return Slot { nullable: false, ..Slot::any() } };
        let signature = self.signature(map);
        if let Some(place) = self.shapes.known.get(&signature) {
            return Slot { kind: Kind::Object(*place), nullable: false };
        }
        let title = map.get("title").and_then(Value::as_str).unwrap_or(name);
        let wanted = pascal_or(title, "Document") + if self.is_input { "Input" } else { "" };
        let name = self.shapes.names.give(&wanted);
        let place = self.shapes.classes.len();
        self.shapes.classes.push(Class { name, is_input: self.is_input, fields: Vec::new() });
        self.shapes.known.insert(signature, place);
        let required = list(map, "required").unwrap_or_default();
        let mut names = Names::default();
        let mut fields = Vec::with_capacity(properties.len());
        for (key, schema) in properties {
            let slot = self.slot(schema, key, depth + 1);
            let required = required.iter().any(|required| required == key.as_str());
            fields.push(Property { name: names.give(key), key: key.clone(), slot, required });
        }
        self.shapes.classes[place].fields = fields;
        Slot { kind: Kind::Object(place), nullable: false }
    }

    /// Everything that makes a class: its schema, and the definitions that it refers to.
    fn signature(&self, map: &Map<String, Value>) -> String {
        let mut own = map.clone();
        DEFINITIONS.iter().for_each(|key| drop(own.remove(*key)));
        let own = Value::Object(own);
        let mut reached = Vec::new();
        self.reach(&own, &mut reached);
        let mut signature = format!("{}{own}", self.is_input);
        for reference in reached {
            let target = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
            signature.push_str(&format!("{reference}={}", target.unwrap_or(&Value::Null)));
        }
        signature
    }

    fn reach<'v>(&self, schema: &'v Value, reached: &mut Vec<&'v str>)
    where
        's: 'v,
    {
        match schema {
            Value::Object(map) => {
                for (key, value) in map {
                    match value {
                        Value::String(reference) if key == "$ref" && !reached.contains(&&**reference) => {
                            reached.push(reference);
                            let target = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
                            if let Some(target) = target {
                                self.reach(target, reached);
                            }
                        }
                        value => self.reach(value, reached),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.reach(item, reached)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn list<'s>(map: &'s Map<String, Value>, key: &str) -> Option<&'s [Value]> {
    map.get(key)?.as_array().map(Vec::as_slice)
}

/// Type names are words without blanks, as classes of Python are already.
fn pascal_or(name: &str, otherwise: &str) -> String {
    if names::is_valid(name) && name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return name.to_owned();
    }
    let name = names::pascal(name);
    if name.is_empty() { otherwise.to_owned() } else { name }
}

#[cfg(test)]
mod tests;
