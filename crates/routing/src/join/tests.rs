//! What is merged, what is left alone, and whose fault it is if that fails.

use bytestring::ByteString;
use docarray::discovery::{EndpointSchema, Model};
use docarray::node::Node;
use serde_json::json;

use super::*;
use crate::GraphSpec;

/// Branches `a` and `b` that come together at `j`.
fn graph() -> Graph {
    let description = [("start-gateway", "a b"), ("a", "j"), ("b", "j"), ("j", "end-gateway")];
    let list = |names: &str| names.split(' ').map(str::to_owned).collect();
    let description = description.map(|(node, next)| (node.to_owned(), list(next)));
    Graph::check(&GraphSpec { description: description.into(), ..GraphSpec::default() }).unwrap()
}

/// A content of one document with a dictionary of integers.
fn tags(keys: &[&str]) -> Payload {
    let mut doc = Vec::new();
    node::put_field(&mut doc, "id", |to| Node::Text("1".into()).write(None, to));
    let mut dict = Vec::new();
    for key in keys {
        node::put_field(&mut dict, key, |to| Node::Integer(1).write(None, to));
    }
    node::put_field(&mut doc, "tags", |to| Node::Dict(dict.into()).write(None, to));
    let mut list = Payload::new();
    node::append_item(&mut list, doc.into());
    node::content(list)
}

fn part(origin: usize, documents: Option<Payload>) -> Output {
    Output { message: Message { documents, ..Message::default() }, origin, failed: false }
}

fn reduce(endpoints: &Endpoints, graph: &Graph, parts: Vec<Output>) -> Result<Output, Error> {
    let index = graph.index("j").unwrap().0;
    Join { index, endpoint: "/e", graph, endpoints }.reduce(parts)
}

fn index(graph: &Graph, name: &str) -> usize {
    graph.index(name).unwrap().0
}

#[test]
fn parts_that_bring_nothing_new_are_not_decoded() {
    let graph = graph();
    let endpoints = Endpoints::new(&graph);
    let (a, b, gateway) = (index(&graph, "a"), index(&graph, "b"), graph.gateway());
    let garbage = || Some(Payload::from(vec![0xff]));
    let check = |case: &str, parts: Vec<Output>, want: (usize, Option<Payload>)| {
        let got = reduce(&endpoints, &graph, parts).unwrap();
        assert_eq!((got.origin, got.message.documents), want, "{case}");
    };
    let same = vec![part(gateway, garbage()), part(gateway, garbage())];
    check("the same twice", same, (gateway, garbage()));
    check("one is missing", vec![part(a, None), part(b, garbage())], (b, garbage()));
    check("one is empty", vec![part(a, garbage()), part(b, Some(Payload::new()))], (a, garbage()));
    check("all are missing", vec![part(a, None), part(b, None)], (a, None));
    let no_docs = || Some(node::content(Payload::new()));
    check(
        "a list without documents",
        vec![part(a, no_docs()), part(b, Some(tags(&[])))],
        (b, Some(tags(&[]))),
    );
    check("only such lists", vec![part(a, no_docs()), part(b, no_docs())], (a, no_docs()));
}

#[test]
fn the_schema_of_a_branch_or_else_of_the_join_tells_how_to_merge() {
    let graph = graph();
    let (a, b) = (index(&graph, "a"), index(&graph, "b"));
    let typed =
        json!({"properties": {"tags": {"type": "object", "additionalProperties": {"type": "integer"}}}});
    let untyped = json!({"properties": {"tags": {"type": "object"}}});
    let says = |input: &Value, output: &Value| {
        let model = |schema: &Value| Model { name: "D".into(), schema: schema.clone() };
        let schema = EndpointSchema {
            input: model(input),
            output: model(output),
            parameters: None,
            is_generator: false,
            is_singleton_doc: false,
        };
        let mut discovery = Discovery::default();
        discovery.endpoints.insert(ByteString::from_static("/e"), Some(schema));
        Arc::new(discovery)
    };
    let merged = |known: &[(&str, Arc<Discovery>)]| {
        let endpoints = Endpoints::new(&graph);
        for (name, discovery) in known {
            endpoints.set(graph.index(name).unwrap(), discovery.clone());
        }
        let parts = vec![part(a, Some(tags(&["l"]))), part(b, Some(tags(&["r"])))];
        reduce(&endpoints, &graph, parts).unwrap().message.documents.unwrap()
    };
    assert_eq!(merged(&[]), tags(&["r"]), "nothing known: replaced");
    assert_eq!(merged(&[("b", says(&untyped, &typed))]), tags(&["l", "r"]), "by what a branch returns");
    assert_eq!(merged(&[("j", says(&typed, &untyped))]), tags(&["l", "r"]), "by what the join takes");
    let both = [("a", says(&typed, &untyped)), ("j", says(&typed, &typed))];
    assert_eq!(merged(&both), tags(&["r"]), "branches come first");
}

#[test]
fn malformed_documents_are_blamed_on_who_made_them() {
    let graph = graph();
    let endpoints = Endpoints::new(&graph);
    let (a, b, gateway) = (index(&graph, "a"), index(&graph, "b"), graph.gateway());
    let broken = || Some(node::content(vec![0x0a, 0x01, 0xff].into()));
    let good = || Some(tags(&[]));
    let blamed = |parts| reduce(&endpoints, &graph, parts).unwrap_err();
    let by_b = blamed(vec![part(a, good()), part(b, broken())]);
    assert_eq!(by_b.to_string(), "the answer of executor `b` is malformed");
    let by_client = blamed(vec![part(gateway, broken()), part(b, good())]);
    assert_eq!(by_client.to_string(), "the documents of the request are malformed");
    assert_eq!(call::Error::from(by_client).code, call::ErrorCode::InvalidRequest);
}

#[test]
fn the_header_is_that_of_the_first_part_without_an_error() {
    let graph = graph();
    let (a, b) = (index(&graph, "a"), index(&graph, "b"));
    let mut parts = vec![part(a, Some(tags(&[]))), part(b, None)];
    let status = call::Status { is_error: true, ..call::Status::default() };
    parts[0].message.header.status = Some(Box::new(status));
    parts[1].message.header.request_id = "of b".into();
    let merged = reduce(&Endpoints::new(&graph), &graph, parts).unwrap();
    assert_eq!(merged.message.header.request_id, "of b");
    assert_eq!(merged.message.documents, Some(tags(&[])));
}
