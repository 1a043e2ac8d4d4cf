//! What goes to the handler and comes back.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::*;

const BODY: &str = r#"{"data": [{"id": "a", "text": "x", "n": "7"}], "parameters": {"k": 1}}"#;

#[tokio::test]
async fn a_request_is_answered_in_its_envelope() {
    let (send, receive) = std::sync::mpsc::channel();
    let stage = Stage::new(move |request: Request| {
        send.send(request.clone()).unwrap();
        std::future::ready(Ok(Response::One(request.message)))
    });
    let request = http::Request::post("/index")
        .header("content-type", "application/json; charset=utf-8")
        .header("x-request-id", "r1")
        .header("x-request-timeout", "2.5")
        .header("traceparent", "00-1-2-01");
    let answer = stage.ask(request.body(Body::from(BODY)).unwrap()).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-request-id"), "r1");
    let want = json!({
        "data": [{"id": "a", "text": "x", "n": 7}],
        "parameters": {"k": 1.0},
        "header": {"request_id": "r1", "target_executor": ""},
    });
    assert_eq!(answer.json(), want);
    let sent = receive.try_recv().unwrap();
    assert_eq!(sent.message.header.endpoint.as_deref(), Some("/index"));
    assert!(sent.context.deadline.remaining().is_some());
    assert_eq!(sent.context.metadata.0, [("traceparent".into(), "00-1-2-01".into())]);
}

#[tokio::test]
async fn one_request_is_one_call_however_many_documents_it_has() {
    let (send, receive) = std::sync::mpsc::channel();
    let stage = Stage::new(move |request: Request| {
        send.send(()).unwrap();
        std::future::ready(Ok(Response::One(request.message)))
    });
    let docs: Vec<_> = (0..250).map(|n| json!({"id": n.to_string(), "text": "x"})).collect();
    let answer = stage.post("/index", json!({"data": docs}).to_string()).await;
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 250);
    assert_eq!(receive.try_iter().count(), 1);
}

#[tokio::test]
async fn large_bodies_are_answered_like_small_ones() {
    let text = "x".repeat(3 << 20);
    let stage = Stage::echo();
    let answer = stage.post("/index", json!({"data": {"id": "a", "text": text}}).to_string()).await;
    assert_eq!(answer.json()["data"][0]["text"].as_str(), Some(&*text));
    assert_eq!((stage.admission.requests(), stage.admission.bytes()), (0, 0), "all is given back");
}

#[tokio::test]
async fn bodies_are_compressed_both_ways() {
    let stage = Stage::echo();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(BODY.as_bytes()).unwrap();
    let request = http::Request::post("/index")
        .header("content-encoding", "gzip")
        .header("accept-encoding", "gzip")
        .body(Body::from(packed.finish().unwrap()))
        .unwrap();
    let answer = stage.ask(request).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    let mut text = String::new();
    GzDecoder::new(&answer.body()[..]).read_to_string(&mut text).unwrap();
    assert!(text.starts_with(r#"{"data":[{"id":"a","text":"x","n":7}]"#), "{text}");

    for (name, status) in [("lzma", 415), ("gzip", 400)] {
        let request = http::Request::post("/index").header("content-encoding", name);
        let answer = stage.ask(request.body(Body::from(BODY)).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{name}");
    }
}

#[tokio::test]
async fn what_a_body_unpacks_to_is_bounded() {
    let settings = Settings { max_body: 1 << 20, ..Settings::default() };
    let echo = async |request: Request| Ok(Response::One(request.message));
    let stage = Stage::with(settings, Limits::default(), echo);
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b' '; 8 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 1 << 20);
    let request = http::Request::post("/index").header("content-encoding", "gzip");
    let answer = stage.ask(request.body(Body::from(packed)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_no_request_is_told_where_it_is_wrong() {
    let stage = Stage::echo();
    let check = async |body: &'static str, kind: &str, loc: Value| {
        let answer = stage.post("/index", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem = answer.json()["detail"][0].clone();
        assert_eq!((&problem["type"], &problem["loc"]), (&json!(kind), &loc), "{body}: {problem}");
        assert!(problem["msg"].is_string());
    };
    check("", "missing", json!(["body"])).await;
    check("{}", "missing", json!(["body", "data"])).await;
    check("{bad", "json_invalid", json!(["body", 1])).await;
    check(r#"{"data": [{"id": "a", "n": "x"}]}"#, "int_parsing", json!(["body", "data", 0, "n"])).await;
    let request = http::Request::post("/index").header("content-type", "text/plain");
    let answer = stage.ask(request.body(Body::from(BODY)).unwrap()).await;
    assert_eq!(answer.json()["detail"][0]["input"], BODY);
    let request = http::Request::post("/index").header("x-request-timeout", "soon");
    let answer = stage.ask(request.body(Body::from(BODY)).unwrap()).await;
    assert_eq!(answer.json()["detail"][0]["loc"], json!(["header", "x-request-timeout"]));
}

#[tokio::test]
async fn malformed_bodies_are_refused_in_well_formed_answers() {
    let stage = Stage::echo();
    let in_document = |text: &[u8]| [br#"{"data": [{"id": "a", "text": "#, text, b"}]}"].concat();
    let nested = "[".repeat(1_000_000).into_bytes();
    let bodies = [
        ("truncated", br#"{"data": [{"id": "a", "te"#.to_vec()),
        ("not UTF-8", in_document(b"\"\xff\xfe\"")),
        ("not UTF-8 where no text belongs", in_document(b"[\"\xff\"]")),
        ("a lone surrogate", in_document(br#""\ud800""#)),
        ("nested", nested.clone()),
        ("nested in a document", in_document(&nested)),
        ("nested in a field that nobody reads", [&br#"{"other": "#[..], &nested].concat()),
        ("not a number", br#"{"data": [{"id": "a", "n": NaN}]}"#.to_vec()),
        ("two values", br#"{"data": []} {}"#.to_vec()),
    ];
    for (case, body) in bodies {
        let answer = stage.post("/index", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{case}");
        assert!(answer.json()["detail"][0]["msg"].is_string(), "{case}");
    }
    // What was sent is repeated in the answer; this test could not read that.
    let answer = stage.post("/index", r#"{"data": [{"id": "a", "n": 1e999}]}"#).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((stage.admission.requests(), stage.admission.bytes()), (0, 0));
}
