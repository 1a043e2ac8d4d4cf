//! Hosting: an executor made, bound to its endpoints and ready to answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytestring::ByteString;
use call::{Admission, DRY_RUN_ENDPOINT, Handler};
use docarray::discovery::Discovery;
use grpc::server::{DataCalls, Grpc, Offers};
use indexmap::IndexMap;
use info::Traffic;
use proto::jina::EndpointsProto;
use proto::jina::jina_discover_endpoints_rpc_server::{
    JinaDiscoverEndpointsRpc, JinaDiscoverEndpointsRpcServer,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tower::util::BoxCloneSyncService;
use tracing::{Instrument as _, Span};

use crate::batch::{self, BatchStats, Batcher, Rule};
use crate::calls::Calls;
use crate::endpoint::Bound;
use crate::gate::Gate;
use crate::memory::Memory;
use crate::outcome::Identity;
use crate::registry::Instance;
use crate::service::Service;
use crate::snapshot::Snapshots;
use crate::{
    BuildError, Entry, ExecutorSettings, Failure, Foreign, Replication, Setup, pass_through, traffic,
};

/// An executor that answers. Cloning is cheap.
#[derive(Clone)]
pub struct Hosted {
    pub(crate) service: Arc<Service>,
    pub(crate) instance: Arc<Instance>,
    discovery: Arc<Discovery>,
    admission: Admission,
    grpc: grpc::server::Settings,
    traffic: Traffic,
    pub(crate) snapshots: Snapshots,
    /// Who has writes made on all replicas, if somebody does.
    pub(crate) replication: Option<Arc<dyn Replication>>,
    /// The span that it was made in: what it logs belongs there.
    span: Span,
}

/// An executor that cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// `uses_requests` names a function that the executor does not have.
    #[error(
        "`uses_requests` binds {endpoint} to `{method}`, which executor {executor} does not have; it has {known}"
    )]
    UnknownMethod {
        /// The endpoint.
        endpoint: String,
        /// As configured.
        method: String,
        /// The class.
        executor: String,
        /// The functions that it does have.
        known: String,
    },
    /// An endpoint changes the state of replicas that are kept consistent while its answer is being sent.
    #[error(
        "endpoint {endpoint} is a write and streams its answers: that cannot be made on several replicas"
    )]
    StreamingWrite {
        /// The endpoint.
        endpoint: String,
    },
    /// Batching is configured for an endpoint or a function that the executor does not have.
    #[error("`uses_dynamic_batching` names `{key}`, which executor {executor} does not have; it has {known}")]
    UnknownBatching {
        /// As configured.
        key: String,
        /// The class.
        executor: String,
        /// The endpoints and functions that it does have.
        known: String,
    },
}

/// Makes the executor and binds its endpoints. May take as long as the executor's own code does.
///
/// # Errors
///
/// If it cannot be made as `settings` say.
pub fn host(entry: &Entry, settings: ExecutorSettings) -> Result<Hosted, HostError> {
    let setup = Setup::of(&settings, entry.class());
    let instance = entry.build(settings.uses_with.clone(), &setup)?;
    hosted(ByteString::from_static(entry.class()), instance, settings, 1)
}

/// Binds the endpoints of code that runs in other processes. How it is made, `uses_with` and the like, is those
/// processes' own; endpoints are bound again by `uses_requests`.
///
/// # Errors
///
/// If `uses_requests` names a function that it does not have.
pub fn host_foreign(foreign: Foreign, settings: ExecutorSettings) -> Result<Hosted, HostError> {
    let (class, parallel) = (foreign.class.clone(), foreign.parallel);
    // Those processes know what is configured, and say with each endpoint what came of it.
    let settings = ExecutorSettings { batching: IndexMap::new(), ..settings };
    hosted(class, foreign.into_instance(), settings, parallel)
}

fn hosted(
    class: ByteString,
    instance: Instance,
    settings: ExecutorSettings,
    parallel: usize,
) -> Result<Hosted, HostError> {
    let meta_name: Arc<str> = settings.meta_name.as_deref().unwrap_or(&class).into();
    let mut endpoints = rebind(instance.endpoints.clone(), &settings.uses_requests, &class)?;
    // It is told last, and an executor may have one of its own.
    let dry_run =
        endpoints.shift_remove(DRY_RUN_ENDPOINT).unwrap_or_else(|| Arc::new(pass_through::dry_run()));
    endpoints.insert(ByteString::from_static(DRY_RUN_ENDPOINT), dry_run);
    let identity = Identity { deployment: settings.deployment().into(), pod: settings.name.clone() };
    let max_blocking =
        parallel * if settings.allow_concurrent { settings.max_running.min(threads()) } else { 1 };
    let calls = Arc::new(Calls {
        gate: Gate::new(settings.max_running, settings.max_waiting),
        blocking_gate: Gate::new(max_blocking, settings.max_waiting),
        tasks: TaskTracker::new(),
        max_time: settings.max_call_time,
        memory: Arc::new(Memory::new(settings.memory_limit)),
        stuck: Arc::default(),
        exit: CancellationToken::new(),
    });
    let rules = batch::rules(&endpoints, &settings.batching, &class)?;
    let batcher = |(endpoint, rule): (ByteString, Rule)| {
        let batcher = Batcher {
            bound: endpoints.get(&endpoint)?.clone(),
            endpoint: endpoint.clone(),
            rule,
            calls: calls.clone(),
            meta_name: meta_name.clone(),
            max_waiting: settings.max_waiting,
            ending: settings.grpc.stop.clone(),
            state: batch::State::default(),
        };
        Some((endpoint, Arc::new(batcher)))
    };
    let service = Service {
        identity,
        class,
        batchers: rules.into_iter().filter_map(batcher).collect(),
        meta_name,
        calls,
        exit_on_exceptions: settings.exit_on_exceptions,
        endpoints,
    };
    let snapshots = Snapshots::new(instance.state.clone(), service.calls.tasks.clone());
    Ok(Hosted {
        discovery: Arc::new(discovery(&service.endpoints)),
        service: Arc::new(service),
        instance: Arc::new(instance),
        admission: Admission::new(settings.limits),
        traffic: Traffic::default(),
        snapshots,
        replication: None,
        span: Span::current(),
        grpc: settings.grpc,
    })
}

impl Hosted {
    /// Answers requests.
    #[must_use]
    pub fn handler(&self) -> Handler {
        let (service, traffic, span) = (self.service.clone(), self.traffic.clone(), self.span.clone());
        let replication = self.replication.clone();
        BoxCloneSyncService::new(tower::service_fn(move |request| {
            let (service, span, replication) = (service.clone(), span.clone(), replication.clone());
            let answer =
                async move |request| service.answer(request, replication.as_deref()).instrument(span).await;
            traffic::counted(traffic.clone(), request, answer)
        }))
    }

    /// The endpoints and their schemas.
    #[must_use]
    pub const fn discovery(&self) -> &Arc<Discovery> {
        &self.discovery
    }

    /// Everything that the port of an executor answers. `control` holds what is not the executor's own: health,
    /// reflection and status.
    #[must_use]
    pub fn grpc(&self, control: Routes) -> Grpc {
        let calls = DataCalls::new(self.handler(), self.admission.clone(), self.grpc.clone());
        let discovery = JinaDiscoverEndpointsRpcServer::new(Discover(self.discovery.clone()));
        let control = control.add_service(discovery);
        // The state of replicas that are kept consistent is set by their writes alone.
        let control = if self.replication.is_none() { self.snapshots.add_to(control) } else { control };
        Grpc::new(calls, Offers { single: true, list: true, stream: true }, control)
    }

    /// What came and went so far.
    #[must_use]
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The replica's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.service.identity.pod
    }

    /// The name of the executor's class.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.service.class
    }

    /// What is in flight.
    #[must_use]
    pub const fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Cancelled after an error that should end the process.
    #[must_use]
    pub fn exit(&self) -> &CancellationToken {
        &self.service.calls.exit
    }

    /// The batches that were made, by endpoint.
    #[must_use]
    pub fn batches(&self) -> IndexMap<ByteString, BatchStats> {
        let batchers = self.service.batchers.iter();
        batchers.map(|(endpoint, batcher)| (endpoint.clone(), batcher.stats())).collect()
    }

    /// Calls that were given up because they took too long or too much, and whose code still runs.
    #[must_use]
    pub fn stuck(&self) -> usize {
        self.service.calls.stuck.load(Ordering::Relaxed)
    }

    /// Watches over the memory limit, if there is one, for as long as it is polled.
    pub async fn watch(&self) -> std::convert::Infallible {
        self.service.calls.memory.watch().await
    }

    /// Waits for functions that still run, then lets the executor close. No request may come any more.
    ///
    /// # Errors
    ///
    /// If its code fails to.
    pub async fn close(&self) -> Result<(), Failure> {
        self.service.calls.tasks.close();
        self.service.calls.tasks.wait().await;
        (self.instance.close)().await
    }
}

impl std::fmt::Debug for Hosted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosted")
            .field("executor", &self.service.class)
            .field("endpoints", &self.discovery.endpoints.keys())
            .finish_non_exhaustive()
    }
}

/// How many functions may block at once where they may at all.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(4, |cpus| (cpus.get() + 4).min(32))
}

type Endpoints = IndexMap<ByteString, Arc<Bound>>;

/// Binds endpoints as `uses_requests` says. A function that is named there loses what the code bound it to.
fn rebind(
    mut endpoints: Endpoints,
    requests: &IndexMap<String, String>,
    executor: &str,
) -> Result<Endpoints, HostError> {
    let methods: Endpoints = endpoints.values().map(|bound| (bound.method.clone(), bound.clone())).collect();
    let named: HashSet<&str> = requests.values().map(String::as_str).collect();
    endpoints.retain(|_, bound| !named.contains(&*bound.method));
    for (endpoint, method) in requests {
        let bound = methods.get(&**method).ok_or_else(|| HostError::UnknownMethod {
            endpoint: endpoint.clone(),
            method: method.clone(),
            executor: executor.to_owned(),
            known: methods.keys().map(|method| &**method).collect::<Vec<_>>().join(", "),
        })?;
        endpoints.insert(endpoint.as_str().into(), bound.clone());
    }
    Ok(endpoints)
}

fn discovery(endpoints: &Endpoints) -> Discovery {
    let write = endpoints.iter().filter(|(_, bound)| bound.is_write).map(|(name, _)| name.clone());
    Discovery {
        write_endpoints: write.collect(),
        endpoints: endpoints.iter().map(|(name, bound)| (name.clone(), Some(bound.schema.clone()))).collect(),
    }
}

/// Answers discovery.
struct Discover(Arc<Discovery>);

#[tonic::async_trait]
impl JinaDiscoverEndpointsRpc for Discover {
    async fn endpoint_discovery(
        &self,
        _: tonic::Request<()>,
    ) -> Result<tonic::Response<EndpointsProto>, tonic::Status> {
        endpoints_proto(&self.0).map(tonic::Response::new)
    }
}

/// What an executor says of itself, as it goes over the wire.
///
/// # Errors
///
/// If the schemas are nested too deeply to be told.
pub fn endpoints_proto(discovery: &Discovery) -> Result<EndpointsProto, tonic::Status> {
    let schemas = <prost_types::Struct as prost::Message>::decode(discovery.schemas().wire().clone());
    let schemas = schemas.map_err(|error| tonic::Status::internal(error.to_string()))?;
    Ok(EndpointsProto {
        endpoints: discovery.endpoints.keys().map(ToString::to_string).collect(),
        write_endpoints: discovery.write_endpoints.iter().map(ToString::to_string).collect(),
        schemas: Some(schemas),
    })
}
