//! The configuration surface: command lines, environment and files become one checked specification.

mod problem;
mod spec;

pub use problem::{Place, Problem, Reason, Warning};
pub use spec::*;
