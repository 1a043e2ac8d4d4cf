//! Who runs which deployment; and everything that is wrong with a Flow, at once.

mod live;
mod text;

use std::sync::Arc;

use config::{Deployment, ExecutorSpec, FlowSpec, Uses, Warning};
use docarray::discovery::Discovery;
use executor_runtime::Registry;
use routing::{Graph, GraphSpec};

pub use live::{Live, Node, Said};

use crate::place::has_head;
use crate::{Error, Problem};

/// A Flow that has been checked.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) spec: FlowSpec,
    pub(crate) runners: Vec<Runner>,
    pub(crate) registry: Registry,
    graph: Graph,
    warnings: Vec<Warning>,
}

/// Who runs a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// This process.
    InProcess,
    /// A process of the user's `jina`.
    Python,
    /// This process, and workers of the user's Python.
    Workers,
    /// A container of the user's `docker`.
    Container,
    /// Somebody else.
    Elsewhere,
}

impl Plan {
    pub(crate) fn new(spec: FlowSpec, warnings: Vec<Warning>, registry: Registry) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let graph = &spec.gateway.graph;
        let graph = GraphSpec {
            description: graph.description.clone(),
            conditions: graph.conditions.clone(),
            no_reduce: graph.no_reduce.clone(),
        };
        let graph =
            Graph::check(&graph).map_err(|found| problems.extend(found.into_iter().map(Problem::Graph)));
        let mut runners = Vec::with_capacity(spec.deployments.len());
        for deployment in &spec.deployments {
            match runner(deployment, &registry) {
                Ok(runner) => runners.push(runner),
                Err(what) => {
                    problems.push(Problem::Unsupported { deployment: deployment.name.clone(), what });
                }
            }
        }
        if !spec.has_gateway {
            let in_parts = spec.deployments.iter().filter(|deployment| has_head(deployment));
            problems.extend(in_parts.map(|deployment| Problem::Unsupported {
                deployment: deployment.name.clone(),
                what: "shards without a gateway before them",
            }));
        }
        if let Ok(graph) = &graph {
            let known = known(graph, &spec.deployments, &registry);
            problems.extend(graph.check_schemas(&known).into_iter().map(Problem::Graph));
        }
        match graph {
            Ok(graph) if problems.is_empty() => Ok(Self { spec, runners, registry, graph, warnings }),
            _ => Err(Error::Problems(problems)),
        }
    }

    /// What was written, with every default filled in.
    #[must_use]
    pub const fn spec(&self) -> &FlowSpec {
        &self.spec
    }

    /// The compiled graph.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What stops nothing, but should be known.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The deployments and who runs them, in the order in which they were added.
    pub fn deployments(&self) -> impl Iterator<Item = (&Deployment, Runner)> {
        self.spec.deployments.iter().zip(self.runners.iter().copied())
    }
}

/// Who runs `deployment`, or what about it nobody can.
fn runner(deployment: &Deployment, registry: &Registry) -> Result<Runner, &'static str> {
    if deployment.external.is_some() {
        return Ok(Runner::Elsewhere);
    }
    let beside = [&deployment.uses_before, &deployment.uses_after];
    for executor in beside.into_iter().flatten() {
        runner_of(executor, registry)?;
    }
    let runner = runner_of(&deployment.executor, registry)?;
    let is_ours = matches!(runner, Runner::InProcess | Runner::Workers);
    if deployment.executor.stateful.is_some() && !is_ours {
        return Err("`stateful` with an executor that another program runs");
    }
    Ok(runner)
}

/// Who runs an executor, or what about it nobody can.
pub(crate) fn runner_of(executor: &ExecutorSpec, registry: &Registry) -> Result<Runner, &'static str> {
    match &executor.uses {
        Uses::PassThrough => Ok(Runner::InProcess),
        Uses::Name(name) | Uses::File { name, .. } if registry.get(name).is_some() => Ok(Runner::InProcess),
        Uses::Name(_) | Uses::File { .. } if executor.python.is_some() => Ok(Runner::Workers),
        Uses::Name(_) | Uses::File { .. } => Ok(Runner::Python),
        Uses::Image(_) => Ok(Runner::Container),
        Uses::Hub(_) => Err("an executor from the Hub"),
    }
}

/// What the executors of this program say of themselves, in the order of the graph. Those of others tell only once they
/// run, and what stands before or after shards takes or returns something else than they do.
fn known(graph: &Graph, deployments: &[Deployment], registry: &Registry) -> Vec<Option<Arc<Discovery>>> {
    let of_name = |name: &str| deployments.iter().find(|deployment| deployment.name == name);
    let tell = |deployment: &Deployment| {
        let Deployment { executor, external, uses_before, uses_after, .. } = deployment;
        if external.is_some() || uses_before.is_some() || uses_after.is_some() {
            return None;
        }
        let (Uses::Name(name) | Uses::File { name, .. }) = &executor.uses else { return None };
        Some(Arc::new(registry.get(name)?.discovery(&executor.uses_requests)))
    };
    graph.nodes().map(|(_, name)| of_name(name.as_str()).and_then(tell)).collect()
}
