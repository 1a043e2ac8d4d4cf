//! The HTTP front end of the gateway.
//!
//! Each endpoint of the catalog has a route: POST with the envelope of [`docarray::envelope`], or GET answered by
//! server-sent events if the endpoint streams. The routes follow the catalog while the process runs. Beside them are
//! probes, the status report, the dry run, and an OpenAPI document with a page to try it out.
//!
//! [`FrontEnd`] is one for the process; [`FrontEnd::service`] answers the connections of one worker.

mod answer;
mod control;
mod error;
mod head;
mod held;
mod mounted;
mod openapi;
mod page;
mod post;
mod query;
mod receive;
mod service;
mod settings;
mod stream;
mod table;

pub use mounted::Mounted;
pub use service::{FrontEnd, Http};
pub use settings::{Exposed, Settings};

#[cfg(test)]
mod tests;
