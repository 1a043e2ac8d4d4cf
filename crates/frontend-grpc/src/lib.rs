//! The gRPC front end of the gateway.
