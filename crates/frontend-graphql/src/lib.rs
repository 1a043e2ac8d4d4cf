//! The GraphQL front end of the gateway.
//!
//! Its schema is made of what executors say of their endpoints: each has a field of `Query` and of `Mutation`, or of
//! `Subscription` if it streams, with types made of the executors' JSON schemas. Beside them is `docs`, the one field
//! that gateways of old Jina had. The schema follows the catalog while the process runs.
//!
//! It has no port of its own: [`FrontEnd::service`] answers the requests to [`PATH`] and below it for one worker, whoever
//! receives them. Queries come over HTTP, see `read` and `reply`, or over WebSocket, see `conversation`; `limits` says how
//! large they may be.

mod answer;
mod ask;
mod conversation;
mod convert;
mod error;
mod legacy;
mod limits;
mod names;
mod page;
mod read;
mod reply;
mod schema;
mod schemas;
mod settings;
mod shape;
mod socket;

pub use answer::{FrontEnd, GraphQl};
pub use settings::Settings;

/// Where it is found.
pub const PATH: &str = "/graphql";

#[cfg(test)]
mod tests;
