//! What each executor says of itself, read by every request and replaced while requests run.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use call::NodeIndex;
use docarray::discovery::Discovery;

use crate::Graph;

/// The discovery answers of all executors of a graph. Clones share them; reading takes no lock.
#[derive(Debug, Clone)]
pub struct Endpoints {
    of_nodes: Arc<[ArcSwapOption<Discovery>]>,
}

impl Endpoints {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(graph: &Graph) -> Self {
        Self::of(graph.len())
    }

    /// Nothing is known yet of so many executors.
    pub(crate) fn of(n: usize) -> Self {
        Self { of_nodes: (0..n).map(|_| ArcSwapOption::empty()).collect() }
    }

    /// Sets what an executor says of itself. An index of another graph is passed by.
    pub fn set(&self, node: NodeIndex, discovery: Arc<Discovery>) {
        if let Some(of_node) = self.of_nodes.get(node.0) {
            of_node.store(Some(discovery));
        }
    }

    /// What an executor says of itself, once it is known.
    #[must_use]
    pub fn get(&self, node: NodeIndex) -> Option<Arc<Discovery>> {
        self.of_nodes.get(node.0)?.load_full()
    }

    /// What all executors say of themselves, in the order of [`Graph::nodes`].
    #[must_use]
    pub fn all(&self) -> Vec<Option<Arc<Discovery>>> {
        self.of_nodes.iter().map(ArcSwapOption::load_full).collect()
    }

    /// Whether an executor answers requests for `endpoint`. As long as nothing is known of it, it may.
    pub(crate) fn binds(&self, index: usize, endpoint: &str) -> bool {
        let known = self.of_nodes.get(index).map(ArcSwapOption::load);
        known.is_none_or(|known| known.as_ref().is_none_or(|known| known.bound(endpoint).is_some()))
    }
}
