//! A whole Flow in one process: gateway and Rust executors in process, Python executors as child processes,
//! executors of others by their addresses.
//!
//! ```no_run
//! use docarray::{Doc, DocList, Id};
//! use executor_runtime::{executor, requests};
//! use flow::{Deployment, Flow};
//!
//! #[derive(Debug, Clone, Default, Doc)]
//! struct Text {
//!     id: Id,
//!     text: Option<String>,
//! }
//!
//! #[derive(Default)]
//! struct Foo;
//!
//! #[executor]
//! impl Foo {
//!     #[requests]
//!     async fn foo(&self, docs: &mut DocList<Text>) {
//!         for doc in docs {
//!             doc.text = Some("foo was called".to_owned());
//!         }
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let flow = Flow::new()
//!     .config_gateway(|gateway| gateway.port(12345))
//!     .add(Deployment::new::<Foo>().name("foo").replicas(2));
//! let running = flow.start().await?;
//! let docs = running.client()?.post("/").inputs([Text::default()]).collect::<Text>().await?;
//! assert_eq!(docs[0].text.as_deref(), Some("foo was called"));
//! running.block().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is built and what is read from a Flow file go the same way: [`Plan`], what is right and who runs what;
//! then [`Running`].

mod builder;
mod container;
mod devices;
mod error;
mod executors;
mod flow;
mod place;
mod plan;
pub mod program;
mod python;
mod running;

pub use builder::{Deployment, Gateway, Protocol};
pub use container::NoDocker;
pub use error::{Error, Problem};
pub use flow::Flow;
pub use plan::{Live, Node, Plan, Runner, Said};
pub use program::main;
pub use python::NoJina;
pub use running::Running;

#[cfg(test)]
mod tests;
