//! A Flow that segments text documents and keeps them in a full-text index.
//!
//! [`segment`] cuts texts into passages, [`index`] keeps and finds them; neither knows of executors.

pub mod documents;
pub mod index;
pub mod segment;
