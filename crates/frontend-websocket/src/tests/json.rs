//! Requests and answers in JSON.

use serde_json::json;

use super::stage::eventually;
use super::*;

#[tokio::test]
async fn requests_in_json_are_answered_in_json() {
    for subprotocol in [None, Some("json"), Some("bytes,json")] {
        let mut client = Stage::new().client_of("/", subprotocol).await;
        let request = json!({"data": [{"id": "a", "text": "T"}], "parameters": {"x": 1},
            "execEndpoint": "/echo", "header": {"request_id": "r"}});
        client.say(&request.to_string()).await;
        let want = json!({"data": [{"id": "a", "text": "T"}], "parameters": {"x": 1.0},
            "header": {"request_id": "r", "target_executor": ""}});
        assert_eq!(client.json().await, want);
        client.say("{}").await;
        assert_eq!(client.closed().await, (1000, String::new()));
    }
}

#[tokio::test]
async fn documents_that_do_not_fit_are_answered_and_others_go_on() {
    let stage = Stage::new();
    let mut client = stage.client_of("/", None).await;
    let wrong = json!({"data": [{"id": "a", "text": []}], "exec_endpoint": "/echo",
        "header": {"request_id": "wrong"}});
    client.say(&wrong.to_string()).await;
    let answer = client.json().await;
    assert_eq!(answer["header"]["request_id"], "wrong");
    let status = &answer["header"]["status"];
    assert_eq!((&status["code"], &status["exception"]["name"]), (&json!(1), &json!("ValidationError")));
    assert_eq!(status["description"], "data[0].text: expected string, got array");
    assert_eq!(stage.script.begun(), 0);
    for (text, why) in
        [("[]", "expected object"), ("{\"exec_endpoint\": 3}", "exec_endpoint"), ("7", "expected object")]
    {
        client.say(text).await;
        let answer = client.json().await;
        let description = answer["header"]["status"]["description"].as_str().unwrap();
        assert!(description.contains(why), "{text}: {answer}");
    }
    client
        .say(r#"{"data": [{"text": "T"}], "header": {"exec_endpoint": "/echo", "request_id": "right"}}"#)
        .await;
    assert_eq!(client.json().await["header"]["request_id"], "right");
}

#[tokio::test]
async fn an_endpoint_that_nobody_binds_takes_any_document() {
    let mut client = Stage::new().client_of("/", None).await;
    client.say(r#"{"data": [{"id": "a", "whatever": [1, "two"]}], "exec_endpoint": "/nobody"}"#).await;
    assert_eq!(client.json().await["data"], json!([{"id": "a", "whatever": [1, "two"]}]));
}

#[tokio::test]
async fn failures_end_the_connection_as_they_do_in_bytes_mode() {
    let stage = Stage::new();
    let mut client = stage.client_of("/", None).await;
    client
        .say(r#"{"data": [{"text": "T"}], "exec_endpoint": "/hold", "header": {"request_id": "held"}}"#)
        .await;
    client.say(r#"{"data": [{"text": "T"}], "exec_endpoint": "/gone"}"#).await;
    eventually(|| stage.script.begun() == 2).await;
    stage.script.gate.add_permits(1);
    assert_eq!(client.json().await["header"]["request_id"], "held");
    assert_eq!(client.closed().await.0, 1011);
}
