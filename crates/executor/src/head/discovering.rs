//! What a head says of its endpoints: what its executors say of theirs.

use std::sync::Arc;
use std::time::Duration;

use docarray::discovery::Discovery;
use executor_client::{Cluster, Role};
use proto::jina::EndpointsProto;
use proto::jina::jina_discover_endpoints_rpc_server::JinaDiscoverEndpointsRpc;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// `None` until everybody who is needed has answered.
pub(super) type Told = Option<Arc<Discovery>>;

/// Answers discovery.
pub(super) struct Discovering {
    told: watch::Receiver<Told>,
    cluster: Cluster,
    patience: Duration,
}

impl Discovering {
    pub(super) const fn new(told: watch::Receiver<Told>, cluster: Cluster, patience: Duration) -> Self {
        Self { told, cluster, patience }
    }

    /// Who has not answered yet, and why.
    fn missing(&self) -> Status {
        let reports = self.cluster.report();
        let missing = reports.iter().filter(|report| !report.answered).map(ToString::to_string);
        let missing: Vec<_> = missing.collect();
        Status::unavailable(format!("no endpoints are known yet|{}: {}", Role::Head, missing.join("; ")))
    }
}

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Discovering {
    async fn endpoint_discovery(&self, _: Request<()>) -> Result<Response<EndpointsProto>, Status> {
        let mut told = self.told.clone();
        let known = told.wait_for(Option::is_some);
        match tokio::time::timeout(self.patience, known).await {
            Ok(Ok(told)) => match &*told {
                Some(discovery) => executor_runtime::endpoints_proto(discovery).map(Response::new),
                None => Err(self.missing()),
            },
            // Nobody will tell any more, or nobody has so far.
            Ok(Err(_)) | Err(_) => Err(self.missing()),
        }
    }
}
