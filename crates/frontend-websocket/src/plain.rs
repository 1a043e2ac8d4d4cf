//! Plain HTTP on the port: what the process says of itself.

use bytes::Bytes;
use call::Status;
use docarray::envelope;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use crate::dry_run;
use crate::port::Port;

/// Answers a request that does not want to become a connection.
pub(crate) async fn answer(port: &Port, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if !matches!(path, "/" | "/status" | "/dry_run") {
        return detail(StatusCode::NOT_FOUND, "Not Found");
    }
    if method != Method::GET {
        let mut response = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    match path {
        "/status" => match serde_json::to_vec(&port.shared.report.read()) {
            Ok(report) => json(StatusCode::OK, report),
            Err(error) => detail(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
        "/dry_run" => {
            let outcome = dry_run::run(port.handler.clone(), &port.shared.admission).await;
            let status = outcome.err().map(|error| Status::from(&error)).unwrap_or_default();
            let mut body = Vec::new();
            envelope::put_status(&status, &mut body);
            json(StatusCode::OK, body)
        }
        _ if port.shared.health.is_ready() => json(StatusCode::OK, "{}"),
        _ => detail(StatusCode::SERVICE_UNAVAILABLE, "Not ready"),
    }
}

fn detail(status: StatusCode, sentence: &str) -> Response<Full<Bytes>> {
    let mut body = Vec::new();
    envelope::put_detail(sentence, &mut body);
    json(status, body)
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
