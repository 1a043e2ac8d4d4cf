//! The gateway process: front ends, layers, routing and the pool of executors put together.
//!
//! [`main`] is the program, [`run`] the process from its specification to its exit code; [`start`] is a gateway
//! inside another process. Either way: bind, build, wait for the executors to say what they do, serve, drain. [`ask`] does
//! no more than to ask executors.

mod ask;
mod door;
mod error;
mod opening;
mod run;
mod running;
mod settings;
mod shared_port;
mod stack;
mod start;

pub use ask::ask;
pub use error::StartError;
pub use run::{main, run};
pub use running::Running;
pub use settings::{Executor, InvalidSettings, Port, PortNumber, Protocol, Settings, Shards};
pub use start::start;
