//! What becomes of encoded documents.

use bytestring::ByteString;
use serde_json::{Value, json};

use super::codec;
use crate::codec::Codec;
use crate::node::{self, Node};
use crate::{Dtype, NdArray};

fn write(schema: &Value, put: impl FnOnce(&mut Vec<u8>)) -> Result<String, String> {
    let mut doc = Vec::new();
    node::put_field(&mut doc, "v", put);
    let mut json = Vec::new();
    codec(schema).write_one(doc.into(), &mut json).map_err(|error| error.to_string())?;
    let json = String::from_utf8(json).unwrap();
    serde_json::from_str::<Value>(&json).unwrap();
    Ok(json.strip_prefix(r#"{"id":null,"v":"#).unwrap().strip_suffix('}').unwrap().to_owned())
}

#[track_caller]
fn check(schema: &Value, node: &Node, want: &str) {
    assert_eq!(write(schema, |to| node.write(None, to)).as_deref(), Ok(want), "{schema}: {node:?}");
}

#[track_caller]
fn check_tensor(dtype: &'static str, shape: &[usize], buffer: &[u8], want: &str) {
    let dtype = Dtype::try_from(ByteString::from_static(dtype)).unwrap();
    let array = NdArray::new(dtype, shape.to_vec(), buffer.to_vec().into()).unwrap();
    assert_eq!(write(&json!({}), |to| node::put_ndarray(to, &array, "ndarray")).as_deref(), Ok(want));
}

#[test]
fn numbers_have_the_kind_that_the_schema_says() {
    let (integer, number, any) = (json!({"type": "integer"}), json!({"type": "number"}), json!({}));
    check(&integer, &Node::Integer(-5), "-5");
    check(&integer, &Node::Float(4_294_967_296.0), "4294967296");
    check(&integer, &Node::Float(1e300), "1e+300");
    check(&integer, &Node::Text("12345678901234567890".into()), "12345678901234567890");
    check(&integer, &Node::Text("0x1".into()), r#""0x1""#);
    check(&integer, &Node::Text("01".into()), r#""01""#);
    check(&number, &Node::Integer(3), "3.0");
    check(&number, &Node::Float(3.0), "3.0");
    check(&number, &Node::Float(f64::NAN), "null");
    check(&number, &Node::Float(f64::NEG_INFINITY), "null");
    check(&any, &Node::Integer(3), "3");
    check(&any, &Node::Float(3.0), "3.0");
    check(&any, &Node::Float(0.1), "0.1");
}

#[test]
fn tensors_of_every_type_become_arrays() {
    check_tensor("<f8", &[2, 1], &[1.5_f64.to_le_bytes(), f64::NAN.to_le_bytes()].concat(), "[[1.5],[null]]");
    check_tensor(">f8", &[1], &0.1_f64.to_be_bytes(), "[0.1]");
    check_tensor("<f4", &[2], &[0.1_f32.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat(), "[0.1,null]");
    check_tensor(">f4", &[], &0.1_f32.to_be_bytes(), "0.1");
    check_tensor("<f2", &[2], &[0x00, 0x3c, 0x66, 0x2e], "[1.0,0.099975586]");
    check_tensor("<i8", &[1], &i64::MIN.to_le_bytes(), "[-9223372036854775808]");
    check_tensor("<u8", &[1], &u64::MAX.to_le_bytes(), "[18446744073709551615]");
    check_tensor(">i4", &[1], &(-7_i32).to_be_bytes(), "[-7]");
    check_tensor("<u4", &[1], &u32::MAX.to_le_bytes(), "[4294967295]");
    check_tensor(">i2", &[1], &(-300_i16).to_be_bytes(), "[-300]");
    check_tensor("<u2", &[1], &u16::MAX.to_le_bytes(), "[65535]");
    check_tensor("|i1", &[2], &[0xff, 1], "[-1,1]");
    check_tensor("|u1", &[2], &[0xff, 1], "[255,1]");
    check_tensor("|b1", &[2, 1, 1], &[1, 0], "[[[true]],[[false]]]");
    check_tensor("<c8", &[1], &[1.5_f32.to_le_bytes(), (-0.5_f32).to_le_bytes()].concat(), "[[1.5,-0.5]]");
    check_tensor(">c16", &[], &[1.5_f64.to_be_bytes(), (-0.5_f64).to_be_bytes()].concat(), "[1.5,-0.5]");
    check_tensor("<f8", &[0], &[], "[]");
    check_tensor("<f8", &[2, 0], &[], "[[],[]]");
}

#[test]
fn tensors_that_would_take_more_than_they_hold_are_refused() {
    let put = |shape: &[u64], buffer: &[u8]| {
        let mut packed = Vec::new();
        shape.iter().for_each(|n| call::wire::put_varint(&mut packed, *n));
        let write_array = |to: &mut Vec<u8>| {
            call::wire::put_message(to, 1, |to| {
                call::wire::put_bytes(to, 1, buffer);
                call::wire::put_bytes(to, 2, &packed);
                call::wire::put_bytes(to, 3, b"|u1");
            });
        };
        write(&json!({}), |to| call::wire::put_message(to, node::field::NDARRAY, write_array)).unwrap_err()
    };
    assert_eq!(put(&[4_294_967_295, 0], b""), "v: a tensor of shape [4294967295, 0] is too large");
    assert!(put(&[65536, 65536, 65536, 65536, 65536], b"").ends_with("is too large"));
    assert!(put(&[1; 10_000], b"a").ends_with("is too large"));
    assert_eq!(put(&[3], b"a"), "v: a tensor of shape [3] and type |u1 takes 3 bytes, not 1");
}

#[test]
fn blobs_are_text_or_marked() {
    let blob = json!({"type": "string", "format": "binary"});
    check(&blob, &Node::Blob("täxt\"\u{1}".into()), r#""täxt\"\u0001""#);
    check(&blob, &Node::Blob((&[0xff, 0][..]).into()), r#""data:application/octet-stream;base64,/wA=""#);
    let odd = "data:application/octet-stream;base64,YQ==";
    let twice =
        r#""data:application/octet-stream;base64,ZGF0YTphcHBsaWNhdGlvbi9vY3RldC1zdHJlYW07YmFzZTY0LFlRPT0=""#;
    check(&blob, &Node::Blob(odd.into()), twice);
}

#[test]
fn documents_have_all_fields_of_the_schema_in_its_order() {
    let schema = json!({"properties": {
        "b": {"type": "integer", "default": 0.0},
        "x": {"type": "number", "default": 1.0},
        "inner": {"$ref": "#/$defs/I", "default": {"n": 1.0, "w": 2.0}},
        "id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "list": {"type": "array", "items": {"type": "integer"}, "default": [1.0, 2.0]},
        "factory": {"type": "array", "items": {"type": "integer"}},
    }, "$defs": {"I": {"type": "object", "properties": {"n": {"type": "integer"}, "w": {"type": "number"}}}}});
    let codec = Codec::of("D", &schema);
    let mut doc = Vec::new();
    node::put_field(&mut doc, "unknown", |to| Node::Integer(1).write(None, to));
    node::put_field(&mut doc, "b", |to| Node::Integer(1).write(None, to));
    // The last one counts.
    node::put_field(&mut doc, "b", |to| Node::Integer(2).write(None, to));
    let mut json = Vec::new();
    codec.write_one(doc.into(), &mut json).unwrap();
    let want = r#"{"id":null,"b":2,"x":1.0,"inner":{"n":1,"w":2.0},"list":[1,2],"factory":null}"#;
    assert_eq!(String::from_utf8(json).unwrap(), want);
}

#[test]
fn what_python_nests_in_its_own_way_is_written_by_the_schema() {
    let inner =
        json!({"title": "I", "type": "object", "properties": {"n": {"type": "integer", "default": 1.0}}});
    let mut fields = Vec::new();
    node::put_field(&mut fields, "extra", |to| Node::Integer(1).write(None, to));
    let mut docs = Vec::new();
    node::put_item(&mut docs, |to| to.extend_from_slice(&fields));
    let list = json!({"type": "array", "items": inner});
    check(&list, &Node::DocArray(docs.into()), r#"[{"n":1}]"#);
    check(&inner, &Node::Doc(fields.clone().into()), r#"{"n":1}"#);
    check(
        &json!({"anyOf": [inner, {"type": "string"}]}),
        &Node::Dict(fields.clone().into()),
        r#"{"extra":1}"#,
    );
    check(&json!({"type": "object"}), &Node::Doc(fields.into()), r#"{"extra":1}"#);
}

#[test]
fn hostile_answers_end_in_an_error() {
    let mut deep = Node::Null;
    for _ in 0..200 {
        let mut list = Vec::new();
        node::put_item(&mut list, |to| deep.write(None, to));
        deep = Node::List(list.into());
    }
    let error = write(&json!({}), |to| deep.write(None, to)).unwrap_err();
    assert!(error.ends_with("nested more than 100 levels deep"), "{error}");
    let error = write(&json!({}), |to| to.extend_from_slice(&[0x0a, 0x01, 0xff])).unwrap_err();
    assert_eq!(error, "v: field 1 is not valid UTF-8");
    let error = write(&json!({}), |to| to.extend_from_slice(&[0x0a, 0x05])).unwrap_err();
    assert_eq!(error, "v: the message ends in the middle of a field");
}
