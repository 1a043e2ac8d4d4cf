//! Documents: what executors take and return.
//!
//! On the wire a document is a map from field name to [`Node`], see `proto/docarray.proto`. [`node`] reads
//! and writes that form without decoding more than is asked for. [`filter`] tells which documents meet a
//! condition, [`merge`] brings the documents of several branches together. [`discovery`] is what executors
//! say of the documents they take and return. [`Doc`] makes Rust types of documents, [`documents`] holds some
//! that everybody knows. [`codec`] turns documents of a schema into JSON and back, [`envelope`] whole requests.

// `#[derive(Doc)]` names this crate as its users do.
extern crate self as docarray;

pub mod codec;
pub mod discovery;
pub mod doc;
mod doc_list;
pub mod documents;
mod dry_run;
pub mod envelope;
pub mod filter;
mod id;
pub mod merge;
mod ndarray;
pub mod node;
mod url;

pub use doc::{Depth, Doc, DocError, Field, Form};
pub use doc_list::DocList;
pub use dry_run::dry_run;
pub use executor_macros::Doc;
pub use filter::Filter;
pub use id::Id;
pub use ndarray::{Dtype, InvalidNdArray, Item, NdArray};
pub use node::Node;
pub use url::{AnyUrl, AudioUrl, ImageUrl, Mesh3DUrl, PointCloud3DUrl, TextUrl, VideoUrl};
