//! The gateway over GraphQL.

use gateway::{Port, Protocol};
use serde_json::json;
use tests::{Sandbox, Stub, eventually};

use crate::http::web;

fn graphql(settings: &mut gateway::Settings) {
    settings.ports.push(Port::of(&[Protocol::Http]));
    settings.graphql = Some(frontend_graphql::Settings::default());
}

#[tokio::test]
async fn it_is_served_beside_the_routes_of_endpoints() {
    let sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(graphql).start().await;
    let query = r#"mutation { docs(data: {id: "a", text: "one"}, execEndpoint: "/index") { id text } }"#;
    let answer = web(&sandbox).post("/graphql", &json!({"query": query})).await;
    assert_eq!(answer.json(), json!({"data": {"docs": [{"id": "a", "text": "one"}]}}));
    let typed = r#"{ index(data: [{id: "a", text: "one"}]) { data { id text } } }"#;
    let answer = web(&sandbox).post("/graphql", &json!({"query": typed})).await;
    assert_eq!(answer.json(), json!({"data": {"index": {"data": [{"id": "a", "text": "one"}]}}}));
    let answer = web(&sandbox).post("/index", &json!({"data": [{"id": "a", "text": "one"}]})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn it_is_not_there_unless_exposed() {
    let http = |settings: &mut gateway::Settings| {
        settings.ports.push(Port::of(&[Protocol::Http]));
    };
    let sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(http).start().await;
    assert_eq!(web(&sandbox).post("/graphql", &json!({"query": "{ __typename }"})).await.status, 404);
}

#[tokio::test]
async fn an_executor_that_is_gone_is_told_by_code() {
    let mut sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(graphql).start().await;
    sandbox.kill("encoder");
    let body = json!({"query": "{ index(data: []) { data { id } } }"});
    let answer = web(&sandbox).post("/graphql", &body).await.json();
    assert_eq!(answer["data"], json!({"index": null}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
}

#[tokio::test]
async fn fields_come_with_the_executors_that_have_them() {
    let mut sandbox =
        Sandbox::builder().executor("encoder", Stub::echo(&["/index"])).settings(graphql).start().await;
    let body = json!({"query": r#"{ search(data: []) { data { id } } }"#});
    assert!(web(&sandbox).post("/graphql", &body).await.json()["errors"].is_array());
    let address = sandbox.kill("encoder");
    sandbox.revive("encoder", Stub::echo(&["/search"]), address);
    let found = async || web(&sandbox).post("/graphql", &body).await.json()["errors"].is_null();
    eventually("the new endpoint has a field", found).await;
}
