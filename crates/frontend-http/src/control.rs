//! What is asked of the process itself.

use axum::response::{IntoResponse as _, Response};
use call::{Request, Status};
use docarray::envelope::put_status;
use http::StatusCode;
use http::request::Parts;
use info::{Health, Report};
use tower::ServiceExt as _;

use crate::answer::json;
use crate::error::Failure;
use crate::head;
use crate::service::Worker;

/// An empty object while the process takes requests.
pub(crate) fn health(health: &Health) -> Response {
    if health.is_ready() {
        return json("{}");
    }
    (StatusCode::SERVICE_UNAVAILABLE, json("{\"detail\":\"Not ready\"}")).into_response()
}

/// Versions and environment.
pub(crate) fn status(report: &Report) -> Response {
    // A map of texts is always JSON.
    json(serde_json::to_vec(&report.read()).unwrap_or_default())
}

/// One document passes through the whole Flow; how that went is in the body, the status is success.
pub(crate) async fn dry_run(worker: &Worker, parts: &Parts) -> Result<Response, Failure> {
    let context = head::context(parts, &worker.shared.settings)?;
    let request = Request { message: docarray::dry_run(), context, ..Request::default() };
    let ran = match worker.admission(parts).admit() {
        Ok(_admitted) => worker.handler.clone().oneshot(request).await.map(drop),
        Err(overload) => Err(overload.into()),
    };
    let status = ran.as_ref().map_or_else(Status::from, |()| Status::default());
    let mut body = Vec::new();
    put_status(&status, &mut body);
    Ok(json(body))
}
