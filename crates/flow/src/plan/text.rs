//! What a plan means, in words.

use std::fmt;

use config::{Deployment, GatewaySpec, Port, Retries, Uses};

use super::{Plan, Runner};

/// The graph, and a line for each deployment.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.graph)?;
        self.describe_gateway(f)?;
        for (deployment, runner) in self.deployments() {
            self.describe(deployment, runner, f)?;
        }
        Ok(())
    }
}

impl Plan {
    fn describe_gateway(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.spec.has_gateway {
            return f.write_str("\ngateway: none, clients call the executor");
        }
        let GatewaySpec { server, client, prefetch, .. } = &self.spec.gateway;
        f.write_str("\ngateway: ")?;
        for listener in &server.listeners {
            let protocols: Vec<_> = listener.protocols.iter().map(|protocol| protocol.name()).collect();
            write!(f, "{} on {} of {}, ", protocols.join("+"), Shown(listener.port), server.host)?;
        }
        match client.timeout_send {
            Some(timeout) => write!(f, "each call within {timeout:?}")?,
            None => f.write_str("calls without a time limit")?,
        }
        match client.retries {
            Retries::Auto => f.write_str(", safe ones tried again on each replica")?,
            Retries::Times(times) => write!(f, ", safe ones tried again {times} times")?,
        }
        match prefetch {
            Some(prefetch) => write!(f, ", {prefetch} requests of a stream at once"),
            None => f.write_str(", any number of requests of a stream at once"),
        }
    }

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
            Runner::Workers => f.write_str(", in Python by workers of this process")?,
            Runner::Container => f.write_str(", in a container")?,
            Runner::Elsewhere => {}
        }
        if runner != Runner::Elsewhere {
            let fixed = executor.server.listeners.iter().filter(|listener| listener.port != Port::Free);
            let ports: Vec<_> = fixed.map(|listener| Shown(listener.port).to_string()).collect();
            if !ports.is_empty() {
                write!(f, ", on {}", ports.join(", "))?;
            }
            if let Some(timeout) = deployment.timeout_ready {
                write!(f, ", ready within {timeout:?}")?;
            }
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

/// A port as people read it.
struct Shown(Port);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Port::Free => f.write_str("any free port"),
            Port::Fixed(port) => write!(f, "port {port}"),
        }
    }
}
