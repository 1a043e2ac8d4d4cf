//! Requests and answers in JSON, many of them as recorded from Jina.

use call::{Exception, Message, Parameters, Status};
use serde_json::{Value, json};

use super::*;
use crate::discovery::Model;

fn model(name: &str, schema: Value) -> Model {
    Model { name: name.into(), schema }
}

fn endpoint(parameters: Option<Value>) -> Endpoint {
    let id = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    let article = json!({"title": "ArticleDoc", "type": "object", "properties": {
        "tags": {"type": "object", "default": {}}, "views": {"type": "integer", "default": 0.0},
        "id": id, "title": {"type": "string"}}, "required": ["title"]});
    Endpoint::new(Some(&EndpointSchema {
        input: model("ArticleDoc", article.clone()),
        output: model("ArticleDoc", article),
        parameters: parameters.map(|schema| model("Parameters", schema)),
        is_generator: false,
        is_singleton_doc: false,
    }))
}

fn answer(message: &Message) -> Value {
    let mut json = Vec::new();
    endpoint(None).write(message, &mut json).unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[track_caller]
fn check_invalid(endpoint: &Endpoint, body: &str, want: &Value) {
    let invalid = endpoint.read(body.as_bytes()).unwrap_err();
    let mut json = Vec::new();
    put_invalid(&invalid, body.as_bytes(), &mut json);
    assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), json!({"detail": want}), "{body}");
}

#[test]
fn requests_are_read_in_any_order_of_keys() {
    let endpoint = endpoint(None);
    let body = r#"{"exec_endpoint": "/x", "header": {"request_id": "r", "target_executor": "rank", "status": 1},
        "parameters": {"x": 1}, "data": [{"id": "a", "title": "T", "zzz": [1]}], "target_executor": "y"}"#;
    let request = endpoint.read(body.as_bytes()).unwrap();
    assert_eq!(request.header.request_id, "r");
    assert_eq!(request.header.target_executor.as_deref(), Some("rank"));
    assert_eq!(
        answer(&request),
        json!({"data": [{"id": "a", "tags": {}, "views": 0, "title": "T"}], "parameters": {"x": 1.0},
            "header": {"request_id": "r", "target_executor": "rank"}})
    );
    let camel = r#"{"data": [], "header": {"requestId": "r", "targetExecutor": "rank"}}"#;
    let request = endpoint.read(camel.as_bytes()).unwrap();
    assert_eq!(answer(&request)["header"], json!({"request_id": "r", "target_executor": "rank"}));
}

#[test]
fn a_request_without_an_id_gets_one() {
    let id = |body: &str| endpoint(None).read(body.as_bytes()).unwrap().header.request_id.to_string();
    assert_eq!(id(r#"{"data": {"id": "a", "title": "T"}}"#), "a");
    for body in [
        r#"{"data": [{"id": "a", "title": "T"}]}"#,
        r#"{"data": {"id": "a", "title": "T"}, "header": {"request_id": null}}"#,
        r#"{"data": [], "header": null}"#,
        r#"{"data": []}"#,
    ] {
        let id = id(body);
        assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{body}: {id}");
    }
}

#[test]
fn parameters_may_be_missing_unless_some_are_required() {
    let any = endpoint(None);
    for body in
        [r#"{"data": []}"#, r#"{"data": [], "parameters": null}"#, r#"{"data": [], "parameters": {}}"#]
    {
        assert!(any.read(body.as_bytes()).unwrap().parameters.is_empty(), "{body}");
    }
    let typed = endpoint(Some(json!({"properties": {"top_k": {"type": "integer"}}, "required": ["top_k"]})));
    let body = r#"{"data": []}"#;
    check_invalid(
        &typed,
        body,
        &json!([{"type": "missing", "loc": ["body", "parameters"], "msg": "Field required", "input": {"data": []}}]),
    );
    check_invalid(
        &typed,
        r#"{"data": [], "parameters": {"top_k": "x"}}"#,
        &json!([{"type": "int_parsing", "loc": ["body", "parameters", "top_k"], "input": "x",
            "msg": "Input should be a valid integer, unable to parse string as an integer"}]),
    );
}

#[test]
fn values_that_no_client_can_read_are_told_as_text() {
    check_invalid(
        &endpoint(None),
        r#"{"data": {"id": "a", "title": 1e999}}"#,
        &json!([{"type": "string_type", "loc": ["body", "data", "title"], "input": "1e999",
            "msg": "Input should be a valid string"}]),
    );
}

#[test]
fn what_is_wrong_is_told_as_fastapi_does() {
    let endpoint = endpoint(None);
    let missing = |loc: Value, input: Value| json!([{"type": "missing", "loc": loc, "msg": "Field required", "input": input}]);
    check_invalid(&endpoint, "", &missing(json!(["body"]), Value::Null));
    check_invalid(&endpoint, "{}", &missing(json!(["body", "data"]), json!({})));
    check_invalid(
        &endpoint,
        r#"{"data": [{"id": "a", "title": "T"}, {"id": "b"}]}"#,
        &missing(json!(["body", "data", 1, "title"]), json!({"id": "b"})),
    );
    check_invalid(
        &endpoint,
        r#"{"data": {"id": "a", "title": 1}}"#,
        &json!([{"type": "string_type", "loc": ["body", "data", "title"], "input": 1,
            "msg": "Input should be a valid string"}]),
    );
    check_invalid(
        &endpoint,
        r#"{"data": null}"#,
        &json!([{"type": "list_type", "loc": ["body", "data"], "msg": "Input should be a valid list", "input": null}]),
    );
    check_invalid(
        &endpoint,
        "[]",
        &json!([{"type": "model_attributes_type", "loc": ["body"], "input": [],
            "msg": "Input should be a valid dictionary or object to extract fields from"}]),
    );
    check_invalid(
        &endpoint,
        "{bad",
        &json!([{"type": "json_invalid", "loc": ["body", 1], "msg": "JSON decode error", "input": {},
            "ctx": {"error": "key must be a string"}}]),
    );
    check_invalid(
        &endpoint,
        r#"{"data": [], "header": {"request_id": 1}}"#,
        &json!([{"type": "string_type", "loc": ["body", "header", "request_id"], "input": 1,
            "msg": "Input should be a valid string"}]),
    );
    let long = "x".repeat(2000);
    check_invalid(
        &endpoint,
        &format!(r#"{{"data": [{{"title": "T", "views": "{long}"}}]}}"#),
        &json!([{"type": "int_parsing", "loc": ["body", "data", 0, "views"],
            "msg": "Input should be a valid integer, unable to parse string as an integer"}]),
    );
    let invalid = endpoint.read(br#"{"data": [{"title": "T", "views": []}]}"#).unwrap_err();
    assert_eq!(invalid.to_string(), "data[0].views: expected integer, got array");
}

#[test]
fn answers_tell_parameters_and_failures() {
    let results = json!({"q": 1, "__results__": {"encoder/rep-0": {"n": 1, "seen": ["q", null]}}});
    let status = Status {
        is_error: true,
        description: "ValueError('boom')".into(),
        exception: Some(Exception {
            name: "ValueError".into(),
            args: vec!["boom".into(), "42".into()],
            stacks: vec!["Traceback\n".into()],
            executor: "Encoder".into(),
        }),
    };
    let mut message =
        Message { parameters: Parameters::from_map(results.as_object().unwrap()), ..Message::default() };
    message.header.request_id = "r\"1\"".into();
    message.header.status = Some(Box::new(status.clone()));
    let exception = json!({"name": "ValueError", "args": ["boom", "42"], "stacks": ["Traceback\n"], "executor": "Encoder"});
    let status_json = json!({"code": 1, "description": "ValueError('boom')", "exception": exception});
    let header = json!({"request_id": "r\"1\"", "target_executor": "", "status": status_json});
    assert_eq!(
        answer(&message),
        json!({"data": [], "header": header,
            "parameters": {"q": 1.0, "__results__": {"encoder/rep-0": {"n": 1.0, "seen": ["q", null]}}}})
    );
    let mut failure = Vec::new();
    put_failure("r\"1\"", &status, &mut failure);
    assert_eq!(serde_json::from_slice::<Value>(&failure).unwrap(), json!({"header": header}));
    let mut fine = Vec::new();
    put_status(&Status::default(), &mut fine);
    assert_eq!(fine, br#"{"code":0,"description":"","exception":null}"#);
}

#[test]
fn a_stream_has_bare_documents() {
    let endpoint = endpoint(None);
    let request = endpoint.read_document(br#"{"id": "a", "title": "T"}"#).unwrap();
    let mut json = Vec::new();
    endpoint.write_document(&request, &mut json).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), r#"{"id":"a","tags":{},"views":0,"title":"T"}"#);
    let invalid = endpoint.read_document(br#"[{"id": "a"}]"#).unwrap_err();
    assert_eq!(invalid.to_string(), "expected object, got array");
    assert_eq!(endpoint.read_document(b"").unwrap_err().to_string(), "missing");
}

#[test]
fn where_a_request_wants_to_go_is_known_before_it_is_read() {
    let read = |body: &str| Destination::read(body.as_bytes());
    let body = r#"{"data": [{"x": [1, 2]}], "execEndpoint": "/a", "targetExecutor": "t"}"#;
    let want = Destination { endpoint: Some("/a".into()), target_executor: Some("t".into()) };
    assert_eq!(read(body).unwrap(), want);
    let in_header = read(r#"{"header": {"exec_endpoint": "/b"}}"#).unwrap();
    assert_eq!(in_header.endpoint.as_deref(), Some("/b"));
    assert_eq!(read("{}").unwrap(), Destination::default());
    assert_eq!(
        read(r#"{"exec_endpoint": 1}"#).unwrap_err().to_string(),
        "exec_endpoint: expected string, got number"
    );
    assert!(read("{").is_err());
}
