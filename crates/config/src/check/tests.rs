//! From settings as written to checked specifications.
