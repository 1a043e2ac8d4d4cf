//! Documents: what executors take and return.
//!
//! On the wire a document is a map from field name to [`Node`], see `proto/docarray.proto`. [`node`] reads
//! and writes that form without decoding more than is asked for. [`filter`] tells which documents meet a
//! condition, [`merge`] brings the documents of several branches together. [`discovery`] is what executors
//! say of the documents they take and return.

pub mod discovery;
pub mod filter;
pub mod merge;
mod ndarray;
pub mod node;

pub use filter::Filter;
pub use ndarray::{Dtype, InvalidNdArray, NdArray};
pub use node::Node;
