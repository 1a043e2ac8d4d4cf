//! A whole Flow in one process: the builder, Flow files, executors in process or as child processes.
