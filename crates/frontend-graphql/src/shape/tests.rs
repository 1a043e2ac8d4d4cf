//! Types of schemas.

use serde_json::json;

use super::*;

fn shapes() -> Shapes {
    Shapes::new(Names::default())
}

fn model(name: &'static str, schema: Value) -> Model {
    Model { name: name.into(), schema }
}

#[test]
fn fields_have_the_types_of_the_schema() {
    let schema = json!({"title": "Doc", "type": "object", "required": ["text"], "properties": {
        "id": {"type": "string"},
        "text": {"type": "string"},
        "n": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "score": {"type": "number"},
        "vec": {"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"},
        "words": {"type": "array", "items": {"type": "string"}},
        "kind": {"enum": ["news", "blog"], "title": "Kind"},
        "odd": {"enum": ["a b", "c"]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "tags": {"type": "object", "additionalProperties": true},
        "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
        "a-b": {"type": "boolean"}}});
    let mut shapes = shapes();
    let slot = shapes.model(&model("Doc", schema), true);
    let Kind::Object(class) = slot.kind else { panic!("no object") };
    let class = &shapes.classes[class];
    let types: Vec<_> = class
        .fields
        .iter()
        .map(|field| {
            format!(
                "{} {}",
                field.name,
                crate::convert::type_of(&field.slot, field.required, &shapes.classes)
            )
        })
        .collect();
    let want = [
        "id String",
        "text String!",
        "n Int",
        "score Float",
        "vec NdArray",
        "words [String!]",
        "kind Kind",
        "odd String",
        "either JSON",
        "tags JSON",
        "pair JSON",
        "a_b Boolean",
    ];
    assert_eq!(types, want);
    assert_eq!(class.name, "DocInput");
    assert!(class.fields[2].slot.nullable && !class.fields[3].slot.nullable);
    assert_eq!(shapes.enums, [("Kind".to_owned(), vec!["news".to_owned(), "blog".to_owned()])]);
}

#[test]
fn classes_may_contain_themselves() {
    let schema = json!({"$ref": "#/$defs/Tree", "$defs": {"Tree": {"title": "Tree", "type": "object", "properties": {
        "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}}}});
    let mut shapes = shapes();
    let slot = shapes.model(&model("Tree", schema), false);
    assert_eq!(slot.kind, Kind::Object(0));
    let children = Kind::List(Box::new(Slot { kind: Kind::Object(0), nullable: false }));
    assert_eq!(shapes.classes[0].fields[0].slot.kind, children);
    assert_eq!(shapes.classes.len(), 1);
}

#[test]
fn equal_classes_are_one_type_and_others_of_the_same_name_are_numbered() {
    let chunk = |kind: &str| json!({"title": "Chunk", "type": "object", "properties": {"x": {"type": kind}}});
    let holder = |kind: &str| {
        json!({"title": "Holder", "type": "object",
        "properties": {"chunk": {"$ref": "#/$defs/Chunk"}}, "$defs": {"Chunk": chunk(kind)}})
    };
    let mut shapes = shapes();
    for schema in [chunk("string"), holder("string"), holder("string"), holder("integer"), chunk("integer")] {
        shapes.model(&model("", schema), false);
    }
    let names: Vec<_> = shapes.classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["Chunk", "Holder", "Holder_2", "Chunk_2"]);
}

#[test]
fn a_model_of_no_known_fields_is_any_json() {
    let mut shapes = shapes();
    for schema in [json!({}), json!({"type": "object"}), json!({"$ref": "#/nowhere"}), json!({"$ref": "#"})] {
        assert_eq!(shapes.model(&model("Doc", schema), true), Slot::any());
    }
}
