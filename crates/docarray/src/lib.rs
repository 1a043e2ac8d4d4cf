//! Documents: what executors take and return.
//!
//! On the wire a document is a map from field name to [`Node`], see `proto/docarray.proto`. [`node`] reads
//! and writes that form without decoding more than is asked for.

mod ndarray;
pub mod node;

pub use ndarray::{Dtype, InvalidNdArray, NdArray};
pub use node::Node;
