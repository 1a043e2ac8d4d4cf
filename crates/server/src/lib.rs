//! What every process does besides its job.
//!
//! Sockets are bound first ([`Listener`]), then the parts are built, then served ([`serve`]) on the threads
//! of [`Workers`]. A [`Drain`] owns every task and brings the process down in order: not ready, linger, stop
//! accepting, finish calls, cut off. [`tls`] encrypts connections and follows certificates that change, [`log`]
//! says where the lines of the log go.

mod complain;
mod connection;
mod drain;
mod facts;
mod listener;
pub mod log;
mod patience;
mod signal;
pub mod tls;
mod workers;

pub use complain::{chain, complain};
pub use connection::{AccessLog, Headers, HttpOptions, HttpService, for_connections, serve};
pub use drain::{Drain, DrainHandle, Outcome, Timing};
pub use facts::facts;
pub use listener::{BindError, Listener, Open};
pub use signal::{Signal, Signals};
pub use workers::Workers;
