//! What happens between the start of a gateway and its readiness, and what keeps it up to date afterwards.

use std::sync::Arc;
use std::time::Duration;

use docarray::discovery::{Catalog, Discovery, Participant};
use executor_client::{Cluster, Discoveries};
use info::Latch;
use routing::{Endpoints, Graph, Layout};
use server::{DrainHandle, HttpOptions, Workers, tls};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::StartError;
use crate::door::{Door, Opener};
use crate::running::Failure;

/// Follows what executors say of themselves. When all have answered, it opens the ports.
pub(crate) struct Opening {
    pub(crate) doors: Vec<Door>,
    pub(crate) tls: Option<tls::Acceptor>,
    pub(crate) http: HttpOptions,
    pub(crate) workers: Arc<Workers>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) layout: Layout,
    pub(crate) endpoints: Endpoints,
    pub(crate) catalog: Catalog,
    pub(crate) cluster: Cluster,
    pub(crate) latch: Latch,
}

/// How often the log says whom the gateway waits for.
const REMINDER: Duration = Duration::from_secs(5);

impl Opening {
    /// Runs until the process drains. A failure is left in `failure` and drains it.
    pub(crate) fn spawn(self, drain: &DrainHandle, failure: Failure) {
        let stop = drain.token().clone();
        let opening = self.run(drain.clone());
        drain.spawn_until_stop(async move {
            if let Err(error) = opening.await {
                // Nobody else sets it.
                let _first = failure.set(error);
                stop.cancel();
            }
        });
    }

    async fn run(self, drain: DrainHandle) -> Result<(), StartError> {
        let Self { doors, tls, http, workers, graph, layout, endpoints, catalog, cluster, latch } = self;
        let mut discoveries = cluster.discoveries();
        let known = Known { graph, layout, endpoints, catalog };
        while !known.update(&mut discoveries) {
            tokio::select! {
                changed = discoveries.changed() => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep(REMINDER) => remind(&cluster),
            }
        }
        let problems = known.problems();
        if !problems.is_empty() {
            return Err(StartError::Schemas(problems));
        }
        let opener = Opener { tls, http, workers, drain };
        for door in doors {
            door.open(&opener)?;
        }
        latch.set();
        info!("Gateway started");
        known.follow(discoveries).await;
        Ok(())
    }
}

/// Says whom the gateway waits for, and why they do not answer.
fn remind(cluster: &Cluster) {
    for report in cluster.report().iter().filter(|report| !report.answered) {
        warn!(%report, "waiting for an executor");
    }
}

/// Where what executors say of themselves is kept.
struct Known {
    graph: Arc<Graph>,
    layout: Layout,
    endpoints: Endpoints,
    catalog: Catalog,
}

impl Known {
    /// Takes over what is known now; whether that is everything.
    fn update(&self, discoveries: &mut watch::Receiver<Discoveries>) -> bool {
        let found = discoveries.borrow_and_update().clone();
        let of_nodes = self.layout.update(&found);
        let mut participants = Vec::with_capacity(of_nodes.len());
        for ((node, _), discovery) in self.graph.nodes().zip(&of_nodes) {
            if let Some(discovery) = discovery {
                self.endpoints.set(node, discovery.clone());
                participants.push(Participant { discovery, answers: !self.graph.is_floating(node) });
            }
        }
        self.catalog.set(Discovery::of_flow(&participants));
        found.iter().all(Option::is_some)
    }

    fn problems(&self) -> Vec<routing::Problem> {
        self.graph.check_schemas(&self.endpoints.all())
    }

    /// Keeps it up to date. Executors that come back with other schemas do not end a gateway that serves; each problem is
    /// told once for as long as it lasts.
    async fn follow(&self, mut discoveries: watch::Receiver<Discoveries>) {
        let mut told = Vec::new();
        while discoveries.changed().await.is_ok() {
            self.update(&mut discoveries);
            let problems = self.problems();
            for problem in problems.iter().filter(|problem| !told.contains(*problem)) {
                warn!(%problem, "executors do not fit together any more");
            }
            told = problems;
        }
    }
}
