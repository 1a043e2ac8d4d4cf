//! The gRPC protocol on bytes.
//!
//! Documents are opaque on their way through, so the data calls cannot go through generated codecs, which
//! decode and copy. This crate speaks gRPC on the level of HTTP/2 data frames instead: [`frame`] cuts
//! messages out of a stream of buffers and keeps them as slices, [`encoding`] handles compressed ones,
//! [`status`] and [`timeout`] translate headers and trailers, [`server`] answers the data calls through a
//! [`call::Handler`], [`client`] makes them.
//!
//! The small control calls (health, reflection, discovery of the own endpoints) are tonic's.

pub mod client;
pub mod encoding;
pub mod frame;
pub mod server;
pub mod status;
pub mod timeout;

pub use encoding::Encoding;
pub use frame::{Deframer, Frame, FrameError};
pub use status::Status;

/// Full names of the calls of package `jina`.
pub mod path {
    #![expect(missing_docs, reason = "the names are those of proto/jina.proto")]
    pub const CALL: &str = "/jina.JinaRPC/Call";
    pub const PROCESS_SINGLE_DATA: &str = "/jina.JinaSingleDataRequestRPC/process_single_data";
    pub const PROCESS_DATA: &str = "/jina.JinaDataRequestRPC/process_data";
    pub const STREAM_DOC: &str = "/jina.JinaSingleDocumentRequestRPC/stream_doc";
    pub const ENDPOINT_DISCOVERY: &str = "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery";
    pub const DRY_RUN: &str = "/jina.JinaGatewayDryRunRPC/dry_run";
    pub const STATUS: &str = "/jina.JinaInfoRPC/_status";
    pub const REFLECTION: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    pub const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";
}

/// Header names that this crate and its users agree on with peers.
pub mod header {
    #![expect(missing_docs, reason = "the names say it; wire facts: reference/wire.md §2.1")]
    use http::HeaderName;
    pub const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
    pub const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
    pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
    pub const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
    pub const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
    pub const RESULTS_IN_ORDER: HeaderName = HeaderName::from_static("__results_in_order__");
    pub const PREFETCH: HeaderName = HeaderName::from_static("__prefetch__");
    pub const ENDPOINT: HeaderName = HeaderName::from_static("endpoint");
    pub const IS_ERROR: HeaderName = HeaderName::from_static("is-error");
}
