//! The front end on a real port, before a handler of the test, with real clients.

mod bad;
mod ending;
mod http;
mod json;
mod pace;
mod requests;
mod stage;
mod streams;

use stage::{Client, Stage};
