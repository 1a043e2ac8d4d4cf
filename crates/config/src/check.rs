//! From values by name to specifications: what fits together, and what cannot.

mod executor;
mod gateway;
mod graph;
mod grpc;
mod http;
mod log;
mod network;
mod settings;
mod stateful;
mod telemetry;
mod web_server;

pub(crate) use executor::{ExecutorFile, executor, polling};
pub(crate) use gateway::{Addresses, gateway};
pub(crate) use graph::address;
pub(crate) use settings::{Context, Settings};

#[cfg(test)]
mod tests;
