//! The calls of one request that are in flight.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use call::{Answer, Error, Hop};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use pin_project_lite::pin_project;
use tower::util::{Oneshot, ServiceExt as _};

use crate::dispatch::Pool;

/// Calls to executors, polled by whoever waits for them: dropping this cancels them all.
///
/// A call that is alone, as all calls of a chain are, is awaited where it is; only calls side by side are put
/// together on the heap.
pub(crate) struct Calls<P: Pool> {
    alone: Option<(usize, Hop)>,
    together: Option<FuturesUnordered<Pending<P>>>,
}

pin_project! {
    /// A call that knows which node it is for.
    struct Pending<P: Pool> {
        index: usize,
        #[pin]
        answer: Oneshot<P, Hop>,
    }
}

impl<P: Pool> Calls<P> {
    pub(crate) const fn new() -> Self {
        Self { alone: None, together: None }
    }

    /// Adds a call; it starts when the next answer is waited for.
    pub(crate) fn add(&mut self, pool: &P, index: usize, hop: Hop) {
        let others = self.together.as_ref().is_some_and(|together| !together.is_empty());
        if self.alone.is_none() && !others {
            self.alone = Some((index, hop));
            return;
        }
        let together = self.together.get_or_insert_default();
        for (index, hop) in self.alone.take().into_iter().chain([(index, hop)]) {
            together.push(Pending { index, answer: pool.clone().oneshot(hop) });
        }
    }

    /// The next answer; `None` if no call is in flight.
    pub(crate) async fn next(&mut self, pool: &P) -> Option<(usize, Result<Answer, Error>)> {
        if let Some((index, hop)) = self.alone.take() {
            return Some((index, pool.clone().oneshot(hop).await));
        }
        self.together.as_mut()?.next().await
    }
}

impl<P: Pool> Future for Pending<P> {
    type Output = (usize, Result<Answer, Error>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        Poll::Ready((*this.index, answer))
    }
}
