//! Tests of the whole: gateway, executors and clients on real sockets.
