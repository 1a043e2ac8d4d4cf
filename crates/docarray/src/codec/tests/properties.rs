//! JSON to documents to JSON keeps everything, and nothing that comes from outside does harm.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{codec, through};
use crate::codec::{Codec, Fault, Problem};

/// Values that the general encoding keeps: integers of 32 bits, since others become doubles.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |float| float.is_finite().then(|| Value::from(float))),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(".{0,5}", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A schema, and values that it allows and that come back as they are.
fn any_typed() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|integer| (json!({"type": "integer"}), json!(integer))),
        any::<u64>().prop_map(|integer| (json!({"type": "integer"}), json!(integer))),
        any::<f64>().prop_filter_map("finite", |float| Some((
            json!({"type": "number"}),
            Value::from(finite(float)?)
        ))),
        any::<bool>().prop_map(|boolean| (json!({"type": "boolean"}), json!(boolean))),
        ".*".prop_map(|text| (json!({"type": "string"}), json!(text))),
        ".*".prop_map(|text| (json!({"type": "string", "format": "binary"}), json!(text))),
        Just((json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), Value::Null)),
        ".*".prop_map(|text| (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), json!(text))),
        prop::collection::vec(prop::collection::vec(any::<i64>(), 3), 0..4)
            .prop_map(|rows| (tensor(), json!(rows))),
        prop::collection::vec(any::<f64>().prop_filter_map("finite", finite), 1..9)
            .prop_map(|items| (tensor(), json!(items))),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..4).prop_map(|((schema, value), n)| {
                (json!({"type": "array", "items": schema}), Value::from(vec![value; n]))
            }),
            (inner.clone(), ".{0,5}").prop_map(|((schema, value), key)| {
                (json!({"type": "object", "additionalProperties": schema}), json!({key: value}))
            }),
            prop::collection::vec(inner.clone(), 1..5).prop_map(|fields| {
                let (mut properties, mut object) = (Map::new(), Map::new());
                for (n, (schema, value)) in fields.into_iter().enumerate() {
                    properties.insert(format!("f{n}"), schema);
                    object.insert(format!("f{n}"), value);
                }
                (json!({"type": "object", "properties": properties}), Value::Object(object))
            }),
            prop::collection::vec(inner, 1..4).prop_map(|items| {
                let (schemas, values): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                (json!({"type": "array", "prefixItems": schemas}), Value::from(values))
            }),
        ]
    })
}

fn tensor() -> Value {
    json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"})
}

fn finite(float: f64) -> Option<f64> {
    float.is_finite().then_some(float)
}

proptest! {
    #[test]
    fn json_of_no_known_shape_survives(value in any_json()) {
        let json = json!([{"id": "a", "v": value}]);
        let back = through(&Codec::any(), &json.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), json);
    }

    #[test]
    fn json_of_a_known_shape_survives((schema, value) in any_typed()) {
        let json = json!([{"id": "a", "v": value}]);
        let back = through(&codec(&schema), &json.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), json, "{}", schema);
    }

    #[test]
    fn any_json_is_read_or_refused_by_any_schema((schema, _) in any_typed(), value in any_json()) {
        let json = json!([{"id": "a", "v": value}]).to_string();
        if let Err(problem) = through(&codec(&schema), &json) {
            prop_assert!(problem.starts_with("[0].v"), "{}", problem);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = codec(&json!({})).read(&bytes);
        let mut json = Vec::new();
        let _either = codec(&json!({})).write_one(bytes.into(), &mut json);
    }

    #[test]
    fn what_looks_like_json_is_read_or_refused(
        (schema, value) in any_typed(),
        noise in r#"[\[\]{}",:0-9eE+\-.truefalsn\\ ]{0,12}"#,
        at in any::<prop::sample::Index>(),
    ) {
        let mut json = json!([{"id": "a", "v": value}]).to_string();
        let places: Vec<_> = json.char_indices().map(|(at, _)| at).collect();
        json.insert_str(*at.get(&places), &noise);
        let read = codec(&schema).read(json.as_bytes());
        // Whether it is JSON at all, another parser says the same. That one knows no numbers beyond doubles.
        let other = serde_json::from_str::<Value>(&json);
        let is_syntax = |problem: &Problem| matches!(problem.fault, Fault::Syntax { .. });
        match (read, other) {
            (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
            (Err(invalid), Ok(_)) => prop_assert!(!is_syntax(&invalid.problems[0]), "{json}: {invalid}"),
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{json}: {error}"),
        }
    }

    #[test]
    fn documents_with_a_damaged_byte_are_written_or_refused(
        (schema, value) in any_typed(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let codec = codec(&schema);
        let doc = codec.read_one(json!({"id": "a", "v": value}).to_string().as_bytes()).unwrap();
        let mut doc = doc.into_bytes().to_vec();
        let at = at.index(doc.len());
        doc[at] = byte;
        let mut json = Vec::new();
        if codec.write_one(doc.into(), &mut json).is_ok() {
            serde_json::from_slice::<Value>(&json).unwrap();
        }
    }

    #[test]
    fn blobs_survive(blob in prop::collection::vec(any::<u8>(), 0..50)) {
        let codec = codec(&json!({"type": "string", "format": "binary"}));
        let mut doc = Vec::new();
        crate::node::put_field(&mut doc, "v", |to| crate::Node::Blob(blob.clone().into()).write(None, to));
        let mut json = Vec::new();
        codec.write_one(doc.into(), &mut json).unwrap();
        let back = codec.read_one(&json).unwrap();
        let value = crate::node::fields(back).map(Result::unwrap).find(|(name, _)| name == "v").unwrap().1;
        prop_assert_eq!(crate::Node::read(value).unwrap().0, crate::Node::Blob(blob.into()));
    }
}
