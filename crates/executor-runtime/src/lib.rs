//! Hosts an executor: endpoints, schemas, admission, and the gRPC service in front of them.
//!
//! An executor is a struct and an `impl` block under [`executor`]; its endpoints are the functions under
//! [`requests`]:
//!
//! ```
//! use docarray::{Doc, DocList, Id};
//! use executor_runtime::{Context, Registry, Setup, executor, requests};
//!
//! #[derive(Debug, Clone, Default, Doc)]
//! struct Text {
//!     id: Id,
//!     text: Option<String>,
//! }
//!
//! struct Greeter {
//!     greeting: String,
//! }
//!
//! #[derive(serde::Deserialize)]
//! #[serde(default)]
//! struct With {
//!     greeting: String,
//! }
//!
//! impl Default for With {
//!     fn default() -> Self {
//!         Self { greeting: "hello".to_owned() }
//!     }
//! }
//!
//! #[executor]
//! impl Greeter {
//!     fn new(with: With, _setup: &Setup) -> Self {
//!         Self { greeting: with.greeting }
//!     }
//!
//!     #[requests(on = "/greet")]
//!     async fn greet(&self, docs: &mut DocList<Text>, context: &Context) {
//!         for doc in docs {
//!             doc.text = Some(format!("{}, asks {}", self.greeting, context.request_id()));
//!         }
//!     }
//! }
//!
//! let registry = Registry::new().with::<Greeter>();
//! assert!(registry.get("Greeter").is_some());
//! ```
//!
//! A request goes through `service.rs` (find the endpoint, admit, answer) and, if its documents are called
//! together with those of others, `batch.rs` to `calls.rs` and `endpoint.rs` (the executor's code) and back through `outcome.rs` or, if it failed, `failure.rs`.

// The macros name this crate as its users do.
#[cfg(test)]
extern crate self as executor_runtime;

mod answer;
mod batch;
mod calls;
mod context;
pub mod derived;
mod endpoint;
mod failure;
mod foreign;
mod gate;
mod host;
mod invocation;
mod memory;
mod outcome;
mod parameters;
mod pass_through;
mod registry;
mod replication;
mod service;
mod settings;
mod snapshot;
mod state;
mod stream;
mod traffic;

pub use answer::{Answer, Docs, IntoFailure};
pub use batch::{Authored, BatchStats, Batching, Check, Distribution, Weigh};
pub use context::Context;
pub use endpoint::{Called, Endpoint, Executor, Run};
pub use executor_macros::{executor, requests};
pub use failure::Failure;
pub use foreign::{Call, Foreign, ForeignEndpoint, ForeignRun};
pub use host::{HostError, Hosted, endpoints_proto, host, host_foreign};
pub use invocation::Invocation;
pub use outcome::Outcome;
pub use pass_through::PassThrough;
pub use registry::{BuildError, Entry, Registry};
pub use replication::{Replica, Replication};
pub use settings::{ExecutorSettings, Setup};
pub use stream::Items;
