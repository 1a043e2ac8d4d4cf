//! What another answers on the same port.

use std::convert::Infallible;
use std::fmt;

use axum::body::Body;
use axum::response::Response;
use call::Arrived;
use http::Request;
use http::request::Parts;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use crate::error::Failure;
use crate::receive::receive;
use crate::service::Worker;

/// A path, and who answers requests to it and below it. What came first stays: not even an executor's endpoint of that
/// path is reached. Bodies are received, and bounded, as for endpoints.
#[derive(Clone)]
pub struct Mounted {
    path: &'static str,
    service: BoxCloneSyncService<Request<Arrived>, Response, Infallible>,
}

impl Mounted {
    /// Puts `service` in the place of `path`.
    #[must_use]
    pub fn new<S>(path: &'static str, service: S) -> Self
    where
        S: Service<Request<Arrived>, Response = Response, Error = Infallible, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        Self { path, service: BoxCloneSyncService::new(service) }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        path.strip_prefix(self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(crate) async fn answer(self, worker: &Worker, parts: Parts, body: Body) -> Result<Response, Failure> {
        let arrived = receive(worker, &parts, body).await?;
        let request = Request::from_parts(parts, arrived);
        let Ok(response) = self.service.oneshot(request).await;
        Ok(response)
    }
}

impl fmt::Debug for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounted").field("path", &self.path).finish_non_exhaustive()
    }
}
