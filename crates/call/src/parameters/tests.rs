//! Parameters keep their meaning on the way through the encoding.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1e9..1e9_f64).prop_map(|number| json!(number)),
        ".{0,8}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map(".{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_object_survives(object in prop::collection::hash_map(".{0,6}", any_json(), 0..5)) {
        let map: Map<_, _> = object.into_iter().collect();
        let parameters = Parameters::from_map(&map);
        prop_assert_eq!(parameters.to_map().unwrap(), map.clone());
        let entries: Result<Vec<_>, _> = parameters.entries().collect();
        prop_assert_eq!(Parameters::from_entries(entries.unwrap()), parameters.clone());
        for (key, value) in &map {
            prop_assert_eq!(parameters.get(key), Ok(Some(value.clone())));
        }
    }
}

#[test]
fn integers_become_doubles() {
    let map = json!({"top_k": 5}).as_object().unwrap().clone();
    assert_eq!(Parameters::from_map(&map).get("top_k"), Ok(Some(json!(5.0))));
}

#[test]
fn objects_are_told_apart_without_decoding() {
    let map = json!({"a": {"k": 1}, "b": [1], "c": {}}).as_object().unwrap().clone();
    let parameters = Parameters::from_map(&map);
    let objects: Vec<_> = parameters.entries().map(|entry| entry.unwrap().is_object().unwrap()).collect();
    assert_eq!(objects, [true, false, true]);
}

#[test]
fn an_encoded_object_becomes_a_value() {
    let object = Parameters::from_map(json!({"k": 1.0}).as_object().unwrap());
    let entry = Entry::from_object("o", &object);
    assert_eq!(entry.decode(), Ok(json!({"k": 1.0})));
    assert_eq!(entry.object(), Ok(Some(object)));
}

#[test]
fn endless_nesting_is_refused() {
    let mut value = json!(1);
    for _ in 0..200 {
        value = json!([value]);
    }
    let map = json!({ "deep": value }).as_object().unwrap().clone();
    assert_eq!(Parameters::from_map(&map).to_map(), Err(Malformed::Depth(MAX_DEPTH)));
}
