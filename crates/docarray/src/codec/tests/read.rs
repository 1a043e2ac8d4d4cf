//! What becomes of JSON, good and bad.

use bytestring::ByteString;
use call::Payload;
use serde_json::{Value, json};

use super::{check, codec, through};
use crate::codec::{Codec, Fault, Invalid};
use crate::node::{self, Node};

/// The encoded value of a field of the first document.
fn field(docs: Payload, name: &str) -> (Node, Option<ByteString>) {
    let doc = node::items(node::doc_list(docs).unwrap()).next().unwrap().unwrap();
    let value = node::fields(doc).map(Result::unwrap).filter(|(field, _)| field == name).last();
    Node::read(value.unwrap().1).unwrap()
}

fn v(schema: &Value, json: &str) -> (Node, Option<ByteString>) {
    let docs = codec(schema).read(format!(r#"[{{"v":{json}}}]"#).as_bytes()).unwrap();
    field(docs, "v")
}

fn invalid(codec: &Codec, json: &str) -> Invalid {
    codec.read(json.as_bytes()).unwrap_err()
}

#[test]
fn numbers_are_encoded_so_that_executors_can_read_them() {
    let integer = json!({"type": "integer"});
    assert_eq!(v(&integer, "7"), (Node::Integer(7), None));
    assert_eq!(v(&integer, "-7"), (Node::Integer(-7), None));
    assert_eq!(v(&integer, "7.0"), (Node::Integer(7), None));
    assert_eq!(v(&integer, r#"" 9 ""#), (Node::Integer(9), None));
    assert_eq!(v(&integer, "2147483648"), (Node::Float(2_147_483_648.0), None));
    assert_eq!(v(&integer, "9007199254740993"), (Node::Text("9007199254740993".into()), None));
    assert_eq!(
        v(&integer, "123456789012345678901234567890"),
        (Node::Text("123456789012345678901234567890".into()), None)
    );
    assert_eq!(v(&integer, "1e20"), (Node::Text("100000000000000000000".into()), None));
    let number = json!({"type": "number"});
    assert_eq!(v(&number, "3"), (Node::Float(3.0), None));
    assert_eq!(v(&number, r#""2.5""#), (Node::Float(2.5), None));
    let any = json!({});
    assert_eq!(v(&any, "2147483647"), (Node::Integer(i32::MAX), None));
    assert_eq!(v(&any, "-2147483649"), (Node::Float(-2_147_483_649.0), None));
    assert_eq!(v(&any, "18446744073709551616"), (Node::Float(18_446_744_073_709_551_616.0), None));
}

#[test]
fn numbers_survive() {
    let integer = json!({"type": "integer"});
    check(&integer, "9007199254740993", Ok("9007199254740993"));
    check(&integer, "-123456789012345678901234567890", Ok("-123456789012345678901234567890"));
    check(&integer, "-4294967296", Ok("-4294967296"));
    check(&integer, "7.5", Err("[0].v: expected integer, got a number with a fraction"));
    check(&integer, "1e400", Err("[0].v: the number is too large"));
    check(&integer, r#""x""#, Err("[0].v: expected integer, got a string that is none"));
    check(&integer, "[]", Err("[0].v: expected integer, got array"));
    let number = json!({"type": "number"});
    check(&number, "0.1", Ok("0.1"));
    check(&number, "5e-324", Ok("5e-324"));
    check(&number, "1.7976931348623157e308", Ok("1.7976931348623157e+308"));
    check(&number, "1e309", Err("[0].v: the number is too large"));
    check(&number, "null", Err("[0].v: expected number, got null"));
    check(&json!({"type": "boolean"}), "1", Ok("true"));
    check(&json!({"type": "boolean"}), r#""no""#, Ok("false"));
    check(&json!({"type": "boolean"}), "2", Err("[0].v: expected boolean, got a string that is none"));
}

#[test]
fn tensors_become_what_numpy_would_make_of_them() {
    let tensor = json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"});
    let array = |json| match v(&tensor, json) {
        (Node::NdArray(wire), Some(kind)) => {
            assert_eq!(kind, "ndarray");
            let array = crate::NdArray::read(wire).unwrap();
            (array.dtype.as_str().to_owned(), array.shape.clone(), array.to_numbers().unwrap())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(array("[1, 2]"), ("<i8".to_owned(), vec![2], vec![1.0, 2.0]));
    assert_eq!(array("[1, 2.5]"), ("<f8".to_owned(), vec![2], vec![1.0, 2.5]));
    assert_eq!(array("[true, false]"), ("|b1".to_owned(), vec![2], vec![1.0, 0.0]));
    assert_eq!(array("[true, 2, 0.5, false]"), ("<f8".to_owned(), vec![4], vec![1.0, 2.0, 0.5, 0.0]));
    assert_eq!(array("[[1], [2], [3]]"), ("<i8".to_owned(), vec![3, 1], vec![1.0, 2.0, 3.0]));
    assert_eq!(array("[]"), ("<f8".to_owned(), vec![0], vec![]));
    assert_eq!(array("[[], []]"), ("<f8".to_owned(), vec![2, 0], vec![]));
    assert_eq!(array("7"), ("<i8".to_owned(), vec![], vec![7.0]));
    assert_eq!(array(r#""[[1.5, 2]]""#), ("<f8".to_owned(), vec![1, 2], vec![1.5, 2.0]));
    for json in
        ["[[[1,2],[3,4]],[[5,6],[7,8]]]", "[1.0,null,0.1]", "[[],[]]", "[]", "7", "true", "[true,false]"]
    {
        check(&tensor, json, Ok(json));
    }
    check(&tensor, r#""abc""#, Err("[0].v: expected array of numbers, got string"));
    check(&tensor, r#""[1, [2]]""#, Err("[0].v: expected array of numbers, got a string that is none"));
    check(&tensor, r#"[1, "x"]"#, Err("[0].v[1]: expected number, got string"));
    let ragged = Err("[0].v: the array has another length or depth than those before it");
    check(&tensor, "[[1], [2, 3]]", ragged);
    check(&tensor, "[[1], []]", ragged);
    check(&tensor, "[1, [2]]", ragged);
    check(&tensor, "[[], 1]", Err("[0].v[1]: the array has another length or depth than those before it"));
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    check(&tensor, &deep, Err("[0].v: a tensor has at most 64 dimensions"));
}

#[test]
fn a_tensor_of_known_shape_has_its_items() {
    let tensor = json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "[2, 3]"});
    check(&tensor, "[[1,2,3],[4,5,6]]", Ok("[[1,2,3],[4,5,6]]"));
    check(&tensor, "[1, 2]", Err("[0].v: cannot reshape array of size 2 into one of size 6"));
    let open = json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "['x', 3]"});
    check(&open, "[1,2]", Ok("[1,2]"));
}

#[test]
fn documents_inside_are_dictionaries_which_every_executor_reads() {
    let schema = json!({"title": "D", "properties": {"id": {"type": "string"},
        "one": {"$ref": "#/$defs/Inner"}, "many": {"type": "array", "items": {"$ref": "#/$defs/Inner"}}},
        "$defs": {"Inner": {"title": "Inner", "type": "object",
            "properties": {"id": {"type": "string"}, "n": {"type": "integer", "default": 1.0}}}}});
    let codec = Codec::of("D", &schema);
    let docs =
        codec.read(br#"{"id": "a", "one": {"id": "b"}, "many": [{"id": "c", "n": 2, "x": 3}]}"#).unwrap();
    let (Node::Dict(one), None) = field(docs.clone(), "one") else { panic!() };
    assert_eq!(node::fields(one).map(|field| field.unwrap().0).collect::<Vec<_>>(), ["id"]);
    let (Node::List(many), None) = field(docs.clone(), "many") else { panic!() };
    let many: Vec<_> = node::items(many).map(|item| Node::read(item.unwrap()).unwrap().0).collect();
    assert!(matches!(many[..], [Node::Dict(_)]), "{many:?}");
    let mut json = Vec::new();
    codec.write(docs, &mut json).unwrap();
    let want = r#"[{"id":"a","one":{"id":"b","n":1},"many":[{"id":"c","n":2}]}]"#;
    assert_eq!(String::from_utf8(json).unwrap(), want);
}

#[test]
fn documents_without_an_id_are_given_one() {
    let codec =
        Codec::of("D", &json!({"properties": {"id": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}));
    for json in ["[{}]", r#"[{"id": null}]"#] {
        let (Node::Text(id), None) = field(codec.read(json.as_bytes()).unwrap(), "id") else {
            panic!("{json}")
        };
        assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    }
    assert_eq!(through(&codec, r#"[{"id": 3}]"#).unwrap(), r#"[{"id":"3"}]"#);
    assert_eq!(through(&codec, r#"[{"id": []}]"#).unwrap_err(), "[0].id: expected string, got array");
    let without = Codec::of("D", &json!({"properties": {"v": {}}}));
    assert_eq!(through(&without, r#"[{"v": 1}]"#).unwrap(), r#"[{"v":1}]"#);
    let required = Codec::of("D", &json!({"properties": {"id": {"type": "string"}}, "required": ["id"]}));
    assert_eq!(through(&required, "[{}]").unwrap_err(), "[0].id: missing");
}

#[test]
fn unknown_fields_are_left_out_unless_the_class_takes_them() {
    let schema =
        |others: Value| json!({"properties": {"id": {"type": "string"}}, "additionalProperties": others});
    let json = r#"[{"id":"a","x":{"y":[1,null]}}]"#;
    assert_eq!(through(&Codec::of("D", &schema(json!(false))), json).unwrap(), r#"[{"id":"a"}]"#);
    assert_eq!(through(&Codec::of("D", &schema(json!(true))), json).unwrap(), json);
    let typed = Codec::of("D", &schema(json!({"type": "integer"})));
    assert_eq!(through(&typed, json).unwrap_err(), "[0].x: expected integer, got object");
    assert_eq!(through(&Codec::any(), json).unwrap(), json);
}

#[test]
fn null_is_what_the_dialect_means_by_it() {
    let pydantic1 = |v: Value| Codec::of("D", &json!({"properties": {"id": {"type": "string"}, "v": v}}));
    let pydantic2 = |v: Value| {
        let id = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
        Codec::of("D", &json!({"properties": {"id": id, "v": v}}))
    };
    let json = r#"[{"id":"a","v":null}]"#;
    assert_eq!(through(&pydantic1(json!({"type": "integer"})), json).unwrap(), json);
    assert_eq!(through(&pydantic1(json!({"type": "integer", "default": 3.0})), json).unwrap(), json);
    assert_eq!(through(&pydantic2(json!({"type": "integer"})), json).unwrap(), json);
    let refused = through(&pydantic2(json!({"type": "integer", "default": 3.0})), json);
    assert_eq!(refused.unwrap_err(), "[0].v: expected integer, got null");
}

#[test]
fn blobs_keep_their_bytes() {
    let blob = json!({"type": "string", "format": "binary"});
    assert_eq!(v(&blob, r#""abc""#), (Node::Blob("abc".into()), None));
    let marked = r#""data:application/octet-stream;base64,/wA=""#;
    assert_eq!(v(&blob, marked), (Node::Blob((&[0xff, 0][..]).into()), None));
    check(&blob, marked, Ok(marked));
    check(&blob, r#""data:image/png;base64,/wA=""#, Ok(r#""data:image/png;base64,/wA=""#));
}

#[test]
fn unions_take_the_shape_that_fits() {
    let union = |options: Value| json!({"anyOf": options});
    let integer_or_text = union(json!([{"type": "integer"}, {"type": "string"}]));
    assert_eq!(v(&integer_or_text, "5").0, Node::Integer(5));
    assert_eq!(v(&integer_or_text, r#""5""#).0, Node::Text("5".into()));
    check(&integer_or_text, "[1]", Err("[0].v: expected integer or string, got array"));
    let numbers = union(json!([{"type": "number"}, {"type": "integer"}]));
    assert_eq!(v(&numbers, "5").0, Node::Integer(5));
    assert_eq!(v(&numbers, "5.5").0, Node::Float(5.5));
    assert_eq!(v(&numbers, r#""5""#).0, Node::Float(5.0));
    let nullable = union(json!([{"type": "integer"}, {"type": "null"}]));
    assert_eq!(v(&nullable, "null").0, Node::Null);
    let lists = union(json!([
        {"type": "array", "items": {"type": "string"}},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"},
    ]));
    assert!(matches!(v(&lists, r#"["a"]"#).0, Node::List(_)));
    assert!(matches!(v(&lists, "[1]").0, Node::List(_)));
    assert!(matches!(v(&lists, "[1.5]").0, Node::NdArray(_)));
    check(&lists, r#"[{}]"#, Err("[0].v[0]: expected string, got object"));
    let classes = union(json!([
        {"title": "A", "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"title": "B", "type": "object", "properties": {"b": {"type": "string"}, "c": {"default": 1.0}},
            "required": ["b"]},
    ]));
    check(&classes, r#"{"a":1}"#, Ok(r#"{"a":1}"#));
    check(&classes, r#"{"b":"x"}"#, Ok(r#"{"b":"x","c":1.0}"#));
    check(&classes, r#"{"b":1}"#, Err("[0].v.a: missing"));
}

#[test]
fn bounds_of_the_schema_are_kept() {
    let integer = json!({"type": "integer", "minimum": 1.0, "exclusiveMaximum": 10.0, "multipleOf": 2.0});
    check(&integer, "8", Ok("8"));
    check(&integer, "0", Err("[0].v: expected a number of at least 1"));
    check(&integer, "10", Err("[0].v: expected a number below 10"));
    check(&integer, "3", Err("[0].v: expected a multiple of 2"));
    let text = json!({"type": "string", "minLength": 2.0, "maxLength": 3.0, "pattern": "^[a-zäöü]*$"});
    check(&text, r#""äöü""#, Ok(r#""äöü""#));
    check(&text, r#""ä""#, Err("[0].v: expected at least 2 characters"));
    check(&text, r#""äöüä""#, Err("[0].v: expected at most 3 characters"));
    check(&text, r#""AB""#, Err("[0].v: the string does not match the pattern of the schema"));
    let list = json!({"type": "array", "items": {"type": "integer"}, "minItems": 1.0, "maxItems": 2.0});
    check(&list, "[1,2]", Ok("[1,2]"));
    check(&list, "[]", Err("[0].v: expected at least 1 items"));
    check(&list, "[1,2,3]", Err("[0].v: expected at most 2 items"));
    let tuple = json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]});
    check(&tuple, r#"[1,"a"]"#, Ok(r#"[1,"a"]"#));
    check(&tuple, "[1]", Err("[0].v: expected at least 2 items"));
    check(&tuple, r#"[1,"a",2]"#, Err("[0].v: expected at most 2 items"));
    check(&tuple, r#"["a","a"]"#, Err("[0].v[0]: expected integer, got a string that is none"));
    let choice = json!({"enum": ["a", 1.0, true]});
    for json in [r#""a""#, "1", "true"] {
        check(&choice, json, Ok(json));
    }
    check(&choice, r#""b""#, Err("[0].v: expected 'a', 1.0 or true"));
    check(&json!({"const": "a"}), r#""b""#, Err("[0].v: expected 'a'"));
}

#[test]
fn all_problems_are_told_up_to_a_bound() {
    let codec = codec(&json!({"type": "object", "additionalProperties": {"type": "integer"}}));
    let invalid_docs = invalid(&codec, r#"[{"v": {"a": "x", "b": 1, "c": []}}, {}, 7]"#);
    assert_eq!(
        invalid_docs.to_string(),
        "[0].v.a: expected integer, got a string that is none; [0].v.c: expected integer, got array; \
         [1].v: missing; [2]: expected object, got number"
    );
    let kinds: Vec<_> = invalid_docs.problems.iter().map(|problem| problem.kind()).collect();
    assert_eq!(kinds, ["int_parsing", "int_type", "missing", "model_attributes_type"]);
    let many = invalid(&codec, &format!("[{}]", vec!["{}"; 1000].join(",")));
    assert_eq!((many.problems.len(), many.is_cut), (20, true));
}

#[test]
fn broken_json_is_told_with_its_place() {
    let codec = codec(&json!({}));
    for (json, at, message) in [
        ("", 0, "EOF while parsing a value"),
        ("{bad", 1, "key must be a string"),
        (r#"[{"v": NaN}]"#, 7, "expected value"),
        (r#"[{"v": Infinity}]"#, 7, "expected value"),
        (r#"[{"v": 01}]"#, 8, "invalid number"),
        (r#"[{"v": "#, 7, "EOF while parsing a value"),
        (r#"[{"v": "a"#, 9, "EOF while parsing a string"),
        (r#"[{"v": 1}"#, 9, "EOF while parsing a list"),
        (r#"[{"v": 1}] x"#, 11, "trailing characters"),
        (r#"[{"v": "\ud800"}]"#, 14, "unexpected end of hex escape"),
        (r#"[{"v": 1},]"#, 10, "trailing comma"),
    ] {
        let invalid = invalid(&codec, json);
        let [problem] = &invalid.problems[..] else { panic!("{json}: {invalid}") };
        let Fault::Syntax { message: got } = &problem.fault else { panic!("{json}: {invalid}") };
        assert_eq!((problem.span.start, &**got), (at, message), "{json}");
    }
    let invalid = codec.read(b"[{\"v\": \"\xff\"}]").unwrap_err();
    assert_eq!(invalid.to_string(), "no valid JSON at byte 8: the text is not UTF-8");
}

#[test]
fn what_is_cut_off_anywhere_is_an_error() {
    let json =
        r#"[{"id": "a", "v": {"x": [1, 2.5e3, "t\u00e4\n", true, null, {"y": []}]}, "zz": [{"q": 1}]}]"#;
    let codec = codec(&json!({"type": "object"}));
    codec.read(json.as_bytes()).unwrap();
    for end in 0..json.len() {
        assert!(codec.read(&json.as_bytes()[..end]).is_err(), "{}", &json[..end]);
    }
}

#[test]
fn nesting_is_bounded_wherever_it_is() {
    let brackets = "[".repeat(1_000_000);
    let braces = r#"{"a":"#.repeat(1_000_000);
    for deep in [&brackets, &braces] {
        for schema in [
            json!({}),
            json!({"type": "array"}),
            json!({"type": "object"}),
            json!({"type": "integer"}),
            json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"}),
            json!({"anyOf": [{"type": "array"}, {"type": "object"}, {"type": "array", "items": {"type": "string"}}]}),
        ] {
            let invalid = invalid(&codec(&schema), &format!(r#"[{{"v":{deep}"#));
            assert!(invalid.problems.len() == 1, "{schema}: {} problems", invalid.problems.len());
        }
        invalid(&codec(&json!({})), &format!(r#"[{{"unknown":{deep}"#));
        invalid(&codec(&json!({})), deep);
    }
    // What Protocol Buffers libraries still read is 47 lists, or 31 objects, inside a field.
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    check(&json!({}), &nested(47), Ok(&nested(47)));
    let too_deep = through(&codec(&json!({})), &format!(r#"[{{"v":{}}}]"#, nested(48))).unwrap_err();
    assert_eq!(too_deep, format!("[0].v{}: nested too deeply; and perhaps more", "[0]".repeat(47)));
}

#[test]
fn documents_take_a_bounded_multiple_of_their_json() {
    let tensor = json!({"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"});
    let values = json!({"type": "array"});
    for (schema, json) in [
        // The worst case: each document is given an id.
        (json!({"default": 1.0}), format!("[{}]", vec!["{}"; 10_000].join(","))),
        (tensor, format!(r#"[{{"v":[{}]}}]"#, vec!["0"; 10_000].join(","))),
        (values.clone(), format!(r#"[{{"v":[{}]}}]"#, vec!["1e9"; 10_000].join(","))),
        (values, format!(r#"[{{"v":[{}]}}]"#, vec!["[]"; 10_000].join(","))),
        (json!({}), format!(r#"[{{"v":{{{}}}}}]"#, vec![r#""":{}"#; 10_000].join(","))),
    ] {
        let codec = Codec::of("D", &json!({"properties": {"id": {"type": "string"}, "v": schema}}));
        let docs = codec.read(json.as_bytes()).unwrap();
        assert!(docs.len() <= 16 * json.len(), "{} bytes of {}: {schema}", docs.len(), json.len());
    }
}

#[test]
fn a_union_of_itself_does_not_take_exponential_time() {
    let schema = json!({"properties": {"v": {"$ref": "#/$defs/T"}}, "$defs": {"T": {"anyOf": [
        {"type": "array", "items": {"$ref": "#/$defs/T"}, "maxItems": 1},
        {"type": "array", "items": {"$ref": "#/$defs/T"}, "maxItems": 2},
        {"type": "array", "items": {"$ref": "#/$defs/T"}, "maxItems": 3},
    ]}}});
    let codec = Codec::of("D", &schema);
    let deep = format!(r#"[{{"v":{}1{}}}]"#, "[".repeat(40), "]".repeat(40));
    let invalid = invalid(&codec, &deep);
    assert!(
        matches!(invalid.problems[..], [ref problem] if problem.fault == Fault::TooManyWays),
        "{invalid}"
    );
    assert_eq!(through(&codec, r#"[{"v":[[],[[]],[]]}]"#).unwrap(), r#"[{"v":[[],[[]],[]]}]"#);
}

#[test]
fn parameters_are_filled_in_and_numbers_are_doubles() {
    let schema = json!({"title": "P", "properties": {"top_k": {"type": "integer"},
        "lang": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null},
        "suffix": {"type": "string", "default": "!"}}, "required": ["top_k"]});
    let codec = Codec::of("P", &schema);
    let read = |json: &str| codec.read_parameters(json.as_bytes());
    let map = |json| Value::from(read(json).unwrap().to_map().unwrap());
    assert_eq!(map(r#"{"top_k": "3", "zz": 1}"#), json!({"top_k": 3.0, "lang": null, "suffix": "!"}));
    assert_eq!(
        map(r#"{"top_k": 3, "lang": "en", "encoder__y": {"a": [1, null]}}"#),
        json!({"top_k": 3.0, "lang": "en", "encoder__y": {"a": [1.0, null]}, "suffix": "!"})
    );
    assert_eq!(read("{}").unwrap_err().to_string(), "top_k: missing");
    assert_eq!(read("[]").unwrap_err().to_string(), "expected object, got array");
    let any = Codec::any_parameters();
    let parameters = any.read_parameters(br#"{"a": {"b": [1, "x", null, true]}, "id": null}"#).unwrap();
    assert_eq!(
        Value::from(parameters.to_map().unwrap()),
        json!({"a": {"b": [1.0, "x", null, true]}, "id": null})
    );
}

#[test]
fn schemas_that_refer_to_themselves_are_compiled() {
    let schema = json!({"$ref": "#/$defs/Node", "$defs": {"Node": {"title": "Node", "type": "object", "properties": {
        "id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": null},
        "chunks": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "default": []},
    }}}});
    let codec = Codec::of("Node", &schema);
    let json = r#"[{"id":"a","next":{"id":"b","next":null,"chunks":[]},"chunks":[{"id":"c","next":null,"chunks":[]}]}]"#;
    assert_eq!(through(&codec, r#"[{"id":"a","next":{"id":"b"},"chunks":[{"id":"c"}]}]"#).unwrap(), json);
    assert_eq!(
        through(&codec, r#"[{"next": {"next": {"chunks": [{"next": 1}]}}}]"#).unwrap_err(),
        "[0].next.next.chunks[0].next: expected object, got number"
    );
    // References that lead to nothing, or only to each other, allow everything.
    for odd in [
        json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}),
        json!({"$ref": "#/$defs/Missing"}),
        json!({"$ref": "https://example.org/schema"}),
        json!({"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}}),
        json!(true),
        json!(null),
    ] {
        let json = r#"[{"id":"a","x":[1]}]"#;
        assert_eq!(through(&Codec::of("D", &odd), json).unwrap(), json, "{odd}");
    }
}
