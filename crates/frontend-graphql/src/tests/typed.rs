//! Fields made of the executors' schemas.

use call::{ErrorCode, Exception, Status};
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_endpoint_is_a_field_of_the_types_of_its_documents() {
    let stage = Stage::echo();
    let query = r#"{ search(data: [{id: "a", text: "on rivers", chunks: [{from_to: "x"}], tags: {k: [1]}}],
        parameters: {limit: 3}, requestId: "r") {
            data { id words: text n chunks { from_to } tags } parameters requestId } }"#;
    let data = json!([{"id": "a", "words": "on rivers", "n": 0, "chunks": [{"from_to": "x"}], "tags": {"k": [1.0]}}]);
    let mut want =
        json!({"data": {"search": {"data": data, "parameters": {"limit": 3.0}, "requestId": "r"}}});
    let mut got = stage.query(query).await;
    // Whole numbers in free JSON may come back as such or as doubles.
    for answer in [&mut got, &mut want] {
        answer["data"]["search"]["data"][0]["tags"]["k"][0] =
            json!(answer["data"]["search"]["data"][0]["tags"]["k"][0].as_f64());
        answer["data"]["search"]["parameters"]["limit"] =
            json!(answer["data"]["search"]["parameters"]["limit"].as_f64());
    }
    assert_eq!(got, want);
}

#[tokio::test]
async fn variables_and_null_in_the_place_of_a_default_are_understood() {
    let stage = Stage::echo();
    let query = "mutation($docs: [TextInput!]!) { index(data: $docs) { data { text n } } }";
    let body = json!({"query": query, "variables": {"docs": [{"text": null, "n": 7}, {"text": "b"}]}});
    let want = json!({"data": {"index": {"data": [{"text": "nothing", "n": 7}, {"text": "b", "n": 0}]}}});
    assert_eq!(stage.post(&body).await.json(), want);
}

#[tokio::test]
async fn what_writes_is_asked_by_mutations_and_what_streams_by_subscriptions_only() {
    let stage = Stage::echo();
    let answer = stage.query("{ __schema { queryType { fields { name } } mutationType { fields { name } } subscriptionType { fields { name } } } }").await;
    let names = |root: &str| {
        let fields = answer["data"]["__schema"][root]["fields"].as_array().unwrap();
        fields
            .iter()
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names("queryType"), ["docs", "search"].map(str::to_owned).into());
    assert_eq!(names("mutationType"), ["docs", "index", "search"].map(str::to_owned).into());
    assert_eq!(names("subscriptionType"), ["stream"].map(str::to_owned).into());
}

#[tokio::test]
async fn failures_have_codes_and_leave_their_field_null() {
    let failed = Stage::new(async |mut request: Request| {
        let exception =
            Exception { name: "ValueError".into(), executor: "Foo".into(), ..Exception::default() };
        let status = Status { is_error: true, description: "boom".into(), exception: Some(exception) };
        request.message.header.status = Some(Box::new(status));
        Ok(Response::One(request.message))
    });
    let answer = failed.query("{ search(data: []) { data { id } } __typename }").await;
    let error = &answer["errors"][0];
    assert_eq!(answer["data"], json!({"search": null, "__typename": "Query"}));
    assert_eq!((&error["message"], &error["path"]), (&json!("boom"), &json!(["search"])));
    assert_eq!(error["extensions"]["code"], "EXECUTOR_FAILED");
    assert_eq!(error["extensions"]["exception"]["name"], "ValueError");

    let gone = Stage::new(async |_| Err(Error::new(ErrorCode::Unavailable, "nobody is there")));
    let answer = gone.query("{ search(data: []) { data { id } } }").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    assert_eq!(answer["errors"][0]["message"], "nobody is there");
}

#[tokio::test]
async fn values_that_the_schema_refuses_are_named_with_their_place() {
    let stage = Stage::echo();
    let answer = stage.query(r#"{ search(data: [{tags: 3}]) { data { id } } }"#).await;
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "INVALID_REQUEST", "{answer}");
    assert_eq!(extensions["problems"], json!(["data[0].tags: expected object, got number"]));
    let answer = stage.query(r#"{ search(data: [{n: "three"}]) { data { id } } }"#).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{answer}");
}

#[tokio::test]
async fn the_schema_follows_the_catalog() {
    let stage = Stage::echo();
    assert!(stage.query("{ find(data: []) { data { id } } }").await["errors"].is_array());
    stage.catalog.set(flow(&[("/find", false)]));
    let want = json!({"data": {"find": {"data": []}}});
    assert_eq!(stage.query("{ find(data: []) { data { id } } }").await, want);
}

#[tokio::test]
async fn endpoints_of_no_known_schema_take_and_return_json() {
    let stage = Stage::echo();
    stage.catalog.set(Discovery {
        endpoints: [("/a/b".into(), None)].into_iter().collect(),
        write_endpoints: Vec::new(),
    });
    let answer = stage.query(r#"{ a_b(data: [{id: "x", any: {thing: true}}]) { data } }"#).await;
    assert_eq!(answer, json!({"data": {"a_b": {"data": [{"id": "x", "any": {"thing": true}}]}}}));
}

#[tokio::test]
async fn types_that_need_themselves_are_served_as_json() {
    let stage = Stage::echo();
    let schema = json!({"$ref": "#/$defs/Node", "$defs": {"Node": {"title": "Node", "type": "object",
        "required": ["next"], "properties": {"next": {"$ref": "#/$defs/Node"}}}}});
    let mut endpoint = texts(false);
    endpoint.input = Model { name: "Node".into(), schema };
    let endpoints = [("/a".into(), Some(endpoint))].into_iter().collect();
    stage.catalog.set(Discovery { endpoints, write_endpoints: Vec::new() });
    let answer =
        stage.query(r#"{ __type(name: "Query") { fields { name args { name type { kind } } } } }"#).await;
    assert!(
        answer["data"]["__type"]["fields"].as_array().unwrap().iter().any(|field| field["name"] == "a"),
        "{answer}"
    );
}

#[tokio::test]
async fn queries_that_are_too_much_are_refused_with_the_name_of_the_limit() {
    let settings = Settings {
        max_depth: 3,
        max_complexity: 20,
        max_calls: 5,
        max_query: 1999,
        max_tokens: 200,
        ..Settings::default()
    };
    let stage = Stage::with(settings, async |request: Request| Ok(Response::One(request.message)));
    let calls =
        |n: usize| -> String { (0..n).map(|n| format!("a{n}: search(data: []) {{ requestId }} ")).collect() };
    for (query, limit) in [
        ("{ search(data: []) { data { chunks { from_to } } } }".to_owned(), "graphql-max-depth"),
        (format!("{{ {} }}", calls(12)), "graphql-max-complexity"),
        (format!("{{ {} }}", calls(6)), "graphql-max-calls"),
        (format!("{{ {} }}", calls(30)), "graphql-max-tokens"),
        (format!("{{ a }} # {}", "x".repeat(2000)), "graphql-max-query"),
    ] {
        let answer = stage.query(&query).await;
        let error = &answer["errors"][0];
        assert!(error["message"].as_str().unwrap().contains(limit), "{answer}");
        assert_eq!(
            (&error["extensions"]["code"], answer.get("data")),
            (&json!("GRAPHQL_VALIDATION_FAILED"), None)
        );
    }
    assert!(stage.query(&format!("{{ {} }}", calls(5))).await["errors"].is_null());
}

#[tokio::test]
async fn documents_of_a_variable_count_for_each_call_that_has_them() {
    let limits = Limits { bytes: 100_000, ..Limits::default() };
    let echo = async |request: Request| Ok(Response::One(request.message));
    let stage = Stage::within(limits, Settings::default(), echo);
    let query =
        "query($d: [TextInput!]!) { a: search(data: $d) { requestId } b: search(data: $d) { requestId } }";
    let of = |len: usize| json!({"query": query, "variables": {"d": [{"text": "x".repeat(len)}]}});
    assert!(stage.post(&of(1000)).await.json()["errors"].is_null());
    let answer = stage.post(&of(100_001)).await.json();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "OVERLOADED", "{answer}");
    assert_eq!(stage.admission.bytes(), 0);
}

#[tokio::test]
async fn nothing_nests_deeper_than_the_stack() {
    let settings = Settings { max_query: usize::MAX, max_tokens: usize::MAX, ..Settings::default() };
    let stage = Stage::with(settings, async |request: Request| Ok(Response::One(request.message)));
    for text in ["{ a ", "{ a(b: [", "{ a(b: {c: ", "query($a: [", "{ ... ", "[", "{ a @b(c: ["] {
        let answer = stage.query(&text.repeat(100_000)).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{text}");
    }
    let body = format!(r#"{{"query": "{{a}}", "variables": {{"a": {}"#, "[".repeat(100_000));
    let request = http::Request::post("/graphql").header("content-type", "application/json");
    let answer = stage.ask(request.body(body.into_bytes()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}
