//! The field `docs` that gateways of old Jina had: documents of any kind to any endpoint.
//!
//! Its documents have the fields that documents had then, and those of the Flow's executors.

use docarray::discovery::Discovery;

use crate::names::Names;
use crate::shape::{Class, JSON, Kind, Property, Shapes, Slot, TENSOR};

/// Any JSON; objects and lists may be text that holds them.
pub(crate) const LEGACY_JSON: &str = "JSONScalar";
/// Bytes.
pub(crate) const BASE64: &str = "Base64";
/// The endpoint of requests that name none.
pub(crate) const DEFAULT_ENDPOINT: &str = "/search";

pub(crate) const DOCUMENT: &str = "StrawberryDocument";
pub(crate) const INPUT: &str = "StrawberryDocumentInput";

/// The fields by their names there and in JSON.
const FIELDS: [(&str, &str, &str); 15] = [
    ("id", "id", "String"),
    ("parentId", "parent_id", "String"),
    ("granularity", "granularity", "Int"),
    ("adjacency", "adjacency", "Int"),
    ("blob", "blob", BASE64),
    ("tensor", "tensor", TENSOR),
    ("mimeType", "mime_type", "String"),
    ("text", "text", "String"),
    ("weight", "weight", "Float"),
    ("uri", "uri", "String"),
    ("tags", "tags", LEGACY_JSON),
    ("offset", "offset", "Float"),
    ("embedding", "embedding", TENSOR),
    ("modality", "modality", "String"),
    ("location", "location", LEGACY_JSON),
];
const MORE: [&str; 2] = ["evaluations", "scores"];
const NESTED: [&str; 2] = ["chunks", "matches"];

/// What `docs` takes and returns, in the places of a list's items.
pub(crate) fn documents(shapes: &mut Shapes, flow: &Discovery) -> (Slot, Slot) {
    (document(shapes, flow, true), document(shapes, flow, false))
}

fn document(shapes: &mut Shapes, flow: &Discovery, is_input: bool) -> Slot {
    let itself = Slot { kind: Kind::Object(shapes.classes.len()), nullable: false };
    let mut names = Names::default();
    let mut fields = Vec::new();
    let mut add = |name: &str, key: &str, kind: Kind| {
        if !fields.iter().any(|known: &Property| known.key == key) {
            let slot = Slot { kind, nullable: false };
            fields.push(Property { name: names.give(name), key: key.to_owned(), slot, required: false });
        }
    };
    for (name, key, scalar) in FIELDS {
        add(name, key, Kind::Scalar(scalar));
    }
    for name in MORE {
        add(name, name, Kind::Scalar(LEGACY_JSON));
    }
    for name in NESTED {
        add(name, name, Kind::List(Box::new(itself.clone())));
    }
    for schema in flow.endpoints.values().flatten() {
        let model = if is_input { &schema.input } else { &schema.output };
        for key in properties(&model.schema) {
            add(key, key, Kind::Scalar(JSON));
        }
    }
    let name = if is_input { INPUT } else { DOCUMENT };
    shapes.classes.push(Class { name: name.to_owned(), is_input, fields });
    itself
}

fn properties(schema: &serde_json::Value) -> impl Iterator<Item = &String> {
    let target = schema.get("$ref").and_then(serde_json::Value::as_str);
    let target = target.and_then(|path| schema.pointer(path.strip_prefix('#')?)).unwrap_or(schema);
    target.get("properties").and_then(serde_json::Value::as_object).into_iter().flat_map(|map| map.keys())
}
