//! Asking the executors of a Flow that run already whether they fit together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use call::ExecutorName;
use config::{Address, Deployment, Port, Protocol, Uses};
use docarray::discovery::Discovery;

use super::{Plan, Runner, known};
use crate::{Error, Problem};

/// What the executors of a Flow say of themselves.
#[derive(Debug)]
pub struct Live {
    /// Each, in the order of the graph.
    pub nodes: Vec<Node>,
    /// Where they do not fit together, as far as they are known.
    pub problems: Vec<Problem>,
}

/// One executor.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name in the graph.
    pub name: ExecutorName,
    /// What is known of it.
    pub said: Said,
}

/// What is known of an executor.
#[derive(Debug, Clone)]
pub enum Said {
    /// It runs, and tells this.
    This(Arc<Discovery>),
    /// It is one of this program, which knows without asking.
    Known,
    /// It did not answer.
    Nothing {
        /// Where it was looked for, and what failed.
        why: String,
    },
    /// The Flow does not say where it could be asked.
    Nowhere,
}

impl Plan {
    /// Asks every executor whose address the Flow tells, by itself or by a port, and checks neighbours by the answers.
    /// Executors of this program are known without asking.
    ///
    /// # Errors
    ///
    /// If an executor can never be called.
    pub async fn ask(&self, allowed: Duration) -> Result<Live, Error> {
        let names: Vec<_> = self.graph.nodes().map(|(_, name)| name).collect();
        let mut known = known(&self.graph, &self.spec.deployments, &self.registry);
        let mut nodes: Vec<_> = names
            .iter()
            .zip(&known)
            .map(|(name, known)| Node {
                name: (*name).clone(),
                said: if known.is_some() { Said::Known } else { Said::Nowhere },
            })
            .collect();
        let mut gateway = self.spec.gateway.clone();
        let (mut asked, mut places) = (Vec::new(), Vec::new());
        for (place, node) in nodes.iter_mut().enumerate() {
            let of_name = |(deployment, _): &(&Deployment, Runner)| deployment.name == node.name.as_str();
            let Some((deployment, runner)) = self.deployments().find(of_name) else { continue };
            if hands_through(deployment, runner) {
                node.said = Said::Known;
            }
            if matches!(node.said, Said::Known) {
                continue;
            }
            let addresses = match runner {
                Runner::Elsewhere => {
                    gateway.graph.addresses.get(&deployment.name).cloned().unwrap_or_default()
                }
                _ => addresses(deployment),
            };
            if !addresses.is_empty() {
                gateway.graph.addresses.insert(deployment.name.clone(), addresses);
                asked.push(node.name.clone());
                places.push(place);
            }
        }
        let settings = gateway::Settings::try_from(gateway)
            .map_err(|error| Error::Problems(vec![Problem::Gateway(error)]))?;
        let answers = gateway::ask(&settings, &asked, allowed).await;
        let answers = answers.map_err(|source| Error::Ask { source: source.into() })?;
        for (place, answer) in places.into_iter().zip(answers) {
            nodes[place].said = match answer {
                Ok(discovery) => {
                    known[place] = Some(discovery.clone());
                    Said::This(discovery)
                }
                Err(report) => Said::Nothing { why: report.to_string() },
            };
        }
        let problems = self.graph.check_schemas(&known).into_iter().map(Problem::Graph).collect();
        Ok(Live { nodes, problems })
    }
}

/// Whether it is ours and takes whatever comes.
fn hands_through(deployment: &Deployment, runner: Runner) -> bool {
    runner == Runner::InProcess && matches!(deployment.executor.uses, Uses::PassThrough)
}

/// Where the replicas of a deployment are once the Flow runs, as far as it gives ports to them. What stands before or
/// after shards is what neighbours meet then, and has none.
fn addresses(deployment: &Deployment) -> Vec<Address> {
    let Deployment { executor, uses_before, uses_after, .. } = deployment;
    if uses_before.is_some() || uses_after.is_some() {
        return Vec::new();
    }
    let host = match executor.server.host.parse::<IpAddr>() {
        Ok(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        _ => executor.server.host.clone(),
    };
    let grpc =
        executor.server.listeners.iter().filter(|listener| listener.protocols.contains(&Protocol::Grpc));
    let ports = grpc.filter_map(|listener| match listener.port {
        Port::Fixed(port) => Some(port),
        Port::Free => None,
    });
    ports.map(|port| Address { secure: false, host: host.clone(), port }).collect()
}

/// A line.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.said {
            Said::This(discovery) => {
                let endpoints: Vec<_> = discovery.endpoints.keys().map(|endpoint| &**endpoint).collect();
                write!(f, "{name}: runs, with the endpoints {}", endpoints.join(", "))
            }
            Said::Known => write!(f, "{name}: of this program, not asked"),
            Said::Nothing { why } => f.write_str(why),
            Said::Nowhere => write!(f, "{name}: not asked, the Flow gives it neither an address nor a port"),
        }
    }
}
