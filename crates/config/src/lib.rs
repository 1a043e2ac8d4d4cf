//! The configuration surface: command lines, environment and files become one checked specification.

mod arguments;
mod check;
mod coerce;
mod command;
mod documentation;
mod files;
mod form;
mod help;
mod layers;
mod nearest;
mod problem;
mod render;
mod schema;
mod spec;
pub mod table;
mod units;

pub use command::command;
pub use documentation::documentation;
pub use form::Form;
pub use layers::{Environment, process_environment};
pub use problem::{Place, Problem, Reason, Warning};
pub use render::{Reader, command_line};
pub use schema::schema;
pub use spec::*;
