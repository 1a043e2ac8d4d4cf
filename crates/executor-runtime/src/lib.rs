//! Hosts an executor: endpoints, schemas, admission, and the gRPC service in front of them.
