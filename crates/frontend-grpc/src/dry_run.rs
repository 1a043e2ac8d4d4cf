//! The dry run: one document that passes through the whole Flow and does nothing.

use std::error::Error as _;

use bytestring::ByteString;
use call::{Admission, Context, Deadline, Error, ErrorCode, Handler, Header, Message, Payload, Request};
use docarray::{Node, node};
use proto::jina::StatusProto;
use proto::jina::jina_gateway_dry_run_rpc_server::JinaGatewayDryRunRpc;
use proto::jina::status_proto::{ExceptionProto, StatusCode};
use tonic::{Response, Status};
use tower::ServiceExt as _;

/// Sends it.
pub(crate) struct DryRun {
    pub(crate) handler: Handler,
    pub(crate) admission: Admission,
}

#[tonic::async_trait]
impl JinaGatewayDryRunRpc for DryRun {
    /// The call itself succeeds either way; how the Flow fared is in the answer. What an executor answers
    /// does not matter, only that it does.
    async fn dry_run(&self, asked: tonic::Request<()>) -> Result<Response<StatusProto>, Status> {
        let allowed =
            asked.metadata().get("grpc-timeout").and_then(|value| grpc::timeout::parse(value.as_bytes()));
        let deadline = allowed.map_or(Deadline::NEVER, Deadline::after);
        let status = match self.run(deadline).await {
            Ok(()) => StatusProto::default(),
            Err(error) => failure(&error),
        };
        Ok(Response::new(status))
    }
}

impl DryRun {
    async fn run(&self, deadline: Deadline) -> Result<(), Error> {
        let _admitted = self.admission.admit()?;
        let header = Header {
            request_id: call::new_id(),
            endpoint: Some(ByteString::from_static(call::DRY_RUN_ENDPOINT)),
            ..Header::default()
        };
        let message = Message { header, documents: Some(blank_document()), ..Message::default() };
        let context = Context { deadline, ..Context::default() };
        let request = Request { message, context, ..Request::default() };
        self.handler.clone().oneshot(request).await.map(drop)
    }
}

/// A list of one document that has only an id.
fn blank_document() -> Payload {
    let mut docs = Vec::new();
    node::put_item(&mut docs, |doc| {
        node::put_field(doc, "id", |id| Node::Text(call::new_id()).write(Some("id"), id));
    });
    node::content(Payload::from(docs))
}

fn failure(error: &Error) -> StatusProto {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let exception = ExceptionProto {
        name: class(error.code).to_owned(),
        stacks: causes.map(ToString::to_string).collect(),
        ..ExceptionProto::default()
    };
    StatusProto { code: StatusCode::Error.into(), description: error.to_string(), exception: Some(exception) }
}

/// The exception that Python clients know such a failure by.
const fn class(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Unavailable | ErrorCode::DeadlineExceeded | ErrorCode::NotFound => "InternalNetworkError",
        ErrorCode::InvalidRequest => "ValueError",
        ErrorCode::Unimplemented => "NotImplementedError",
        ErrorCode::Cancelled => "CancelledError",
        ErrorCode::Overloaded | ErrorCode::Internal => "RuntimeError",
    }
}
