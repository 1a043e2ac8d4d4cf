//! The field that old gateways had.

use serde_json::json;

use super::*;

#[tokio::test]
async fn documents_of_any_kind_go_to_any_endpoint() {
    let stage = Stage::new(async |request: Request| {
        assert_eq!(request.message.header.endpoint.as_deref(), Some("/index"));
        assert_eq!(request.message.header.target_executor.as_deref(), Some("foo"));
        Ok(Response::One(request.message))
    });
    let query = r#"mutation { docs(data: {id: "a", text: "abcd", n: 4}, execEndpoint: "/index", targetExecutor: "foo")
        { id text n } }"#;
    assert_eq!(stage.query(query).await, json!({"data": {"docs": [{"id": "a", "text": "abcd", "n": 4}]}}));
}

#[tokio::test]
async fn json_may_be_text_and_the_default_endpoint_is_search() {
    let stage = Stage::new(async |request: Request| {
        assert_eq!(request.message.header.endpoint.as_deref(), Some("/search"));
        assert_eq!(request.message.parameters.to_map().unwrap()["k"].as_f64(), Some(1.0));
        Ok(Response::One(request.message))
    });
    for parameters in [json!("{\"k\": 1}"), json!({"k": 1})] {
        let query = r#"query($p: JSONScalar) { docs(data: [{id: "a", tags: "{\"x\": true}"}], parameters: $p) { tags } }"#;
        let answer = stage.post(&json!({"query": query, "variables": {"p": parameters}})).await.json();
        assert_eq!(answer, json!({"data": {"docs": [{"tags": {"x": true}}]}}));
    }
}

#[tokio::test]
async fn endpoints_that_nobody_binds_pass_documents_on() {
    let stage = Stage::echo();
    let answer = stage
        .query(r#"{ docs(data: {id: "a", mimeType: "text/plain"}, execEndpoint: "/what") { id mimeType } }"#)
        .await;
    assert_eq!(answer, json!({"data": {"docs": [{"id": "a", "mimeType": "text/plain"}]}}));
}

#[tokio::test]
async fn documents_have_to_be_there() {
    let answer = Stage::echo().query("{ docs { id } }").await;
    assert_eq!(answer["data"], json!({"docs": null}));
    assert_eq!(answer["errors"][0]["extensions"]["problems"], json!(["data: missing"]));
}
