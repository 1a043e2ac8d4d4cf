//! What a request knows of one node.

use call::{Parameters, Status, Timestamp};

use crate::graph::Node;
use crate::join::Output;

/// The state of one node for one request.
#[derive(Debug)]
pub(super) struct Slot {
    /// Parts that have not come yet.
    pub(super) missing: usize,
    /// Those who have not taken the output yet.
    pub(super) uses: usize,
    pub(super) output: Option<Output>,
    /// When the request came here.
    pub(super) start: Option<Timestamp>,
    /// When the executor answered.
    pub(super) end: Option<Timestamp>,
    /// How the executor failed.
    pub(super) status: Option<Box<Status>>,
    /// The parameters that the executor was sent.
    pub(super) sent: Parameters,
    /// What it returned beside its documents.
    pub(super) results: Option<Parameters>,
}

impl Slot {
    pub(super) fn new(node: &Node) -> Self {
        Self {
            missing: node.parts.len(),
            uses: node.uses,
            output: None,
            start: None,
            end: None,
            status: None,
            sent: Parameters::default(),
            results: None,
        }
    }
}
