//! Documents of Flows.

use docarray::discovery::Model;
use indexmap::IndexMap;

use super::*;

fn model(schema: &Value) -> Model {
    Model { name: schema["title"].as_str().unwrap().into(), schema: schema.clone() }
}

fn endpoint(input: &Value, output: &Value, is_generator: bool) -> EndpointSchema {
    EndpointSchema {
        input: model(input),
        output: model(output),
        parameters: None,
        is_generator,
        is_singleton_doc: false,
    }
}

fn openapi(endpoints: Vec<(&'static str, Option<EndpointSchema>)>) -> Value {
    let endpoints: IndexMap<_, _> =
        endpoints.into_iter().map(|(name, schema)| (name.into(), schema)).collect();
    document(&Discovery { endpoints, ..Discovery::default() }, &Settings::default())
}

/// Every reference of `value`.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| match value {
            Value::String(target) if key == "$ref" => found.push(target.clone()),
            value => references(value, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[track_caller]
fn check_references(document: &Value) {
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for target in found {
        assert!(document.pointer(&target[1..]).is_some(), "`{target}` is not there");
    }
}

#[test]
fn definitions_become_components_and_equal_names_are_told_apart() {
    let part = |kind: &str| json!({"title": "Part", "type": "object", "properties": {"x": {"type": kind}}});
    let whole = |kind: &str| {
        json!({"title": "Whole", "type": "object", "$defs": {"Part": part(kind)},
            "properties": {"part": {"$ref": "#/$defs/Part"}}})
    };
    let document = openapi(vec![
        ("/a", Some(endpoint(&whole("string"), &whole("string"), false))),
        ("/b", Some(endpoint(&whole("integer"), &part("string"), false))),
    ]);
    check_references(&document);
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Part"], part("string"));
    assert_eq!(schemas["Part_2"], part("integer"));
    assert_eq!(schemas["Whole"]["properties"]["part"]["$ref"], "#/components/schemas/Part");
    assert_eq!(schemas["Whole_3"]["properties"]["part"]["$ref"], "#/components/schemas/Part_2");
    let data = |model: &str| schemas[model]["properties"]["data"]["anyOf"][1]["$ref"].clone();
    assert_eq!(data("a_input_model"), "#/components/schemas/Whole");
    assert_eq!(data("b_input_model"), "#/components/schemas/Whole_3");
    assert_eq!(data("b_output_model"), "#/components/schemas/Part");
}

#[test]
fn operations_are_named_as_fastapi_names_them() {
    let text = json!({"title": "Text", "type": "object", "properties": {}});
    let document = openapi(vec![
        ("/search", Some(endpoint(&text, &text, false))),
        ("tokens/of", Some(endpoint(&text, &text, true))),
        ("/default", None),
        ("_jina_dry_run_", None),
    ]);
    check_references(&document);
    let paths = &document["paths"];
    assert_eq!(paths["/search"]["post"]["operationId"], "post_search_post");
    assert_eq!(paths["/tokens/of"]["get"]["operationId"], "streaming_get_tokens_of_get");
    assert_eq!(paths["/default"]["post"]["summary"], "Endpoint /default");
    let mut names: Vec<_> = paths.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["/", "/default", "/dry_run", "/search", "/status", "/tokens/of"]);
}

#[test]
fn tensors_are_told_as_they_are_answered() {
    let vector = json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"});
    let text = json!({"title": "Text", "type": "object", "properties": {"vector": vector}});
    let document = openapi(vec![("/index", Some(endpoint(&text, &text, false)))]);
    let vector = &document["components"]["schemas"]["Text"]["properties"]["vector"];
    assert_eq!(vector["type"], json!(["array", "number", "boolean"]));
    let items = json!([{"type": ["number", "boolean", "null"]}, {"items": {}, "type": "array"}]);
    assert_eq!(vector["items"], json!({"anyOf": items}));
}
