//! **The** list of layers that every request passes through, whatever protocol it came by.

mod catch_panic;
mod deadline;
mod explain;
mod trace;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use call::{Answer, Error, Handler, Hop};
use executor_client::Cluster;
use info::Traffic;
use routing::{Dispatch, Endpoints, Graph, Layout, Sharding, Tasks};
use tower::{Service, ServiceBuilder};

use catch_panic::CatchPanicLayer;
use deadline::DeadlineLayer;
use explain::ExplainLayer;
use trace::TraceLayer;
use traffic::TrafficLayer;

/// What the stacks of all workers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) graph: Arc<Graph>,
    pub(crate) endpoints: Endpoints,
    pub(crate) layout: Layout,
    pub(crate) cluster: Cluster,
    pub(crate) tasks: Tasks,
    pub(crate) traffic: Traffic,
    pub(crate) max_timeout: Option<Duration>,
}

/// The handler of one worker, whose executors are reached through `pool`.
///
/// Admission stands before the stack, in the front ends: it counts bytes while they arrive. Retries, balance
/// and connections stand behind it, in the pool.
pub(crate) fn stack<P>(shared: &Shared, pool: P) -> Handler
where
    P: Service<Hop, Response = Answer, Error = Error, Future: Send> + Clone + Send + Sync + 'static,
{
    // Nearest to the pool, so that tries of the same call count once.
    let pool = ServiceBuilder::new().layer(TrafficLayer { traffic: shared.traffic.clone() }).service(pool);
    let Shared { graph, endpoints, layout, cluster, tasks, .. } = shared.clone();
    let explain = ExplainLayer { pool: pool.clone(), cluster, executors: layout.members().len() };
    // Below the graph, which knows nodes, and above the count, which is of calls to executors.
    let pool = Sharding::new(layout, pool);
    let stack = ServiceBuilder::new()
        // Outermost: it sees how each request ends, panics and deadlines included.
        .layer(TraceLayer)
        // Around everything that could panic for one request.
        .layer(CatchPanicLayer)
        // Around the deadline, because it needs some of the time of a dry run for itself.
        .layer(explain)
        // Around routing as a whole: the time is for all executors together.
        .layer(DeadlineLayer { max: shared.max_timeout })
        .service(Dispatch::new(graph, endpoints, pool, tasks));
    Handler::new(stack)
}
