//! What GraphQL over HTTP asks for beyond the query.

use serde_json::json;

use super::*;

const BOTH: &str = "application/graphql-response+json, application/json;q=0.9";

#[tokio::test]
async fn queries_may_be_asked_by_get_and_mutations_may_not() {
    let stage = Stage::echo();
    let answer = stage.get("/graphql?query=%7B__typename%7D", "application/json").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"data": {"__typename": "Query"}})));
    let answer = stage.get("/graphql?query=mutation%7B__typename%7D", "application/json").await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    let put = http::Request::put("/graphql").body(Vec::new()).unwrap();
    assert_eq!(stage.ask(put).await.header("allow"), "GET, POST");
}

#[tokio::test]
async fn the_status_tells_how_it_went_where_the_client_knows_that() {
    let stage = Stage::echo();
    for (query, status) in [("{ __typename }", 200), ("{ nope }", 400), ("{", 400), ("{ docs { id } }", 200)]
    {
        let answer = stage.post_as(BOTH, &json!({"query": query})).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.header("content-type"), "application/graphql-response+json; charset=utf-8");
        assert_eq!(answer.json().get("data").is_some(), status == 200, "{query}");
        let plain = stage.post(&json!({"query": query})).await;
        assert_eq!(
            (plain.status, plain.header("content-type")),
            (StatusCode::OK, "application/json; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn fields_are_told_in_the_order_in_which_they_were_asked_for() {
    let stage = Stage::echo();
    let query = "{ late: search(data: []) { requestId data { id } } __typename docs(data: []) { id } }";
    let answer = stage.query(query).await;
    let keys: Vec<_> = answer["data"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["late", "__typename", "docs"]);
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let stage = Stage::echo();
    for body in [
        json!({}),
        json!([]),
        json!({"query": 7}),
        json!({"query": "{a}", "variables": [1]}),
        json!({"query": "{a}", "operationName": {}}),
        json!({"query": "{a}", "extensions": "x"}),
    ] {
        let answer = stage.post(&body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "INVALID_REQUEST");
    }
    for kind in ["text/plain", "application/json; charset=latin-1", ""] {
        let request = http::Request::post("/graphql").header("content-type", kind);
        let answer = stage.ask(request.body(br#"{"query": "{__typename}"}"#.to_vec()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    assert_eq!(stage.get("/graphql?query=%7Ba%7D", "image/png").await.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(stage.get("/graphql", "application/json").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn browsers_get_a_page_that_needs_no_network() {
    let stage = Stage::echo();
    let page = stage.get("/graphql", "text/html,application/xhtml+xml").await;
    let text = String::from_utf8(page.body).unwrap();
    assert!(
        text.contains("/graphql/graphiql.min.js") && !text.contains("//cdn") && !text.contains("https://"),
        "{text}"
    );
    for part in
        ["graphiql.min.css", "graphiql.min.js", "react.production.min.js", "react-dom.production.min.js"]
    {
        assert!(text.contains(&format!("/graphql/{part}")), "{part}");
        let asset = stage.get(&format!("/graphql/{part}"), "*/*").await;
        assert_eq!((asset.status, asset.header("content-encoding")), (StatusCode::OK, "gzip"));
        assert_eq!(asset.body[..2], [0x1f, 0x8b], "{part}");
    }
    assert_eq!(stage.get("/graphql/nope.js", "*/*").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_told_by_place_and_not_repeated() {
    let stage = Stage::echo();
    let query = format!("{{ docs(data: {{text: \"{}\"}}) {{ id }}", "x".repeat(100_000));
    let answer = stage.query(&query).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "GRAPHQL_PARSE_FAILED");
    assert_eq!(error["locations"][0]["line"], 1, "{answer}");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("expected ") && message.len() < 200, "{message}");
}

#[tokio::test]
async fn of_many_errors_the_first_are_told() {
    let stage = Stage::echo();
    let variables: String = (0..1000).map(|n| format!("$v{n}: Int ")).collect();
    let answer = stage.query(&format!("query({variables}) {{ __typename }}")).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_slash_at_the_end_does_no_harm() {
    let page = Stage::echo().get("/graphql/", "text/html").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
}
