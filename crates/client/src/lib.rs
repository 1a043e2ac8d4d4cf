//! The client: requests to a Flow or a single executor, with typed documents.
