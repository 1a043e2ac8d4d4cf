//! The graph of executors: checked, compiled, and run for each request over a service that calls one executor.
