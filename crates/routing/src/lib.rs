//! The graph of executors: checked, compiled, and run for each request.
//!
//! A [`GraphSpec`] is what a user writes; [`Graph::check`] finds everything that is wrong with it, or makes the
//! [`Graph`] that requests run on. [`Dispatch`] is that run as a tower service: over a service that makes one
//! call to one executor ([`Pool`]), with what each executor says of itself ([`Endpoints`]) and a place for calls
//! that nobody waits for ([`Tasks`]).
//!
//! Nothing here opens a socket or knows a protocol. Documents pass through as the bytes they are unless a
//! condition or a join must look into them.

mod asked;
mod calls;
mod dispatch;
mod endpoints;
mod error;
mod floating;
mod graph;
mod join;
mod parameters;
mod problem;
mod run;
mod shards;
mod spec;
mod target;

pub use dispatch::{Dispatch, Pool};
pub use endpoints::Endpoints;
pub use error::Error;
pub use floating::Tasks;
pub use graph::Graph;
pub use problem::{Mismatch, Problem};
pub use shards::{Layout, Member, Part, Polling, Polls, Sharding, ShardsSpec};
pub use spec::{END, GraphSpec, START};
