//! Each operator, on documents as executors send them.

use serde_json::json;

use super::*;
use crate::node::put_field;

/// A document with the given fields, in the encoding that fits any class.
fn doc(fields: &Value) -> Payload {
    fn put(value: &Value, to: &mut Vec<u8>) {
        match value {
            Value::Null => Node::Null.write(None, to),
            Value::Bool(value) => Node::Boolean(*value).write(None, to),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Node::Integer(number.try_into().unwrap()).write(None, to),
                None => Node::Float(number.as_f64().unwrap()).write(None, to),
            },
            Value::String(text) => Node::Text(text.as_str().into()).write(None, to),
            Value::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    node::put_item(&mut list, |to| put(item, to));
                }
                Node::List(list.into()).write(None, to);
            }
            Value::Object(_) => Node::Dict(doc(value)).write(None, to),
        }
    }
    let mut wire = Vec::new();
    for (name, value) in fields.as_object().unwrap() {
        put_field(&mut wire, name, |to| put(value, to));
    }
    wire.into()
}

#[track_caller]
fn check(query: &Value, want: bool) {
    let doc = doc(&json!({
        "id": "a", "n": 2, "x": 1.5, "text": "hello world", "flag": true, "none": null, "other": 2,
        "tags": {"lang": "en", "year": 1999, "deep": {"k": [1, "two"]}}, "words": ["p", "q"],
    }));
    let filter = Filter::parse(query).unwrap();
    assert_eq!(filter.matches(&doc), Ok(want), "{query}");
}

#[test]
fn operators_are_those_of_docarray() {
    check(&json!({}), true);
    check(&json!({"n": {"$eq": 2}}), true);
    check(&json!({"n": {"$eq": 2.0}}), true);
    check(&json!({"n": {"$eq": "2"}}), false);
    check(&json!({"n": {"$neq": 3}}), true);
    check(&json!({"n": {"$neq": 2}}), false);
    check(&json!({"n": {"$gte": 2, "$lt": 3}}), true);
    check(&json!({"n": {"$gt": 2}}), false);
    check(&json!({"x": {"$lte": 1.5}}), true);
    check(&json!({"text": {"$lt": "i"}}), true);
    check(&json!({"text": {"$gt": 1}}), false);
    check(&json!({"flag": {"$eq": true}}), true);
    check(&json!({"flag": {"$eq": 1}}), true);
    check(&json!({"n": {"$in": [1, 2]}}), true);
    check(&json!({"n": {"$nin": [1, 2]}}), false);
    check(&json!({"text": {"$regex": "wor"}}), true);
    check(&json!({"text": {"$regex": "^wor"}}), false);
    check(&json!({"n": {"$regex": "2"}}), false);
    check(&json!({"words": {"$size": 2}}), true);
    check(&json!({"text": {"$size": 11}}), true);
    check(&json!({"n": {"$size": 1}}), false);
    check(&json!({"words": {"$eq": ["p", "q"]}}), true);
    check(&json!({"n": {"$eq": "{other}"}}), true);
    check(&json!({"n": {"$eq": "{x}"}}), false);
}

#[test]
fn missing_and_null_fields() {
    check(&json!({"gone": {"$eq": null}}), false);
    check(&json!({"gone": {"$neq": 1}}), false);
    check(&json!({"gone": {"$exists": false}}), true);
    check(&json!({"gone": {"$exists": true}}), false);
    check(&json!({"none": {"$exists": true}}), true);
    check(&json!({"none": {"$eq": null}}), true);
    check(&json!({"none": {"$neq": 1}}), true);
    check(&json!({"none": {"$lt": 1}}), false);
    check(&json!({"none": {"$size": 0}}), false);
}

#[test]
fn paths_lead_into_nested_values() {
    check(&json!({"tags__lang": {"$eq": "en"}}), true);
    check(&json!({"tags__deep__k__1": {"$eq": "two"}}), true);
    check(&json!({"tags__deep__k__9": {"$exists": true}}), false);
    check(&json!({"text__lang": {"$exists": true}}), false);
    check(&json!({"tags__year": {"$gte": 2000}}), false);
}

#[test]
fn conditions_are_combined() {
    check(&json!({"$and": {"n": {"$eq": 2}, "x": {"$gt": 1}}}), true);
    check(&json!({"$and": [{"n": {"$eq": 2}}, {"x": {"$gt": 2}}]}), false);
    check(&json!({"$or": [{"n": {"$eq": 3}}, {"x": {"$gt": 1}}]}), true);
    check(&json!({"$or": {"n": {"$eq": 3}, "x": {"$gt": 2}}}), false);
    check(&json!({"$not": {"n": {"$eq": 3}}}), true);
    check(&json!({"$not": [{"n": {"$eq": 2}}, {"x": {"$eq": 9}}]}), true);
    check(&json!({"n": {"$eq": 2}, "text": {"$eq": "no"}}), false);
}

#[test]
fn all_mistakes_are_found_with_their_paths() {
    let query = json!({
        "n": {"$ne": 1, "$in": 5},
        "m": 3,
        "$xor": [],
        "$or": [{"t": {"$regex": "("}}, 7],
        "e": {"$exists": "yes"},
        "p": {"$eq": "{a b}"},
        "empty": {},
    });
    let errors = Filter::parse(&query).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(
        paths,
        ["n.$ne", "n.$in", "m", "$xor", "$or.0.t.$regex", "$or.1", "e.$exists", "p.$eq", "empty"]
    );
    assert_eq!(errors[1].to_string(), "`n.$in`: expected a list, got 5");
}

#[test]
fn matching_documents_are_kept_as_they_are() {
    let mut docs = Payload::new();
    for n in 0..4 {
        node::append_item(&mut docs, doc(&json!({ "n": n })));
    }
    let keep = |query: Value| Filter::parse(&query).unwrap().retain(docs.clone()).unwrap();
    let kept: Vec<_> = node::items(keep(json!({"n": {"$gte": 2}}))).map(Result::unwrap).collect();
    assert_eq!(kept, [doc(&json!({"n": 2})), doc(&json!({"n": 3}))]);
    assert_eq!(keep(json!({"n": {"$gte": 0}})), docs);
    assert_eq!(keep(json!({"n": {"$gte": 9}})), Payload::new());
}
