//! The way to executors: replicas, connections, balance, retries and discovery behind one service.
