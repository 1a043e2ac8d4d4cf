//! Everything that a port which speaks gRPC answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::service::Routes;
use tower::Service as _;

use super::body::Body;
use super::{DataCalls, Incoming};
use crate::path;

/// The data calls that a port offers; those left out are answered UNIMPLEMENTED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// `Call` and `process_single_data`, which every role offers.
    pub single: bool,
    /// `process_data`: the parts of a join that is not merged. Gateways do not offer it.
    pub list: bool,
    /// `stream_doc`: heads do not offer it.
    pub stream: bool,
}

/// Answers data calls by [`DataCalls`] and control calls by tonic. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Grpc {
    calls: DataCalls,
    offers: Offers,
    control: Routes,
}

impl Grpc {
    /// Data calls as far as they are offered, `control` for all others.
    #[must_use]
    pub const fn new(calls: DataCalls, offers: Offers, control: Routes) -> Self {
        Self { calls, offers, control }
    }

    /// The same for what comes over one more connection, which gets no more than its share.
    #[must_use]
    pub fn for_connection(&self) -> Self {
        Self { calls: self.calls.for_connection(), ..self.clone() }
    }

    /// Answers one request.
    pub async fn answer<B: Incoming>(mut self, request: Request<B>) -> Response<PortBody> {
        let Offers { single, list, stream } = self.offers;
        let answer = match request.uri().path() {
            path::PROCESS_SINGLE_DATA if single => self.calls.process_single_data(request).await,
            path::CALL if single => self.calls.call(request),
            path::PROCESS_DATA if list => self.calls.process_data(request).await,
            path::STREAM_DOC if stream => self.calls.stream_doc(request).await,
            _ => {
                let Ok(answer) = self.control.call(request).await;
                return answer.map(PortBody::Control);
            }
        };
        answer.map(PortBody::Data)
    }
}

impl<B: Incoming> tower::Service<Request<B>> for Grpc {
    type Response = Response<PortBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async { Ok(answer.await) })
    }
}

impl<B: Incoming> hyper::service::Service<Request<B>> for Grpc {
    type Response = Response<PortBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let answer = self.clone().answer(request);
        Box::pin(async { Ok(answer.await) })
    }
}

/// The body of an answer.
#[derive(Debug)]
pub enum PortBody {
    /// To a data call.
    Data(Body),
    /// To any other.
    Control(tonic::body::Body),
}

impl http_body::Body for PortBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Data(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Control(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Data(body) => body.is_end_stream(),
            Self::Control(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Data(body) => body.size_hint(),
            Self::Control(body) => body.size_hint(),
        }
    }
}
