//! The executor process.
//!
//! A program that hosts executors of its own is one line: `executor::main(&Registry::new().with::<Indexer>())`.
//! [`run`] is the process from its specification on, [`start`] is an executor inside another process. Either
//! way: bind, make the executor, serve, be ready, drain, close. The same process can be a head, which stands
//! before the shards of an executor: [`start_head`].

mod error;
mod front_ends;
mod head;
mod program;
mod python;
mod run;
mod running;
mod served;
mod settings;
mod start;
mod stateful;

pub use error::StartError;
pub use head::{RunningHead, start_head};
pub use program::main;
pub use python::{Python, start_python, start_workers};
pub use run::run;
pub use running::Running;
pub use settings::{HeadSettings, InvalidSettings, Port, PortNumber, Protocol, Serving, Settings, entry};
pub use start::start;

#[cfg(test)]
mod tests;

/// The guide for authors, so that what it shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/executors.md")]
struct Guide;
