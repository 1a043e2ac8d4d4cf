//! JSON schemas, as discovery delivers them, become shapes.
//!
//! Both dialects are understood: pydantic 2 (`$defs`, `anyOf` with null) and pydantic 1 (`definitions`, optional
//! fields just not required, references inside `allOf`). What a schema says beyond what is known here is left
//! to the executor to check: such a value has the shape [`Shape::Any`].

use std::collections::HashMap;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value};

use super::print;
use super::shape::{Bounds, Class, Dimensions, Len, Null, Property, Shape, Shapes, Slot, TextRule};

/// A schema inside a schema inside a schema ends somewhere, and so does what is made of it.
const MAX_DEPTH: usize = 64;
const MAX_SHAPES: usize = 10_000;

pub(super) fn compile(name: &str, schema: &Value) -> Shapes {
    let is_lenient = is_pydantic1(schema);
    let mut compiler = Compiler {
        root: schema,
        shapes: Shapes { all: vec![Shape::Any], classes: Vec::new(), is_lenient, root: 0 },
        references: HashMap::new(),
    };
    let root = compiler.slot(schema, 0);
    compiler.shapes.tell_defaults();
    compiler.shapes.root = match compiler.shapes.get(root.shape) {
        Shape::Class(class) => *class,
        // Documents that the schema says nothing of: all fields are kept as they are.
        _ => {
            compiler.shapes.classes.push(open_class(name));
            compiler.shapes.classes.len() - 1
        }
    };
    compiler.shapes
}

/// A class of documents with any fields.
pub(super) fn open_class(name: &str) -> Class {
    let id = Property {
        slot: Slot::ANY,
        required: false,
        null: Null::Absent,
        default: None,
        key: print::key("id"),
        absent: Vec::new(),
    };
    let fields = IndexMap::from([(Box::from("id"), id)]);
    Class { name: name.to_owned(), fields, open: Some(Slot::ANY), gives_id: true, n_required: 0 }
}

struct Compiler<'s> {
    root: &'s Value,
    shapes: Shapes,
    /// What references stand for. One that is being compiled is here, too: classes may contain themselves.
    references: HashMap<&'s str, Slot>,
}

impl<'s> Compiler<'s> {
    fn slot(&mut self, schema: &'s Value, depth: usize) -> Slot {
        let Value::Object(map) = schema else { return Slot::ANY };
        if depth > MAX_DEPTH || self.shapes.all.len() > MAX_SHAPES {
            return Slot::ANY;
        }
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, depth);
        }
        if let Some([only]) = list(map, "allOf") {
            return self.slot(only, depth + 1);
        }
        if let Some(options) = list(map, "anyOf").or_else(|| list(map, "oneOf")) {
            return self.union(options.iter(), depth);
        }
        if let Some(choices) = list(map, "enum") {
            return self.choice(choices.to_vec());
        }
        if let Some(only) = map.get("const") {
            return self.choice(vec![only.clone()]);
        }
        match map.get("type") {
            Some(Value::String(kind)) => self.of_type(kind, map, depth),
            Some(Value::Array(kinds)) => {
                let slots = kinds.iter().filter_map(Value::as_str).map(|kind| self.of_type(kind, map, depth));
                let slots = slots.collect();
                self.any_of(slots)
            }
            _ if map.contains_key("properties") => self.of_type("object", map, depth),
            _ if map.contains_key("items") => self.of_type("array", map, depth),
            _ => Slot::ANY,
        }
    }

    fn reference(&mut self, reference: &'s str, depth: usize) -> Slot {
        if let Some(slot) = self.references.get(reference) {
            return *slot;
        }
        let Some(target) = reference.strip_prefix('#').and_then(|path| self.root.pointer(path)) else {
            return Slot::ANY;
        };
        // The place is taken before it is filled, so that whoever refers to it from inside finds it.
        let place = self.add(Shape::Alias(0));
        self.references.insert(reference, place);
        let slot = self.slot(target, depth + 1);
        // References that lead nowhere but to themselves allow everything.
        self.shapes.all[place.shape] = Shape::Alias(if slot.shape == place.shape { 0 } else { slot.shape });
        self.references.insert(reference, slot);
        slot
    }

    fn of_type(&mut self, kind: &str, map: &'s Map<String, Value>, depth: usize) -> Slot {
        let shape = match kind {
            "null" => return Slot { nullable: true, ..self.add(Shape::Union(Vec::new())) },
            "boolean" => Shape::Boolean,
            "integer" => Shape::Integer(bounds(map)),
            "number" => Shape::Number(bounds(map)),
            "string" if map.get("format").is_some_and(|format| format == "binary") => Shape::Blob,
            "string" => Shape::Text(text_rule(map)),
            "array" => self.array(map, depth),
            "object" => return self.object(map, depth),
            _ => return Slot::ANY,
        };
        self.add(shape)
    }

    fn array(&mut self, map: &'s Map<String, Value>, depth: usize) -> Shape {
        if let Some(dimensions) = map.get("tensor/array shape") {
            return Shape::Tensor(Dimensions { n_items: dimensions.as_str().and_then(n_items) });
        }
        let len =
            Len { min: size(map, "minItems").unwrap_or(0), max: size(map, "maxItems").unwrap_or(usize::MAX) };
        // Pydantic 1 and older drafts have the items of a tuple under `items`.
        let (named, rest) = match (list(map, "prefixItems"), map.get("items")) {
            (Some(named), rest) => (named, rest),
            (None, Some(Value::Array(named))) => (named.as_slice(), map.get("additionalItems")),
            (None, items) => {
                let items = items.map_or(Slot::ANY, |items| self.slot(items, depth + 1));
                return Shape::List { items, len };
            }
        };
        let rest = match rest {
            Some(Value::Bool(false)) => None,
            // A tuple of Python has as many items as it has types, whether the schema says so or not.
            None => None,
            Some(rest) => Some(self.slot(rest, depth + 1)),
        };
        let items = named.iter().map(|item| self.slot(item, depth + 1)).collect();
        Shape::Tuple { items, rest, len }
    }

    fn object(&mut self, map: &'s Map<String, Value>, depth: usize) -> Slot {
        let properties = map.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty());
        let others = map.get("additionalProperties");
        let Some(properties) = properties else {
            let values = others.filter(|others| others.is_object());
            let values = values.map_or(Slot::ANY, |values| self.slot(values, depth + 1));
            return self.add(Shape::Dict(values));
        };
        let class = self.shapes.classes.len();
        let slot = self.add(Shape::Class(class));
        self.shapes.classes.push(Class::default());
        let required = list(map, "required").unwrap_or_default();
        let mut fields = IndexMap::with_capacity(properties.len());
        for (name, schema) in properties {
            let required = required.iter().any(|required| required == name.as_str());
            fields.insert(Box::from(name.as_str()), self.property(name, schema, required, depth));
        }
        if let Some(id) = fields.get_index_of("id") {
            fields.move_index(id, 0);
        }
        let gives_id = fields.get("id").is_some_and(|id| {
            let is_text = matches!(self.shapes.get(id.slot.shape), Shape::Text(_));
            is_text && !id.required && id.default.is_none()
        });
        let open = match others {
            None | Some(Value::Bool(false)) => None,
            Some(others) => Some(self.slot(others, depth + 1)),
        };
        let n_required = fields.values().filter(|field| field.required).count();
        let name = map.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.shapes.classes[class] = Class { name, fields, open, gives_id, n_required };
        slot
    }

    fn property(&mut self, name: &str, schema: &'s Value, required: bool, depth: usize) -> Property {
        let slot = self.slot(schema, depth + 1);
        let default = schema.get("default").cloned();
        let null = if slot.nullable {
            Null::Value
        } else if required {
            Null::Wrong
        } else if default.is_none() {
            // A default that is made anew each time, or an optional field of pydantic 1: leaving it out gives
            // the one its default and the other null.
            Null::Absent
        } else if self.shapes.is_lenient {
            // Optional fields with a default look like others here; the executor knows.
            Null::Value
        } else {
            Null::Wrong
        };
        Property { slot, required, null, default, key: print::key(name), absent: Vec::new() }
    }

    fn union(&mut self, options: impl Iterator<Item = &'s Value>, depth: usize) -> Slot {
        let slots = options.map(|option| self.slot(option, depth + 1)).collect();
        self.any_of(slots)
    }

    fn any_of(&mut self, slots: Vec<Slot>) -> Slot {
        let nullable = slots.iter().any(|slot| slot.nullable);
        let mut options: Vec<usize> = Vec::with_capacity(slots.len());
        for slot in slots {
            match &self.shapes.all[slot.shape] {
                Shape::Any => return Slot::ANY,
                Shape::Union(inner) => options.extend(inner),
                _ => options.push(slot.shape),
            }
        }
        match options[..] {
            [only] => Slot { shape: only, nullable },
            _ => Slot { nullable, ..self.add(Shape::Union(options)) },
        }
    }

    fn choice(&mut self, mut choices: Vec<Value>) -> Slot {
        let n_choices = choices.len();
        choices.retain(|choice| !choice.is_null());
        let nullable = choices.len() < n_choices;
        if choices.iter().any(|choice| choice.is_object() || choice.is_array()) {
            return Slot::ANY;
        }
        Slot { nullable, ..self.add(Shape::Choice(choices)) }
    }

    fn add(&mut self, shape: Shape) -> Slot {
        self.shapes.all.push(shape);
        Slot { shape: self.shapes.all.len() - 1, nullable: false }
    }
}

impl Shapes {
    /// Writes down what documents look like that lack a field.
    fn tell_defaults(&mut self) {
        for class in 0..self.classes.len() {
            for field in 0..self.classes[class].fields.len() {
                let Property { slot, default, .. } = &self.classes[class].fields[field];
                let mut json = Vec::new();
                match default {
                    Some(default) => print::default(self, slot.shape, default, &mut json),
                    None => json.extend_from_slice(b"null"),
                }
                self.classes[class].fields[field].absent = json;
            }
        }
    }
}

/// The dialects differ in where classes are, and every document has an id, which only one of them lets be null.
fn is_pydantic1(schema: &Value) -> bool {
    let plain_id = schema.pointer("/properties/id/type").is_some_and(|kind| kind == "string");
    schema.get("$defs").is_none() && (schema.get("definitions").is_some() || plain_id)
}

fn list<'s>(map: &'s Map<String, Value>, key: &str) -> Option<&'s [Value]> {
    map.get(key)?.as_array().map(Vec::as_slice)
}

/// A number that came as a double, like all numbers in a schema that was sent.
fn size(map: &Map<String, Value>, key: &str) -> Option<usize> {
    map.get(key)?.as_f64().map(|size| size as usize)
}

fn bounds(map: &Map<String, Value>) -> Option<Box<Bounds>> {
    let bound = |key| map.get(key).and_then(Value::as_f64);
    let bounds = Bounds {
        min: bound("minimum"),
        max: bound("maximum"),
        above: bound("exclusiveMinimum"),
        below: bound("exclusiveMaximum"),
        multiple_of: bound("multipleOf").filter(|factor| *factor > 0.0),
    };
    let all = [bounds.min, bounds.max, bounds.above, bounds.below, bounds.multiple_of];
    all.iter().any(Option::is_some).then(|| Box::new(bounds))
}

fn text_rule(map: &Map<String, Value>) -> Option<Box<TextRule>> {
    // Pydantic 1 gives every link a length that its own check does not insist on.
    if map.get("format").is_some_and(|format| format == "uri") {
        return None;
    }
    let len =
        Len { min: size(map, "minLength").unwrap_or(0), max: size(map, "maxLength").unwrap_or(usize::MAX) };
    // A pattern that only Python understands is left to the executor.
    let pattern = map.get("pattern").and_then(Value::as_str).and_then(|pattern| Regex::new(pattern).ok());
    (len != Len::ANY || pattern.is_some()).then(|| Box::new(TextRule { len, pattern }))
}

/// The number of items of `[3, 224, 224]`; `None` if a dimension may vary.
fn n_items(dimensions: &str) -> Option<usize> {
    let dimensions = dimensions.strip_prefix('[')?.strip_suffix(']')?;
    dimensions.split(',').try_fold(1, |n: usize, size| n.checked_mul(size.trim().parse().ok()?))
}
