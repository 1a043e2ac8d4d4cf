//! One batch on its way through the executor's code, and what becomes of its requests.

use std::sync::Arc;

use bytestring::ByteString;
use call::{Deadline, Metadata, Parameters, Payload};
use docarray::node;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Batcher;
use super::queue::Share;
use crate::calls::Cut;
use crate::gate::Place;
use crate::invocation::Part;
use crate::{Context, Failure, Invocation, Outcome};

impl Batcher {
    /// Makes one call for all of `shares` and answers them.
    pub(super) async fn run(self: Arc<Self>, shares: Vec<Share>, parameters: Parameters, place: Place) {
        let now = Instant::now();
        let new = shares.iter().filter(|share| share.first == 0);
        let waits = new.map(|share| now.saturating_duration_since(share.ticket.arrived));
        self.state.observer.call(documents(&shares), waits);
        let Some(failure) = self.attempt(&shares, &parameters, place).await else { return };
        let (shares, mistyped) = self.without_mistyped(shares, &failure);
        let one_by_one = self.rule.isolate_errors || failure.is_uncalled;
        if mistyped || (one_by_one && shares.len() > 1) {
            // The code was not called if a document could not be read, so the others go together.
            let again =
                if mistyped { vec![shares] } else { shares.into_iter().map(|share| vec![share]).collect() };
            for shares in again {
                self.again(&shares, &parameters, mistyped).await;
            }
            return;
        }
        fail(&shares, &failure);
    }

    /// Makes the call once more for a part of a batch.
    async fn again(&self, shares: &[Share], parameters: &Parameters, may_be_isolated: bool) {
        if !shares.iter().any(|share| share.ticket.is_wanted()) {
            return;
        }
        match self.calls.enter_bounded_elsewhere(&self.bound.code).await {
            Ok(place) => {
                self.state.observer.note(|stats| stats.repeated += 1);
                self.state.observer.call(documents(shares), std::iter::empty());
                let Some(failure) = self.attempt(shares, parameters, place).await else { return };
                if may_be_isolated && self.rule.isolate_errors && shares.len() > 1 {
                    for share in shares {
                        Box::pin(self.again(std::slice::from_ref(share), parameters, false)).await;
                    }
                    return;
                }
                fail(shares, &failure);
            }
            Err(cut) => end(shares, &cut),
        }
    }

    /// Makes one call and answers `shares`, unless the code fails: then that is returned.
    async fn attempt(&self, shares: &[Share], parameters: &Parameters, place: Place) -> Option<Failure> {
        let (begin, documents) = (Instant::now(), documents(shares));
        tracing::debug!(endpoint = &*self.endpoint, documents, requests = shares.len(), "a batch is called");
        let left = CancellationToken::new();
        let _leaves = left.clone().drop_guard();
        let invocation = self.invocation(shares, parameters, left);
        let made = tokio::select! {
            biased;
            made = self.calls.run(&self.bound.code, invocation, place) => made,
            () = all_left(shares) => return None,
        };
        self.learn(begin.elapsed());
        let answers = match made {
            Ok(outcome) => outcome.and_then(|outcome| split(outcome, documents)),
            Err(cut) => {
                end(shares, &cut);
                return None;
            }
        };
        match answers {
            Ok(Some(answers)) => {
                let mut answers = answers.into_iter();
                for Share { ticket, first, docs } in shares {
                    ticket.deliver(*first, answers.by_ref().take(docs.len()));
                }
            }
            Ok(None) => {
                for Share { ticket, first, docs } in shares {
                    ticket.deliver(*first, docs.iter().cloned());
                }
            }
            Err(failure) => return Some(failure),
        }
        None
    }

    fn invocation(&self, shares: &[Share], parameters: &Parameters, left: CancellationToken) -> Invocation {
        let mut docs = Payload::new();
        for doc in shares.iter().flat_map(|share| &share.docs) {
            node::append_item(&mut docs, doc.clone());
        }
        // Of several requests nothing is told that only one of them said.
        let (request_id, metadata) = match shares {
            [only] => (only.ticket.request_id.clone(), only.ticket.metadata.clone()),
            _ => (ByteString::new(), Metadata::default()),
        };
        let last = shares.iter().map(|share| share.ticket.deadline).reduce(later);
        Invocation {
            parts: vec![Part { from: String::new(), docs }],
            parameters: parameters.clone(),
            meta_name: self.meta_name.clone(),
            context: Context {
                request_id,
                endpoint: self.endpoint.clone(),
                deadline: last.unwrap_or_default(),
                metadata,
                left,
            },
            is_batch: true,
        }
    }

    /// Fails the requests whose documents are of another type than the function takes. Returns the others, and
    /// whether there were any such.
    fn without_mistyped(&self, shares: Vec<Share>, failure: &Failure) -> (Vec<Share>, bool) {
        let Some(check) = self.rule.check.filter(|_| failure.is_validation() && shares.len() > 1) else {
            return (shares, false);
        };
        let before = shares.len();
        let mut good = Vec::with_capacity(before);
        for share in shares {
            match share.docs.iter().try_for_each(|doc| check(doc.clone())) {
                Ok(()) => good.push(share),
                Err(failure) => share.ticket.fail(failure),
            }
        }
        let mistyped = good.len() < before;
        (good, mistyped)
    }
}

fn documents(shares: &[Share]) -> usize {
    shares.iter().map(|share| share.docs.len()).sum()
}

/// Ends when nobody waits for any of `shares`.
async fn all_left(shares: &[Share]) {
    for share in shares {
        share.ticket.left().await;
    }
}

fn fail(shares: &[Share], failure: &Failure) {
    for share in shares {
        share.ticket.fail(failure.clone());
    }
}

fn end(shares: &[Share], cut: &Cut) {
    for share in shares {
        share.ticket.cut(cut.clone());
    }
}

fn later(left: Deadline, right: Deadline) -> Deadline {
    match (left.instant(), right.instant()) {
        (Some(a), Some(b)) if a < b => right,
        (Some(_), Some(_)) => left,
        _ => Deadline::NEVER,
    }
}

/// The documents of an outcome one by one; `None` if those that were sent are the answer.
fn split(outcome: Outcome, sent: usize) -> Result<Option<Vec<Payload>>, Failure> {
    if outcome.results.is_some() {
        let message =
            "The return type must be DocList / `None` when using dynamic batching, but getting an object";
        return Err(Failure::new("TypeError", message));
    }
    let Some(content) = outcome.documents else { return Ok(None) };
    let docs = node::doc_list(content).map_err(|error| Failure::validation(&error))?;
    let docs: Vec<Payload> =
        node::items(docs).collect::<Result<_, _>>().map_err(|error| Failure::validation(&error))?;
    if docs.len() == sent {
        return Ok(Some(docs));
    }
    let got = docs.len();
    let message = format!(
        "Dynamic Batching requires input size to equal output size. Expected output size {sent}, but got {got}"
    );
    Err(Failure::new("ValueError", message))
}
