//! The graph of executors, checked and compiled: what a request needs to know, laid out in the order in which
//! it needs it, and shared by all requests.

mod check;
mod compile;
mod picture;
mod schemas;

use std::collections::HashMap;

use bytestring::ByteString;
use call::{ExecutorName, NodeIndex};
use docarray::Filter;

use crate::{GraphSpec, Problem};

/// A graph that is known to be right. It never changes.
///
/// `Display` shows its stages: `a > b+c > d`, floating executors in parentheses.
#[derive(Debug, Clone)]
pub struct Graph {
    /// In depth-first order, which is the order of routes.
    names: Vec<ExecutorName>,
    by_name: HashMap<ExecutorName, usize>,
    /// One for each name, and behind them the gateway, whose output is the request.
    nodes: Vec<Node>,
    /// Executors that nobody waits for, in groups that are connected.
    islands: Vec<Island>,
    /// Whose output is the answer.
    answer: usize,
    has_conditions: bool,
}

/// One executor in the graph, or the gateway as the source of what enters it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The name as routes carry it.
    pub(crate) label: ByteString,
    /// Where its documents come from; those of a join in the order in which they are merged: who can be
    /// called first comes first.
    pub(crate) parts: Vec<usize>,
    /// Who takes its output, in the order of the description.
    pub(crate) successors: Vec<usize>,
    /// Whether its output leaves the graph.
    pub(crate) delivers: bool,
    /// Which documents it is sent.
    pub(crate) condition: Option<Filter>,
    /// Whether the parts of a join are merged for it.
    pub(crate) reduces: bool,
    /// The island it is on, if nobody waits for it.
    pub(crate) island: Option<usize>,
    /// The islands that take its output.
    pub(crate) feeds: Vec<usize>,
    /// How often its output is taken by those that are run together with it.
    pub(crate) uses: usize,
    /// How many executors are called before it, one after the other.
    pub(crate) stage: usize,
    /// Its place among all nodes if each follows those it needs; the gateway's is the first.
    pub(crate) rank: usize,
}

/// Executors that nobody waits for and that depend on each other.
#[derive(Debug, Clone)]
pub(crate) struct Island {
    /// The executors outside that it takes documents from; each once.
    pub(crate) inputs: Vec<usize>,
    /// The executors on it that need nothing from each other.
    pub(crate) entries: Vec<usize>,
}

impl Graph {
    /// Checks a graph and compiles it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn check(spec: &GraphSpec) -> Result<Self, Vec<Problem>> {
        check::check(spec).map(compile::compile)
    }

    /// The executors in depth-first order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIndex, &ExecutorName)> {
        self.names.iter().enumerate().map(|(index, name)| (NodeIndex(index), name))
    }

    /// The number of executors.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no executor; such a graph answers requests with themselves.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The place of an executor.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<NodeIndex> {
        self.by_name.get(name).copied().map(NodeIndex)
    }

    /// Whether nobody waits for an executor.
    #[must_use]
    pub fn is_floating(&self, index: NodeIndex) -> bool {
        self.nodes.get(index.0).is_some_and(|node| node.island.is_some())
    }

    /// The executor that streaming calls go to.
    #[must_use]
    pub fn first(&self) -> Option<NodeIndex> {
        self.nodes[self.gateway()].successors.first().copied().map(NodeIndex)
    }

    /// Problems between executors whose schemas are known: each must take what the one before it returns.
    ///
    /// `discoveries` holds what each executor of [`Graph::nodes`] says of itself.
    #[must_use]
    pub fn check_schemas(
        &self,
        discoveries: &[Option<std::sync::Arc<docarray::discovery::Discovery>>],
    ) -> Vec<Problem> {
        schemas::check(self, discoveries)
    }

    /// The index that stands for the gateway as the source of a part.
    pub(crate) const fn gateway(&self) -> usize {
        self.names.len()
    }

    /// The executors, and behind them the gateway.
    pub(crate) fn all_nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn name(&self, index: usize) -> &ExecutorName {
        &self.names[index]
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(crate) fn islands(&self) -> &[Island] {
        &self.islands
    }

    pub(crate) const fn answer(&self) -> usize {
        self.answer
    }

    pub(crate) const fn has_conditions(&self) -> bool {
        self.has_conditions
    }
}

#[cfg(test)]
mod tests;
