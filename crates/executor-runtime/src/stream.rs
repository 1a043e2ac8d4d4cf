//! Answers that are streams of documents.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use call::{Deadline, Error, ErrorCode, Header, Message, Payload};
use docarray::Doc;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream};
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;
use tracing::Instrument as _;

use crate::Failure;
use crate::gate::Place;
use crate::service::TooLate;

/// Where a streaming endpoint's documents go.
pub struct Items {
    to: mpsc::Sender<Message>,
    failed: Arc<Failed>,
}

/// Makes the message that tells of a failure.
type Failed = dyn Fn(&Failure) -> Message + Send + Sync;

impl std::fmt::Debug for Items {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("to", &self.to).finish_non_exhaustive()
    }
}

impl Items {
    /// Hands on one document and waits until the caller wants the next.
    pub async fn send<T: Doc>(&self, doc: &T) {
        let mut wire = Vec::new();
        doc.write(&mut wire);
        self.send_encoded(wire.into()).await;
    }

    /// Like [`Items::send`], for a `DocProto` that somebody else encoded.
    pub async fn send_encoded(&self, doc: Payload) {
        // Each document has an id of its own and nothing else, as executors in Python stream them.
        let header = Header { request_id: call::new_id(), ..Header::default() };
        let message = Message { header, documents: Some(doc), ..Message::default() };
        // If nobody receives, this future is about to be dropped.
        let _gone = self.to.send(message).await;
    }

    /// Tells of a failure in the place of a document. The stream may go on.
    pub async fn send_failure(&self, failure: &Failure) {
        let _gone = self.to.send((self.failed)(failure)).await;
    }
}

/// The documents of a streaming endpoint as they come. Dropping it stops the executor's code.
pub(crate) struct Driven {
    /// The executor's code; `None` once it is done.
    work: Option<BoxFuture<'static, Result<(), Failure>>>,
    items: mpsc::Receiver<Message>,
    /// Ends at the deadline.
    late: Option<BoxFuture<'static, ()>>,
    /// What the code ended with, told after its last document.
    failure: Option<Failure>,
    /// Makes the message that tells of a failure.
    failed: Arc<Failed>,
    _held: (Place, DropGuard),
}

impl Driven {
    pub(crate) fn new(
        start: impl FnOnce(Items) -> BoxFuture<'static, Result<(), Failure>>,
        failed: impl Fn(&Failure) -> Message + Send + Sync + 'static,
        deadline: Deadline,
        held: (Place, DropGuard),
    ) -> Self {
        let (to, items) = mpsc::channel(1);
        let failed: Arc<Failed> = Arc::new(failed);
        let work = AssertUnwindSafe(start(Items { to, failed: failed.clone() })).catch_unwind();
        let work = work.map(|end| end.unwrap_or_else(|panic| Err(Failure::panic(&*panic))));
        let late = deadline.instant().map(|instant| tokio::time::sleep_until(instant).boxed());
        Self { work: Some(work.in_current_span().boxed()), items, late, failure: None, failed, _held: held }
    }
}

impl Stream for Driven {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Poll::Ready(Some(item)) = this.items.poll_recv(cx) {
            return Poll::Ready(Some(Ok(item)));
        }
        if let Some(work) = &mut this.work
            && let Poll::Ready(end) = work.as_mut().poll(cx)
        {
            (this.work, this.late) = (None, None);
            this.failure = end.err();
        }
        // What the code sent just now, also if it was the last that it did.
        if let Poll::Ready(Some(item)) = this.items.poll_recv(cx) {
            return Poll::Ready(Some(Ok(item)));
        }
        if this.work.is_none() {
            return Poll::Ready(this.failure.take().map(|failure| Ok((this.failed)(&failure))));
        }
        if this.late.as_mut().is_some_and(|late| late.as_mut().poll(cx).is_ready()) {
            (this.work, this.late) = (None, None);
            return Poll::Ready(Some(Err(Error::new(ErrorCode::DeadlineExceeded, TooLate))));
        }
        Poll::Pending
    }
}
