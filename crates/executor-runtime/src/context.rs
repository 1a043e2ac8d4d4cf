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

    /// The trace that the request belongs to, in the form of W3C, if somebody traces.
    #[must_use]
    pub fn trace_parent(&self) -> Option<&str> {
        self.header("traceparent")
    }

    /// A header that travelled with the request; its name in lower case. Beside those of traces they are the ones that
    /// `forward-headers` lets through.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.metadata.0.iter().find(|(header, _)| **header == *name);
        found.map(|(_, value)| &**value)
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

    /// Waits until the caller has left. `async` functions end by themselves then; this is for what they started
    /// elsewhere.
    pub async fn cancelled(&self) {
        match self.deadline.instant() {
            None => self.left.cancelled().await,
            Some(instant) => {
                tokio::select! {
                    () = self.left.cancelled() => {}
                    () = tokio::time::sleep_until(instant) => {}
                }
            }
        }
    }
}
