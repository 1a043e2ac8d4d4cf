//! The rules of merging, table by table.

use serde_json::json;

use super::*;
use crate::node::put_field;

/// Writes a value. `{"$doc": …}` is a nested document, `{"$docs": […]}` a list of them, `{"$set": […]}` a set.
fn put(value: &Value, to: &mut Vec<u8>) {
    let items = |items: &Value| {
        let mut list = Vec::new();
        for item in items.as_array().unwrap() {
            node::put_item(&mut list, |to| put(item, to));
        }
        Payload::from(list)
    };
    let node = match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Boolean(*value),
        Value::Number(number) => Node::Integer(number.as_i64().unwrap().try_into().unwrap()),
        Value::String(text) => Node::Text(text.as_str().into()),
        Value::Array(_) => Node::List(items(value)),
        Value::Object(object) => match object.iter().next() {
            Some((key, fields)) if key == "$doc" => Node::Doc(doc(fields)),
            Some((key, list)) if key == "$docs" => Node::DocArray(docs(list)),
            Some((key, list)) if key == "$set" => Node::Set(items(list)),
            _ => Node::Dict(doc(value)),
        },
    };
    node.write(None, to);
}

fn doc(fields: &Value) -> Payload {
    let mut wire = Vec::new();
    for (name, value) in fields.as_object().unwrap() {
        put_field(&mut wire, name, |to| put(value, to));
    }
    wire.into()
}

fn docs(list: &Value) -> Payload {
    let mut wire = Payload::new();
    for fields in list.as_array().unwrap() {
        node::append_item(&mut wire, doc(fields));
    }
    wire
}

#[track_caller]
fn check_with(case: &str, schema: Option<&Value>, lists: &[Value], want: &Value) {
    let got = merge(lists.iter().map(docs), schema).unwrap();
    assert_eq!(got, docs(want), "{case}: got {:?}", String::from_utf8_lossy(&got.clone().into_bytes()));
}

#[track_caller]
fn check(case: &str, lists: &[Value], want: &Value) {
    check_with(case, None, lists, want);
}

#[test]
fn documents_meet_by_id() {
    check("nothing", &[], &json!([]));
    check("one list", &[json!([{"id": "a"}])], &json!([{"id": "a"}]));
    check(
        "known ids are updated, new ones follow",
        &[json!([{"id": "a", "n": 1}, {"id": "b", "n": 1}]), json!([{"id": "c"}, {"id": "a", "n": 2}])],
        &json!([{"id": "a", "n": 2}, {"id": "b", "n": 1}, {"id": "c"}]),
    );
    check(
        "a new id of two later lists appears once",
        &[json!([{"id": "a"}]), json!([{"id": "x", "n": 1}]), json!([{"id": "x", "n": 2}])],
        &json!([{"id": "a"}, {"id": "x", "n": 2}]),
    );
    check(
        "of duplicates the last is updated",
        &[json!([{"id": "a", "n": 1}, {"id": "a", "n": 2}]), json!([{"id": "a", "n": 3}])],
        &json!([{"id": "a", "n": 1}, {"id": "a", "n": 3}]),
    );
    check(
        "documents without an id are all kept",
        &[json!([{"n": 1}, {"id": null}]), json!([{"n": 1}, {"id": null}])],
        &json!([{"n": 1}, {"id": null}, {"n": 1}, {"id": null}]),
    );
}

#[test]
fn fields_are_updated_by_their_kind() {
    let check_field = |case: &str, left: Value, right: Value, want: Value| {
        let list = |value: Value| json!([{"id": "a", "f": value}]);
        check(case, &[list(left), list(right)], &list(want));
    };
    check_field("scalars are replaced", json!(1), json!(0), json!(0));
    check_field("an empty text replaces, too", json!("x"), json!(""), json!(""));
    check_field("null says nothing", json!("x"), json!(null), json!("x"));
    check_field("anything replaces null", json!(null), json!(false), json!(false));
    check_field("lists are concatenated", json!(["p"]), json!(["p", "q"]), json!(["p", "p", "q"]));
    check_field(
        "sets are united",
        json!({"$set": ["p"]}),
        json!({"$set": ["p", "q"]}),
        json!({"$set": ["p", "q"]}),
    );
    check_field(
        "dictionaries of any values are replaced",
        json!({"k": 1, "l": 1}),
        json!({"k": 2}),
        json!({"k": 2}),
    );
    check_field(
        "nested documents are updated",
        json!({"$doc": {"id": "x", "n": 1, "m": 1}}),
        json!({"$doc": {"id": "y", "n": 2, "m": null}}),
        json!({"$doc": {"id": "y", "n": 2, "m": 1}}),
    );
    check_field(
        "a nested document and null",
        json!({"$doc": {"n": 1}}),
        json!(null),
        json!({"$doc": {"n": 1}}),
    );
    check_field(
        "nested lists of documents meet by id",
        json!({"$docs": [{"id": "x", "n": 1}]}),
        json!({"$docs": [{"id": "x", "n": 2}, {"id": "y"}]}),
        json!({"$docs": [{"id": "x", "n": 2}, {"id": "y"}]}),
    );
    check_field(
        "also where one of them is in the general encoding",
        json!([{"id": "x", "n": 1}]),
        json!({"$docs": [{"id": "x", "n": 2}]}),
        json!({"$docs": [{"id": "x", "n": 2}]}),
    );
    check(
        "a field of one alone",
        &[json!([{"id": "a", "l": 1}]), json!([{"id": "a", "r": 2}])],
        &json!([{"id": "a", "l": 1, "r": 2}]),
    );
}

#[test]
fn the_schema_tells_which_dictionaries_are_merged() {
    let schema = json!({
        "title": "D",
        "properties": {
            "typed": {"type": "object", "additionalProperties": {"type": "integer"}},
            "any": {"type": "object"},
            "maybe": {"anyOf": [{"type": "object", "additionalProperties": {"type": "integer"}}, {"type": "null"}]},
            "inner": {"$ref": "#/$defs/Inner"},
        },
        "$defs": {"Inner": {"properties": {"typed": {"additionalProperties": {"type": "integer"}}}}},
    });
    let left = json!([{"id": "a", "typed": {"k": 1, "l": 1}, "any": {"k": 1}, "maybe": {"k": 1}, "inner": {"typed": {"k": 1}}}]);
    let right = json!([{"id": "a", "typed": {"k": 2}, "any": {"l": 2}, "maybe": {"l": 2}, "inner": {"typed": {"l": 2}}}]);
    let want = json!([{
        "id": "a", "typed": {"k": 2, "l": 1}, "any": {"l": 2}, "maybe": {"k": 1, "l": 2}, "inner": {"typed": {"k": 1, "l": 2}},
    }]);
    check_with("by the schema", Some(&schema), &[left, right], &want);
    let legacy = json!({"title": "LegacyDocument", "properties": {"tags": {"type": "object"}}});
    let tags = |tags: Value| json!([{"id": "a", "tags": tags}]);
    check_with(
        "legacy tags",
        Some(&legacy),
        &[tags(json!({"k": 1})), tags(json!({"l": 2}))],
        &tags(json!({"k": 1, "l": 2})),
    );
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let schema = json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}});
    check_with(
        "a loop",
        Some(&schema),
        &[json!([{"id": "a"}]), json!([{"id": "a", "d": {"k": 1}}])],
        &json!([{"id": "a", "d": {"k": 1}}]),
    );
}

#[test]
fn documents_that_nobody_changed_are_not_copied() {
    let left = Payload::from(docs(&json!([{"id": "a", "text": "x".repeat(1000)}])).into_bytes());
    let start = left.pieces().next().unwrap().as_ptr_range();
    let merged = merge([left.clone(), docs(&json!([{"id": "b"}]))], None).unwrap();
    assert!(merged.pieces().any(|piece| start.contains(&piece.as_ptr())));
}

#[test]
fn documents_are_put_in_order() {
    let list = docs(&json!([{"id": "c"}, {"id": "new"}, {"id": "a"}, {"n": 1}, {"id": "b"}]));
    let order: Vec<_> = ["a", "b", "c"].map(|id| Some(ByteString::from_static(id))).into();
    let want = docs(&json!([{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "new"}, {"n": 1}]));
    assert_eq!(sort(list, &order), Ok(want.clone()));
    assert_eq!(ids(want.clone()).unwrap()[..3], order);
    assert_eq!(sort(want.clone(), &order), Ok(want));
}
