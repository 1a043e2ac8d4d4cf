//! What can be wrong with a graph.

use bytestring::ByteString;
use call::{ExecutorName, InvalidName};
use docarray::filter::QueryError;

/// One thing that is wrong with a graph; checking reports all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A name that no executor can have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The entry follows an executor.
    #[error("executor `{node}` leads to `start-gateway`, which is the entry of the graph")]
    LeadsToStart {
        /// The executor.
        node: String,
    },
    /// Something follows the exit.
    #[error("`end-gateway` is the exit of the graph: nothing can follow it, but `{successor}` does")]
    FollowsEnd {
        /// What follows.
        successor: String,
    },
    /// The same successor twice.
    #[error("`{node}` lists `{successor}` {times} times")]
    Repeated {
        /// Whose successor it is.
        node: String,
        /// The successor.
        successor: String,
        /// How often.
        times: usize,
    },
    /// Executors that wait for each other.
    #[error("the graph has a cycle: {}", .path.join(" -> "))]
    Cycle {
        /// The executors in the order of the cycle; the first is repeated at the end.
        path: Vec<String>,
    },
    /// No request ever gets there.
    #[error("executor `{node}` cannot be reached from `start-gateway`")]
    Unreachable {
        /// The executor.
        node: String,
    },
    /// A condition for nobody.
    #[error("there is a condition for `{node}`, which is not in the graph")]
    ConditionForNobody {
        /// The name.
        node: String,
    },
    /// A condition that cannot be understood.
    #[error("the condition of `{node}` is wrong at {query}")]
    Condition {
        /// The executor.
        node: String,
        /// What is wrong with it, and where.
        query: QueryError,
    },
    /// The join of nobody is not to be merged.
    #[error("`{node}` is listed under no_reduce, but is not in the graph")]
    NoReduceOfNobody {
        /// The name.
        node: String,
    },
    /// What one executor returns is not what the next one takes.
    #[error("{from} -> {to}: {mismatch}")]
    Neighbours {
        /// The executor that returns.
        from: ExecutorName,
        /// The executor that takes.
        to: ExecutorName,
        /// What does not fit.
        mismatch: Mismatch,
    },
}

/// Why two neighbours do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The second one would pass by what the first one returns.
    #[error("endpoint `{endpoint}` missing")]
    Endpoint {
        /// The endpoint.
        endpoint: ByteString,
    },
    /// The second one requires a field that the first one does not return, nor any other branch that meets there.
    #[error("field `{field}` missing at `{endpoint}`")]
    Missing {
        /// The endpoint.
        endpoint: ByteString,
        /// The field.
        field: String,
    },
    /// The second one does not know a field that the first one returns.
    #[error("field `{field}` unknown at `{endpoint}`")]
    Unknown {
        /// The endpoint.
        endpoint: ByteString,
        /// The field.
        field: String,
    },
    /// Both know the field, but not as the same type.
    #[error("field `{field}` is {returned} but must be {taken} at `{endpoint}`")]
    Type {
        /// The endpoint.
        endpoint: ByteString,
        /// The field.
        field: String,
        /// Its type in what the first one returns.
        returned: String,
        /// Its type in what the second one takes.
        taken: String,
    },
}
