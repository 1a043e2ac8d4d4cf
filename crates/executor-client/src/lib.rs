//! The way to executors: replicas, connections, balance, retries and discovery behind one service.
//!
//! A [`Cluster`] knows all executors of a gateway: [`Target`]s with their addresses. Each worker of the
//! process gets a [`Pool`] of its own, a tower service that sends one [`call::Hop`] and returns the
//! [`call::Answer`]; its connections are driven on that worker's runtime, so calls wake no other thread.
//! What is known about replicas – membership, calls in flight, health – is shared between the workers.
//!
//! What happens off the request path: names are resolved again and again, connections are made and
//! remade, replicas that failed are probed, and executors are asked for their endpoints
//! ([`Cluster::discoveries`]).

mod address;
mod answer;
mod backoff;
mod balance;
mod budget;
mod cluster;
mod direct;
mod discovery;
mod error;
mod executor;
mod keep;
mod link;
mod node;
mod outgoing;
mod pool;
mod probe;
mod replica;
mod report;
mod resolve;
mod settings;
mod tls;

pub use address::{Address, InvalidAddress};
pub use cluster::{Cluster, Discoveries, InvalidTarget, Target};
pub use direct::Direct;
pub use error::{Error, Failure, Tried};
pub use pool::Pool;
pub use report::{AddressReport, Report, State};
pub use resolve::Resolver;
pub use settings::{Balance, Peer, Role, Settings};
pub use tls::{Identity, Roots, TlsError};

#[cfg(test)]
mod tests;
