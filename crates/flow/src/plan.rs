//! Who runs which deployment; and everything that is wrong with a Flow, at once.

use std::fmt;

use config::{Deployment, FlowSpec, Uses, Warning};
use executor_runtime::Registry;
use routing::{Graph, GraphSpec};

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

/// The graph, and a line for each deployment.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.graph)?;
        for (deployment, runner) in self.deployments() {
            self.describe(deployment, runner, f)?;
        }
        Ok(())
    }
}

impl Plan {
    fn describe(&self, deployment: &Deployment, runner: Runner, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = &self.spec.gateway.graph;
        let Deployment { name, executor, .. } = deployment;
        write!(f, "\n{name}: ")?;
        match &executor.uses {
            _ if runner == Runner::Elsewhere => {
                let addresses = graph.addresses.get(name).into_iter().flatten();
                let addresses: Vec<_> = addresses.map(ToString::to_string).collect();
                write!(f, "external, {}", addresses.join(", "))?;
            }
            Uses::PassThrough => f.write_str("hands documents through")?,
            Uses::Name(uses) | Uses::Image(uses) | Uses::Hub(uses) => f.write_str(uses)?,
            Uses::File { path, name } => write!(f, "{name} of {}", path.display())?,
        }
        match runner {
            Runner::InProcess => f.write_str(", in this process")?,
            Runner::Python => f.write_str(", in Python")?,
            Runner::Container => f.write_str(", in a container")?,
            Runner::Elsewhere => {}
        }
        if executor.shards > 1 && runner != Runner::Elsewhere {
            write!(f, ", {} shards", executor.shards)?;
        }
        if executor.replicas > 1 && runner != Runner::Elsewhere {
            write!(f, ", {} replicas", executor.replicas)?;
        }
        if let Some(condition) = graph.conditions.get(name) {
            write!(f, ", when {condition}")?;
        }
        if graph.no_reduce.contains(name) {
            f.write_str(", inputs not merged")?;
        }
        if deployment.floating {
            f.write_str(", floating")?;
        }
        Ok(())
    }
}

/// Who runs `deployment`, or what about it nobody can.
fn runner(deployment: &Deployment, registry: &Registry) -> Result<Runner, &'static str> {
    if deployment.external.is_some() {
        return Ok(Runner::Elsewhere);
    }
    let beside = [&deployment.uses_before, &deployment.uses_after];
    for executor in beside.into_iter().flatten() {
        runner_of(&executor.uses, registry)?;
    }
    runner_of(&deployment.executor.uses, registry)
}

/// Who runs the executor that `uses` names, or what about it nobody can.
pub(crate) fn runner_of(uses: &Uses, registry: &Registry) -> Result<Runner, &'static str> {
    match uses {
        Uses::PassThrough => Ok(Runner::InProcess),
        Uses::Name(name) | Uses::File { name, .. } if registry.get(name).is_some() => Ok(Runner::InProcess),
        Uses::Name(_) | Uses::File { .. } => Ok(Runner::Python),
        Uses::Image(_) => Ok(Runner::Container),
        Uses::Hub(_) => Err("an executor from the Hub"),
    }
}
