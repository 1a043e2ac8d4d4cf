//! A Flow that finds passages by what they mean and by their words.
//!
//! [`model`] turns texts into vectors, [`vectors`] keeps and finds them, [`fuse`] makes one ranking of two; none of
//! them knows of executors. [`Encoder`], [`VectorIndex`] and [`Ranker`] are the executors around them, [`documents`]
//! what travels between. Cutting texts and finding words is the `search` package's.

pub mod documents;
mod encoder;
pub mod fuse;
pub mod model;
mod ranker;
mod vector_index;
pub mod vectors;

use executor_runtime::Registry;

pub use encoder::Encoder;
pub use ranker::Ranker;
pub use vector_index::VectorIndex;

/// The executors of this package, and those of `search`.
#[must_use]
pub fn registry() -> Registry {
    search::registry().with::<Encoder>().with::<VectorIndex>().with::<Ranker>()
}
