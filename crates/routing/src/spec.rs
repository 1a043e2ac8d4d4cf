//! The graph as a user, a Flow file or the command line writes it.

use indexmap::IndexMap;
use serde_json::Value;

/// The reserved name of the place where requests enter the graph.
pub const START: &str = "start-gateway";

/// The reserved name of the place where answers leave the graph.
pub const END: &str = "end-gateway";

/// A graph as written, unchecked; see [`Graph::check`](crate::Graph::check).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphSpec {
    /// Each executor with those that follow it. [`START`] stands for the gateway's entry and [`END`] for its
    /// exit; an executor that nothing follows is floating.
    pub description: IndexMap<String, Vec<String>>,
    /// Queries of [`docarray::Filter`]: only documents that meet its condition are sent to an executor.
    pub conditions: IndexMap<String, Value>,
    /// Executors that are sent the parts of a join as they are, not merged.
    pub no_reduce: Vec<String>,
}
