//! The configuration surface: command lines, environment and files become one checked specification.

mod arguments;
mod check;
mod coerce;
mod form;
mod layers;
mod nearest;
mod problem;
mod spec;
pub mod table;
mod units;

pub use form::Form;
pub use layers::Environment;
pub use problem::{Place, Problem, Reason, Warning};
pub use spec::*;
