//! The dry run: one document that passes through the whole Flow and does nothing.

use call::{Admission, Context, Deadline, Error, Handler, Request};
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
        let context = Context { deadline, ..Context::default() };
        let request = Request { message: docarray::dry_run(), context, ..Request::default() };
        self.handler.clone().oneshot(request).await.map(drop)
    }
}

fn failure(error: &Error) -> StatusProto {
    let status = call::Status::from(error);
    let exception = status.exception.map(|exception| ExceptionProto {
        name: exception.name.into(),
        stacks: exception.stacks.into_iter().map(Into::into).collect(),
        ..ExceptionProto::default()
    });
    StatusProto { code: StatusCode::Error.into(), description: status.description.into(), exception }
}
