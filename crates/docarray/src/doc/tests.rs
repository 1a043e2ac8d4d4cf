//! Documents as Rust types and their encoding.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Definitions, Depth, Form};
use crate::documents::{ImageDoc, TextDoc};
use crate::node::{self, Node};
use crate::{AnyUrl, Doc, DocError, DocList, Field, Id, ImageUrl, NdArray, TextUrl};

/// A part.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
struct Part {
    id: Id,
    name: String,
    vector: Option<NdArray>,
    parts: Vec<Part>,
}

/// An article
/// in two lines.
#[derive(Debug, Clone, PartialEq, Doc)]
#[document(name = "ArticleDoc")]
struct Article {
    id: Id,
    /// What it is called.
    title: String,
    #[document(name = "type", default = "news")]
    kind: String,
    #[document(default = 7)]
    views: u64,
    #[document(default)]
    draft: bool,
    weight: f32,
    raw: Option<Bytes>,
    link: Option<AnyUrl>,
    tags: Map<String, Value>,
    counts: HashMap<String, i64>,
    top: Option<Inner>,
    main: Inner,
    inners: DocList<Inner>,
    list: Vec<Inner>,
    by_name: BTreeMap<String, Inner>,
    r#any: Value,
}

/// Inner document.
#[derive(Debug, Clone, PartialEq, Doc)]
struct Inner {
    id: Id,
    #[document(default = "inner")]
    name: String,
    #[document(default = 1)]
    n: i32,
}

fn inner(name: &str) -> Inner {
    Inner { id: "i".into(), name: name.to_owned(), n: 2 }
}

fn article() -> Article {
    Article {
        id: "a".into(),
        title: "T".to_owned(),
        kind: "blog".to_owned(),
        views: 1 << 40,
        draft: true,
        weight: 0.1,
        raw: Some(Bytes::from_static(b"\xff\x00")),
        link: Some("http://a.b/c".into()),
        tags: json!({"a": 1, "b": [1, "x", null, 2.5], "c": {"d": true}}).as_object().unwrap().clone(),
        counts: HashMap::from([("x".to_owned(), -1)]),
        top: Some(inner("top")),
        main: inner("main"),
        inners: DocList::from([inner("one"), inner("two")]),
        list: vec![inner("three")],
        by_name: BTreeMap::from([("four".to_owned(), inner("four"))]),
        any: json!([1, {"k": null}]),
    }
}

fn written(doc: &impl Doc) -> Vec<u8> {
    let mut wire = Vec::new();
    doc.write(&mut wire);
    wire
}

/// The document with one field.
fn with(name: &str, value: &impl Field) -> Vec<u8> {
    let mut wire = Vec::new();
    node::put_field(&mut wire, name, |to| value.write_node(to, Form::Document));
    wire
}

fn node_of(doc: Vec<u8>, name: &str) -> (Node, Option<String>) {
    let field = node::fields(doc.into()).map(Result::unwrap).find(|(field, _)| field == name).unwrap();
    let (node, kind) = Node::read(field.1).unwrap();
    (node, kind.map(String::from))
}

#[test]
fn documents_survive_the_round_trip() {
    let article = article();
    assert_eq!(Article::read(written(&article).into()).unwrap(), article);
    let docs = DocList::from([article.clone(), article]);
    assert_eq!(DocList::read(docs.write()).unwrap(), docs);
    let image = ImageDoc { tensor: Some(NdArray::from(vec![1_u8, 2])), ..ImageDoc::default() };
    assert_eq!(ImageDoc::read(written(&image).into()).unwrap(), image);
}

#[test]
fn every_field_is_written_and_documents_in_lists_are_dictionaries() {
    let wire = written(&article());
    assert_eq!(node::fields(wire.clone().into()).count(), 16);
    assert!(matches!(node_of(wire.clone(), "top").0, Node::Doc(_)));
    assert!(matches!(node_of(wire.clone(), "inners").0, Node::DocArray(_)));
    let Node::List(items) = node_of(wire.clone(), "list").0 else { panic!("no list") };
    let item = node::items(items).next().unwrap().unwrap();
    assert!(matches!(Node::read(item).unwrap().0, Node::Dict(_)));
    assert_eq!(node_of(wire.clone(), "id").1.as_deref(), Some("id"));
    assert_eq!(node_of(wire.clone(), "link").1.as_deref(), Some("any_url"));
    assert_eq!(node_of(wire, "views").0, Node::Float((1_u64 << 40) as f64));
    assert_eq!(node_of(written(&TextDoc::default()), "embedding").0, Node::Null);
}

#[test]
fn what_does_not_come_takes_its_default() {
    let mut wire = with("title", &"T".to_owned());
    wire.extend(with("weight", &1));
    wire.extend(with("main", &inner("m")));
    wire.extend(with("unknown", &1));
    let read = Article::read(wire.into()).unwrap();
    assert_eq!((read.kind.as_str(), read.views, read.draft, read.weight), ("news", 7, false, 1.0));
    assert_eq!((read.id.len(), &read.top, &read.any, read.inners.len()), (32, &None, &Value::Null, 0));
}

#[test]
fn errors_name_the_path() {
    let check = |doc: Vec<u8>, want: &str| {
        let mut docs = Vec::new();
        node::put_item(&mut docs, |to| *to = [&to[..], &written(&article())].concat());
        node::put_item(&mut docs, |to| to.extend(&doc));
        let error = DocList::<Article>::read(node::content(docs.into())).unwrap_err();
        assert_eq!(error.to_string(), want);
    };
    let changed = |name: &str, value: &dyn Fn(&mut Vec<u8>)| {
        let mut wire = written(&article());
        node::put_field(&mut wire, name, |to| value(to));
        wire
    };
    check(Vec::new(), "docs[1].title: missing");
    let text = |to: &mut Vec<u8>| Node::Text("x".into()).write(None, to);
    check(changed("raw", &|to| 1.write_node(to, Form::Document)), "docs[1].raw: expected blob, got integer");
    check(changed("main", &text), "docs[1].main: expected doc, got text");
    check(
        changed("views", &|to| (-1).write_node(to, Form::Document)),
        "docs[1].views: -1 is out of range for u64",
    );
    check(
        changed("views", &|to| 1.5.write_node(to, Form::Document)),
        "docs[1].views: expected integer, got float",
    );
    check(changed("views", &text), "docs[1].views: expected integer, got a text that is none");
    check(changed("title", &|_| {}), "docs[1].title: expected text, got null");
    let mut bad = written(&inner("x"));
    node::put_field(&mut bad, "n", |to| true.write_node(to, Form::Document));
    let in_list = |to: &mut Vec<u8>| {
        call::wire::put_message(to, node::field::DOC_ARRAY, |to| node::put_item(to, |to| to.extend(&bad)));
    };
    check(changed("list", &in_list), "docs[1].list[0].n: expected integer, got boolean");
    let in_dict = |to: &mut Vec<u8>| {
        call::wire::put_message(to, node::field::DICT, |to| {
            node::put_field(to, "k", |to| call::wire::put_bytes(to, node::field::DOC, &bad));
        });
    };
    check(changed("by_name", &in_dict), "docs[1].by_name.k.n: expected integer, got boolean");
    let error = TextDoc::read(with("embedding", &"x".to_owned()).into()).unwrap_err();
    assert_eq!(error.to_string(), "embedding: expected ndarray, got text");
}

#[test]
fn documents_nested_too_deeply_are_refused() {
    let mut doc = written(&Part::default());
    for _ in 0..200 {
        let mut outer = with("name", &String::new());
        node::put_field(&mut outer, "parts", |to| {
            call::wire::put_message(to, node::field::DOC_ARRAY, |to| {
                node::put_item(to, |to| to.extend(&doc))
            });
        });
        doc = outer;
    }
    let error = Part::read(doc.into()).unwrap_err();
    assert!(error.to_string().ends_with("nested more than 100 levels deep"), "{error}");
}

#[test]
fn schemas_are_told_in_pydantics_dialect() {
    let schema = Article::schema();
    assert_eq!((&schema["title"], &schema["type"]), (&json!("ArticleDoc"), &json!("object")));
    assert_eq!(schema["description"], "An article\nin two lines.");
    assert_eq!(schema["required"], json!(["title", "weight", "main"]));
    let properties = &schema["properties"];
    assert_eq!(
        properties["title"],
        json!({"description": "What it is called.", "title": "Title", "type": "string"})
    );
    assert_eq!(properties["type"], json!({"default": "news", "title": "Type", "type": "string"}));
    assert_eq!(
        properties["top"],
        json!({"anyOf": [{"$ref": "#/$defs/Inner"}, {"type": "null"}], "default": null})
    );
    assert_eq!(properties["main"], json!({"$ref": "#/$defs/Inner"}));
    assert_eq!(properties["by_name"]["title"], "By Name");
    assert_eq!(schema["$defs"]["Inner"], Inner::schema());
    assert_eq!(schema["definitions"], schema["$defs"], "Jina looks for optional documents there");
    assert!(properties["id"].get("default").is_none());
}

#[test]
fn a_class_that_refers_to_itself_is_told_by_reference() {
    let schema = Part::schema();
    assert_eq!(schema["$ref"], "#/$defs/Part");
    assert_eq!(schema["$defs"]["Part"]["properties"]["parts"]["items"], json!({"$ref": "#/$defs/Part"}));
    assert!(schema.get("properties").is_none());
}

/// Documents that Python wrote, read as `T` and compared by their JSON; and the schema of the field.
fn python<T: Field>(name: &str, golden: &Value) {
    let entry = &golden[name];
    if let Value::Object(mut want) = entry["schema"].clone() {
        // Ours tells a default only where a struct asks for one.
        for key in ["title", "default"] {
            want.remove(key);
        }
        assert_eq!(T::schema_in(&mut Definitions::default()), Value::Object(want), "{name}");
    }
    for sample in entry["samples"].as_array().unwrap() {
        let hex = sample["doc"].as_str().unwrap();
        let wire: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let (node, _) = node_of(wire, "v");
        let value =
            T::read_node(node, Depth::START).unwrap_or_else(|error: DocError| panic!("{name}: {error}"));
        let again = node_of(with("v", &value), "v").0;
        let json = Value::read_node(again, Depth::START).unwrap();
        assert!(covers(&json, &sample["json"]), "{name}: {json} is not {}", sample["json"]);
    }
}

/// Whether two values are the same, numbers by value, texts of numbers as numbers.
fn covers(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| covers(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            right.iter().all(|(key, right)| left.get(key).is_some_and(|left| covers(left, right)))
        }
        (Value::Number(left), Value::String(right)) => right.parse().ok() == left.as_f64(),
        (left, right) => left == right,
    }
}

#[test]
fn documents_of_python_are_understood() {
    let golden: Value = serde_json::from_str(include_str!("../../testdata/python_types.json")).unwrap();
    python::<String>("str", &golden);
    python::<f64>("float", &golden);
    python::<bool>("bool", &golden);
    python::<Bytes>("bytes", &golden);
    python::<Option<Bytes>>("optbytes", &golden);
    python::<Option<String>>("optstr", &golden);
    python::<Option<i32>>("optint", &golden);
    python::<Option<f64>>("optfloat", &golden);
    python::<AnyUrl>("anyurl", &golden);
    python::<Option<ImageUrl>>("optimgurl", &golden);
    python::<TextUrl>("texturl", &golden);
    python::<NdArray>("ndarray", &golden);
    python::<Option<NdArray>>("optndarray", &golden);
    python::<Option<NdArray>>("optanytensor", &golden);
    python::<Option<NdArray>>("optanyembedding", &golden);
    python::<Inner>("nested", &golden);
    python::<Option<Inner>>("optnested", &golden);
    python::<DocList<Inner>>("doclist", &golden);
    python::<Vec<Inner>>("listnested", &golden);
    python::<Option<DocList<Inner>>>("optdoclist", &golden);
    python::<Option<Vec<Inner>>>("optlistnested", &golden);
    python::<Map<String, Value>>("dictany", &golden);
    python::<BTreeMap<String, i64>>("dictint", &golden);
    python::<BTreeMap<String, Inner>>("dictnested", &golden);
    python::<Vec<String>>("liststr", &golden);
    python::<Vec<i64>>("listint", &golden);
    python::<Vec<f32>>("listfloat", &golden);
    python::<Vec<Vec<f64>>>("listlistfloat", &golden);
    python::<Vec<Value>>("listany", &golden);
    python::<Value>("any", &golden);
    python::<Option<Map<String, Value>>>("optdict", &golden);
}

#[test]
fn sets_keep_what_comes_twice_once() {
    let set = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let (node, _) = node_of(with("v", &set), "v");
    assert!(matches!(node, Node::Set(_)), "{node:?}");
    assert_eq!(BTreeSet::<String>::read_node(node, Depth::START).unwrap(), set);
    let (list, _) = node_of(with("v", &vec!["b".to_owned(), "a".to_owned(), "b".to_owned()]), "v");
    let read = HashSet::<String>::read_node(list, Depth::START).unwrap();
    assert_eq!(read, set.into_iter().collect());
    let schema = HashSet::<String>::schema_in(&mut Definitions::default());
    assert_eq!(schema, json!({"items": {"type": "string"}, "type": "array", "uniqueItems": true}));
}

#[test]
fn tensors_come_in_many_forms() {
    let check = |node: Node, want: &NdArray| {
        assert_eq!(&NdArray::read_node(node, Depth::START).unwrap(), want);
    };
    let matrix = NdArray::of(vec![2, 2], &[1_i64, 2, 3, 4]).unwrap();
    check(Node::Text("[[1, 2], [3, 4]]".into()), &matrix);
    let (list, _) = node_of(with("v", &json!([[1, 2], [3, 4]])), "v");
    check(list, &matrix);
    assert_eq!(matrix.to_json(), json!([[1, 2], [3, 4]]));
    let (list, _) = node_of(with("v", &json!([0.5, 1])), "v");
    check(list, &NdArray::from(vec![0.5, 1.0]));
    let ragged = Node::Text("[[1], [2, 3]]".into());
    let error = NdArray::read_node(ragged, Depth::START).unwrap_err();
    assert_eq!(error.to_string(), "expected ndarray, got a text that is none");
}

#[test]
fn items_of_every_type_become_numbers() {
    let check = |dtype: &'static str, bytes: &'static [u8], want: &[f64]| {
        let dtype = crate::Dtype::try_from(bytestring::ByteString::from_static(dtype)).unwrap();
        let array = NdArray::new(dtype, vec![want.len()], Bytes::from_static(bytes)).unwrap();
        assert_eq!(array.to_numbers().unwrap(), want, "{array:?}");
    };
    check("<f4", &[0, 0, 0x80, 0x3f], &[1.0]);
    check(">f4", &[0x3f, 0x80, 0, 0], &[1.0]);
    check("<f2", &[0, 0x3c, 0, 0xc0, 1, 0], &[1.0, -2.0, 5.960_464_477_539_063e-8]);
    check("|i1", &[0xff], &[-1.0]);
    check(">i2", &[0xff, 0xfe], &[-2.0]);
    check("|b1", &[0, 1], &[0.0, 1.0]);
    check("<u2", &[0xff, 0xff], &[65535.0]);
}
