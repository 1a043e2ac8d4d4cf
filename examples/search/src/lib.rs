//! A Flow that segments text documents and keeps them in a full-text index.
//!
//! [`segment`] cuts texts into passages, [`index`] keeps and finds them; neither knows of executors.
//! [`Segmenter`] and [`Indexer`] are the executors around them, [`documents`] what travels between.

pub mod documents;
pub mod index;
mod indexer;
pub mod segment;
mod segmenter;

use executor_runtime::Registry;

pub use indexer::Indexer;
pub use segmenter::Segmenter;

/// The executors of this package.
#[must_use]
pub fn registry() -> Registry {
    Registry::new().with::<Segmenter>().with::<Indexer>()
}

/// Its Rust example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
