//! The gateway process: front ends, layers, routing and the pool of executors put together.
