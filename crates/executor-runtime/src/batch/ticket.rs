//! One request whose documents wait for their batches, and where their answers come together.

use std::sync::{Arc, Mutex, PoisonError};

use bytestring::ByteString;
use call::{Deadline, Metadata, Payload};
use docarray::node;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::calls::Cut;
use crate::settings::PRIORITY;
use crate::{Context, Failure};

/// What a request is answered with: all its documents, a `DocListProto`.
pub(crate) type Answered = Result<Result<Payload, Failure>, Cut>;

/// One request.
pub(crate) struct Ticket {
    pub(crate) arrived: Instant,
    pub(crate) deadline: Deadline,
    pub(crate) priority: i64,
    pub(crate) request_id: ByteString,
    pub(crate) metadata: Metadata,
    /// Cancelled when its caller leaves.
    left: CancellationToken,
    answer: Mutex<Assembly>,
}

struct Assembly {
    docs: Vec<Option<Payload>>,
    missing: usize,
    /// `None` once the request is answered.
    send: Option<oneshot::Sender<Answered>>,
}

impl Ticket {
    /// A request of `n` documents, and where its answer comes out.
    pub(crate) fn new(context: &Context, n: usize) -> (Arc<Self>, oneshot::Receiver<Answered>) {
        let (send, answer) = oneshot::channel();
        let priority = context.metadata.0.iter().find(|(name, _)| **name == *PRIORITY.as_str());
        let ticket = Self {
            arrived: Instant::now(),
            deadline: context.deadline,
            priority: priority.and_then(|(_, value)| value.parse::<i32>().ok()).unwrap_or(0).into(),
            request_id: context.request_id.clone(),
            metadata: context.metadata.clone(),
            left: context.left.clone(),
            answer: Mutex::new(Assembly { docs: vec![None; n], missing: n, send: Some(send) }),
        };
        (Arc::new(ticket), answer)
    }

    /// Whether anybody needs its documents: its caller waits, and no other document of it has failed.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.left.is_cancelled() && !self.deadline.has_passed() && self.assembly().send.is_some()
    }

    /// Ends when the caller has left.
    pub(crate) async fn left(&self) {
        self.left.cancelled().await;
    }

    /// Takes the answers for the documents from the one numbered `first`.
    pub(crate) fn deliver(&self, first: usize, docs: impl IntoIterator<Item = Payload>) {
        let mut assembly = self.assembly();
        for (place, doc) in assembly.docs[first..].iter_mut().zip(docs) {
            *place = Some(doc);
        }
        assembly.missing = assembly.docs.iter().filter(|doc| doc.is_none()).count();
        if assembly.missing > 0 {
            return;
        }
        let mut list = Payload::new();
        for doc in std::mem::take(&mut assembly.docs).into_iter().flatten() {
            node::append_item(&mut list, doc);
        }
        assembly.answer(Ok(Ok(list)));
    }

    /// Some documents failed, so the request does.
    pub(crate) fn fail(&self, failure: Failure) {
        self.assembly().answer(Ok(Err(failure)));
    }

    /// Some documents got no answer, so the request gets none.
    pub(crate) fn cut(&self, cut: Cut) {
        self.assembly().answer(Err(cut));
    }

    fn assembly(&self) -> std::sync::MutexGuard<'_, Assembly> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Assembly {
    fn answer(&mut self, answer: Answered) {
        if let Some(send) = self.send.take() {
            // A caller that has left needs none.
            let _left = send.send(answer);
        }
    }
}
