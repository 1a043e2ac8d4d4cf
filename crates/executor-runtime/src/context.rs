//! What an endpoint may know of the request beside its documents.

use bytestring::ByteString;
use call::{Deadline, Metadata};
use tokio_util::sync::CancellationToken;

/// The request behind a call.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) request_id: ByteString,
    pub(crate) endpoint: ByteString,
    pub(crate) deadline: Deadline,
    pub(crate) metadata: Metadata,
    pub(crate) left: CancellationToken,
}

impl Context {
    /// The id that the client gave the request; any text, even none.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The endpoint that was asked for. It may be one that only the default endpoint answers.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// When nobody waits for the answer any more.
    #[must_use]
    pub const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Headers that travelled with the request, the trace context among them.
    #[must_use]
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether the caller has left. Functions that are not `async` cannot be stopped; long ones ask now and then.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.left.is_cancelled() || self.deadline.has_passed()
    }
}
