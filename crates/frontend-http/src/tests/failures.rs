//! Failures and their codes.

use std::time::Duration;

use call::{ErrorCode, Message, Status};

use super::*;

const BODY: &str = r#"{"data": [], "header": {"request_id": "r"}}"#;

#[tokio::test]
async fn every_code_has_a_status_and_tells_why() {
    for (code, status) in [
        (ErrorCode::InvalidRequest, 400),
        (ErrorCode::NotFound, 503),
        (ErrorCode::Overloaded, 429),
        (ErrorCode::DeadlineExceeded, 504),
        (ErrorCode::Unavailable, 503),
        (ErrorCode::Unimplemented, 501),
        (ErrorCode::Cancelled, 499),
        (ErrorCode::Internal, 500),
    ] {
        let stage = Stage::new(move |_| std::future::ready(Err(Error::new(code, "the reason"))));
        let answer = stage.post("/index", BODY).await;
        assert_eq!(answer.status.as_u16(), status, "{code:?}");
        let header = answer.json()["header"].clone();
        assert_eq!(header["request_id"], "r");
        assert_eq!(
            (&header["status"]["code"], &header["status"]["description"]),
            (&json!(1), &json!("the reason"))
        );
    }
}

#[tokio::test]
async fn an_executors_exception_is_a_detail() {
    let stage = Stage::new(async |request: Request| {
        let status = Status { is_error: true, description: "ValueError('boom', 42)".into(), exception: None };
        let mut message = request.message;
        message.header.status = Some(Box::new(status));
        Ok(Response::One(message))
    });
    let answer = stage.post("/index", BODY).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json(), json!({"detail": "ValueError('boom', 42)"}));
}

#[tokio::test]
async fn documents_that_an_executor_finds_wrong_are_422() {
    let stage = Stage::new(async |request: Request| {
        let exception = call::Exception { name: "ValidationError".into(), ..call::Exception::default() };
        let description = "docs[0].views: out of range".into();
        let mut message = request.message;
        message.header.status =
            Some(Box::new(Status { is_error: true, description, exception: Some(exception) }));
        Ok(Response::One(message))
    });
    let answer = stage.post("/index", BODY).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = json!({"type": "value_error", "loc": ["body"], "msg": "docs[0].views: out of range"});
    assert_eq!(answer.json(), json!({"detail": [problem]}));
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_a_pause() {
    let echo = async |request: Request| Ok(Response::One(request.message));
    for limits in [Limits { requests: 0, ..Limits::default() }, Limits { bytes: 10, ..Limits::default() }] {
        let stage = Stage::with(Settings::default(), limits, echo);
        let answer = stage.post("/index", BODY).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"), "{limits:?}");
        assert_eq!((stage.admission.requests(), stage.admission.bytes()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up() {
    let stage = Stage::echo();
    let stalled = || Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    let request = http::Request::post("/index").body(stalled()).unwrap();
    assert_eq!(stage.ask(request).await.status, StatusCode::REQUEST_TIMEOUT);
    let request = http::Request::post("/index").header("x-request-timeout", "1").body(stalled()).unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(stage.ask(request).await.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(began.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_fault() {
    let stage = Stage::new(async |_| {
        let broken = vec![0x0a, 0x7f, 0x01].into();
        Ok(Response::One(Message { documents: Some(broken), ..Message::default() }))
    });
    let answer = stage.post("/index", BODY).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.json()["detail"].is_string());
}
