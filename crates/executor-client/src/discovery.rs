//! Asking executors for their endpoints.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytestring::ByteString;
use call::wire::{Malformed, Reader};
use call::{Deadline, Parameters, Payload};
use docarray::discovery::{Discovery, InvalidDiscovery};
use grpc::Encoding;
use grpc::client::{CallError, Connection, Message, Outgoing};
use http::HeaderMap;
use http::uri::PathAndQuery;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing::{debug, info};

use crate::cluster::Discoveries;
use crate::error::{Chain, Failure};
use crate::link::Link;
use crate::node::Node;

/// The service that tells endpoints.
const DISCOVERY: &str = "jina.JinaDiscoverEndpointsRPC";
/// The service that takes one request; peers without it take a stream of requests.
const SINGLE: &str = "jina.JinaSingleDataRequestRPC";

/// How long to wait before an executor that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Why an executor could not be asked.
#[derive(Debug, thiserror::Error)]
enum DiscoveryError {
    #[error("{0}")]
    Failed(Failure),
    #[error("the answer cannot be understood")]
    Invalid(#[from] InvalidDiscovery),
    #[error("there was no answer within {0:?}")]
    TimedOut(Duration),
}

impl From<Failure> for DiscoveryError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<CallError> for DiscoveryError {
    fn from(error: CallError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Malformed> for DiscoveryError {
    fn from(error: Malformed) -> Self {
        Self::Failed(error.into())
    }
}

/// Asks the executor until it answers, and again whenever one of its replicas was reached anew: it may have
/// been replaced by one with other endpoints.
pub(crate) async fn discover(
    node: Arc<Node>,
    index: usize,
    publish: Arc<watch::Sender<Discoveries>>,
    stop: CancellationToken,
) {
    let asking = async {
        let mut reached = node.executor.reached.subscribe();
        loop {
            let replica = reached.borrow_and_update().clone();
            let link = replica.and_then(|replica| node.link_to(&replica));
            let executor = &node.executor.name;
            match ask_one(&node, link).await {
                Ok(discovery) => {
                    node.executor.undiscovered.store(None);
                    tell(&publish, index, discovery, executor);
                    // The sender is the executor's, which this task holds.
                    let _never_closed = reached.changed().await;
                }
                Err(error) => {
                    let error = Chain(&error).to_string();
                    debug!(%executor, error, "executor does not tell its endpoints");
                    node.executor.undiscovered.store(Some(Arc::new(error)));
                    tokio::select! {
                        () = tokio::time::sleep(AGAIN) => {}
                        _ = reached.changed() => {}
                    }
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = asking => {}
    }
}

fn tell(
    publish: &watch::Sender<Discoveries>,
    index: usize,
    discovery: Discovery,
    executor: &call::ExecutorName,
) {
    publish.send_if_modified(|discoveries| {
        if discoveries[index].as_deref() == Some(&discovery) {
            return false;
        }
        let endpoints: Vec<_> = discovery.endpoints.keys().map(|name| &**name).collect();
        info!(%executor, ?endpoints, "executor told its endpoints");
        let mut all = discoveries.to_vec();
        all[index] = Some(Arc::new(discovery));
        *discoveries = all.into();
        true
    });
}

/// Asks the replica behind `link`, or any.
async fn ask_one(node: &Node, link: Option<Arc<Link>>) -> Result<Discovery, DiscoveryError> {
    let allowed = node.worker.settings.discovery_timeout;
    let deadline = Deadline::after(allowed);
    if link.is_none() {
        node.populated(deadline).await?;
    }
    let link = link.or_else(|| node.choose(|_| Some(0))).ok_or(DiscoveryError::TimedOut(allowed))?;
    deadline.bound(ask(&link, deadline)).await.unwrap_or(Err(DiscoveryError::TimedOut(allowed)))
}

async fn ask(link: &Arc<Link>, deadline: Deadline) -> Result<Discovery, DiscoveryError> {
    let connection = link.connection().await.map_err(Failure::Connect)?;
    let headers = &link.executor.headers;
    let services = match list_services(&connection, headers.clone(), deadline).await {
        // Without reflection the only way to learn what is served is to call it.
        Err(DiscoveryError::Failed(Failure::Call(CallError::Status(status))))
            if status.code == Code::Unimplemented =>
        {
            None
        }
        services => Some(services.inspect_err(|error| retire_stale(link, &connection, error))?),
    };
    let lists = |name: &str| services.as_ref().is_none_or(|services| services.iter().any(|s| &**s == name));
    link.executor.offers_single.store(lists(SINGLE), Ordering::Relaxed);
    if !lists(DISCOVERY) {
        return Ok(Discovery::unknown());
    }
    match endpoints(&connection, headers.clone(), deadline).await {
        Err(DiscoveryError::Failed(Failure::Call(CallError::Status(status))))
            if status.code == Code::Unimplemented =>
        {
            Ok(Discovery::unknown())
        }
        discovery => discovery,
    }
}

fn retire_stale(link: &Link, connection: &Arc<Connection>, error: &DiscoveryError) {
    if let DiscoveryError::Failed(Failure::Call(error)) = error
        && error.never_began()
        && !error.is_reset()
    {
        link.retire(connection);
    }
}

/// Asks server reflection which services there are: one request, then the last answer before the end counts.
async fn list_services(
    connection: &Connection,
    headers: HeaderMap,
    deadline: Deadline,
) -> Result<Vec<ByteString>, DiscoveryError> {
    /// `list_services` in `ServerReflectionRequest`.
    const LIST: [u8; 2] = [0x3a, 0];
    /// `list_services_response` in `ServerReflectionResponse`.
    const LISTED: u32 = 6;
    let path = PathAndQuery::from_static(grpc::path::REFLECTION);
    let (mut outbox, reply) = connection.open(path, headers, deadline, Encoding::Identity).await?;
    outbox.send(Payload::from(LIST.to_vec())).await?;
    outbox.finish()?;
    let mut reply = reply.await?;
    let mut services = Vec::new();
    while let Some(wire) = reply.next().await? {
        let mut response = Reader::new(wire);
        while let Some(field) = response.next()? {
            if field.number == LISTED {
                services = names(field.bytes()?)?;
            }
        }
    }
    Ok(services)
}

/// The names in a `ListServiceResponse`.
fn names(wire: Payload) -> Result<Vec<ByteString>, Malformed> {
    let mut names = Vec::new();
    let mut list = Reader::new(wire);
    while let Some(service) = list.next()? {
        let mut service = Reader::new(service.bytes()?);
        while let Some(field) = service.next()? {
            if field.number == 1 {
                names.push(field.text()?);
            }
        }
    }
    Ok(names)
}

/// Asks for the endpoints.
async fn endpoints(
    connection: &Connection,
    headers: HeaderMap,
    deadline: Deadline,
) -> Result<Discovery, DiscoveryError> {
    let outgoing = Outgoing {
        path: PathAndQuery::from_static(grpc::path::ENDPOINT_DISCOVERY),
        headers,
        deadline,
        message: Message::Encode(Encoding::Identity, Payload::new()),
    };
    let (wire, _trailers) = connection.call(outgoing).await?.only().await?;
    let (mut endpoints, mut write_endpoints) = (Vec::new(), Vec::new());
    let mut schemas = Parameters::default();
    let mut reader = Reader::new(wire);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => endpoints.push(field.text()?),
            2 => write_endpoints.push(field.text()?),
            3 => schemas = Parameters::from_wire(field.bytes()?.into_bytes()),
            _ => {}
        }
    }
    Ok(Discovery::read(endpoints, write_endpoints, &schemas)?)
}
