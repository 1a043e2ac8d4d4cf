//! Requests through graphs. Rows of the acceptance table for Jina's behaviour are named in the cases.

mod allocations;
mod errors;
mod floating;
mod joins;
mod parameters;
mod random;
mod support;
mod ways;
