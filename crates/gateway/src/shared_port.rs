//! One port for several protocols, told apart request by request.
//!
//! The connection tells HTTP/1.1 from HTTP/2, by ALPN or by its first bytes, before a request comes here.

use std::convert::Infallible;
use std::pin::Pin;

use bytes::Bytes;
use grpc::server::Grpc;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;

/// Hands each request to the front end that it is for. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct SharedPort {
    pub(crate) grpc: Option<Grpc>,
    pub(crate) http: Option<frontend_http::Http>,
    pub(crate) websocket: Option<frontend_websocket::Port>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Plain = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;
type Body = Either<grpc::server::PortBody, Plain>;

impl SharedPort {
    /// The same for what comes over one more connection.
    pub(crate) fn for_connection(&self) -> Self {
        Self {
            grpc: self.grpc.as_ref().map(Grpc::for_connection),
            http: self.http.as_ref().map(frontend_http::Http::for_connection),
            websocket: self.websocket.clone(),
        }
    }

    /// gRPC is HTTP/2 of its own content type, a WebSocket connection begins with a request to become one. All
    /// else is plain HTTP, which the HTTP front end answers, or else the WebSocket one, which tells about the
    /// process.
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let Self { grpc, http, websocket } = self;
        if let Some(grpc) = grpc.filter(|_| is_grpc(&request)) {
            return grpc.answer(request).await.map(Either::Left);
        }
        let has_http = http.is_some();
        if let Some(websocket) = websocket.filter(|websocket| !has_http || websocket.is_for(&request)) {
            return websocket.answer(request).await.map(plain);
        }
        let Some(http) = http else { return unsupported() };
        let Ok(answer) = hyper::service::Service::call(&http, request).await;
        answer.map(plain)
    }
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    request.version() == Version::HTTP_2
        && content_type.and_then(|name| name.strip_prefix(b"application/grpc")).is_some_and(|rest| {
            // `application/grpc-web` is something else.
            matches!(rest.first(), None | Some(b'+' | b';' | b' '))
        })
}

fn plain<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Either::Right(body.map_err(Into::into).boxed_unsync())
}

/// What gRPC answers to a request of another content type.
fn unsupported() -> Response<Body> {
    let mut response = Response::new(plain(Full::default()));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

impl hyper::service::Service<Request<Incoming>> for SharedPort {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async { Ok(answer.await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: &str, version: Version, want: bool) {
        let request = Request::builder().version(version).header(CONTENT_TYPE, content_type).body(());
        assert_eq!(is_grpc(&request.expect("a request")), want, "{content_type} {version:?}");
    }

    #[test]
    fn grpc_is_http_2_of_its_own_content_type() {
        check("application/grpc", Version::HTTP_2, true);
        check("application/grpc+proto", Version::HTTP_2, true);
        check("application/grpc; charset=utf-8", Version::HTTP_2, true);
        check("application/grpc", Version::HTTP_11, false);
        check("application/grpc-web+proto", Version::HTTP_2, false);
        check("application/json", Version::HTTP_2, false);
    }
}
