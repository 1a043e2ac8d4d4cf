//! One program for everything.
fn main() {}
