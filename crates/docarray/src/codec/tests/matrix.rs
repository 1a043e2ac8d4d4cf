//! Every type of field that DocArray has, in both dialects, with what Python made of it: see testdata/type_matrix.json,
//! recorded from services of Jina 3.34.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::codec::Codec;

const MATRIX: &str = include_str!("../../../testdata/type_matrix.json");

/// Samples that we deliberately answer otherwise: the type and the value.
const REFUSED: [(&str, &str, &str); 5] = [
    // Pydantic 1 takes documents it should refuse for pairs of keys and values.
    ("pydantic1", "literal", r#""c""#),
    ("pydantic1", "enum", r#""green""#),
    ("pydantic1", "optimgurl", r#""http://x.y/a.txt""#),
    // This field's schema is that of an optional text.
    ("pydantic2", "optid", "3"),
    // Only the class knows how links to images end; the executor refuses it.
    ("pydantic2", "optimgurl", r#""http://x.y/a.txt""#),
];

fn codec(dialect: &str, field: &Value) -> Codec {
    let inner = json!({"title": "Inner", "type": "object", "properties": {
        "id": id(dialect), "name": {"type": "string", "default": "inner"}, "n": {"type": "integer", "default": 1.0},
    }});
    let color = json!({"title": "Color", "enum": ["red", "blue"], "type": "string"});
    let definitions = json!({"Inner": inner, "Color": color, "SColor": color});
    // A few types keep Python from telling its schema at all; this is what it would be.
    let unknown = match field["name"].as_str().unwrap() {
        "doclist" => json!({"type": "array", "items": {"$ref": "#/$defs/Inner"}, "default": []}),
        "optdoclist" => json!({"default": null,
            "anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Inner"}}, {"type": "null"}]}),
        "tuple" => json!({"type": "array", "minItems": 2, "maxItems": 2, "default": [1, "a"],
            "items": [{"type": "integer"}, {"type": "string"}]}),
        _ => json!({}),
    };
    let v = field.get("schema").unwrap_or(&unknown);
    let mut schema = json!({"title": "D", "type": "object", "properties": {"id": id(dialect), "v": v}});
    if field["required"] == true {
        schema["required"] = json!(["v"]);
    }
    schema[if dialect == "pydantic2" { "$defs" } else { "definitions" }] = definitions;
    Codec::of("D", &schema)
}

fn id(dialect: &str) -> Value {
    match dialect {
        "pydantic2" => json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        _ => json!({"type": "string"}),
    }
}

#[track_caller]
fn check_same(name: &str, sample: &Value, got: &Value) {
    // Where Python fails itself, what it should have answered is not known.
    let Some(mut want) = sample.get("answer").cloned() else { return };
    let mut got = got.clone();
    // Jina answers tensors as text.
    if let (Some(text), Value::Array(_)) = (want["v"].as_str(), &got["v"]) {
        want["v"] = serde_json::from_str(text).unwrap();
    }
    if name == "setstr" {
        for value in [&mut want, &mut got] {
            let items = value["v"].as_array_mut().unwrap();
            items.sort_by_key(Value::to_string);
            items.dedup();
        }
    }
    if want["v"]["id"] == "<hex32>" {
        let id = got["v"]["id"].as_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}: {id}");
        want["v"]["id"] = id.into();
    }
    assert_eq!(got, want, "{name}: {sample}");
}

fn check_sample(dialect: &str, name: &str, codec: &Codec, sample: &Value) {
    let mut doc = Map::from_iter([("id".to_owned(), json!("d1"))]);
    if let Some(json) = sample.get("json") {
        doc.insert("v".to_owned(), json.clone());
    }
    let spelled = sample.get("json").map(Value::to_string).unwrap_or_default();
    let read = codec.read_one(Value::from(doc).to_string().as_bytes());
    let is_refused = sample["status"] == 422 || REFUSED.contains(&(dialect, name, &spelled));
    match read {
        Ok(_) if name == "optimgurl" && is_refused => {}
        Ok(wire) => {
            assert!(!is_refused, "{dialect} {name}: {sample} was read");
            let mut json = Vec::new();
            codec.write_one(wire, &mut json).unwrap();
            check_same(name, sample, &serde_json::from_slice(&json).unwrap());
        }
        Err(invalid) => {
            assert!(is_refused, "{dialect} {name}: {sample}: {invalid}");
            assert_eq!(invalid.problems[0].path(), "v", "{name}: {sample}: {invalid}");
        }
    }
}

#[test]
fn all_types_are_read_and_written_as_python_has_them() {
    let matrix: Value = serde_json::from_str(MATRIX).unwrap();
    let mut n_samples = 0;
    for (dialect, types) in matrix.as_object().unwrap() {
        for field in types.as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let codec = codec(dialect, field);
            for sample in field["samples"].as_array().unwrap() {
                check_sample(dialect, name, &codec, sample);
                n_samples += 1;
            }
        }
    }
    assert!(n_samples > 150, "{n_samples}");
}

#[test]
fn what_python_encodes_is_written_as_python_writes_it() {
    let matrix: Value = serde_json::from_str(MATRIX).unwrap();
    let mut n_samples = 0;
    for (dialect, types) in matrix.as_object().unwrap() {
        for field in types.as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let codec = codec(dialect, field);
            for sample in field["samples"].as_array().unwrap() {
                let Some(doc) = sample.get("doc") else { continue };
                let doc = STANDARD.decode(doc.as_str().unwrap()).unwrap();
                let mut json = Vec::new();
                codec.write_one(doc.into(), &mut json).unwrap();
                check_same(name, sample, &serde_json::from_slice(&json).unwrap());
                n_samples += 1;
            }
        }
    }
    assert!(n_samples > 140, "{n_samples}");
}
