//! Derives documents and executors: `#[derive(Doc)]`, `#[executor]`, `#[requests]`.
