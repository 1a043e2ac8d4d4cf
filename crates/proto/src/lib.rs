//! What goes over the wire between clients, gateways, heads and executors.
//!
//! [`jina`] and [`docarray`] hold the generated messages and service stubs. Bulk requests never pass through
//! the generated types: [`message`] converts between their encoding and [`call::Message`] and leaves the
//! documents as they are. [`status`] maps error codes.

/// The generated messages and stubs of package `jina`.
#[expect(missing_docs, non_camel_case_types, clippy::allow_attributes, reason = "generated code")]
pub mod jina {
    tonic::include_proto!("jina");
}

/// The generated messages of package `docarray`.
#[expect(missing_docs, reason = "generated code")]
pub mod docarray {
    tonic::include_proto!("docarray");
}

/// The generated messages and stubs of package `flowgate.consensus`.
#[expect(missing_docs, clippy::allow_attributes, reason = "generated code")]
pub mod consensus {
    tonic::include_proto!("flowgate.consensus");
}

pub mod message;
pub mod status;

/// The encoded descriptors of all files, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
