//! Whether anything is under way on a connection.
//!
//! hyper says goodbye to an HTTP/2 client with a ping and ends only when that is answered. Some clients answer
//! nothing between their calls, so here is counted what is left to do for a connection: one that has nothing left is
//! closed without the answer.

use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::Response;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::Notify;

use super::web::OneMore;

/// What is under way on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests without an answer, bodies that are not at their end, and pieces of them that are not written yet.
    under_way: AtomicUsize,
    /// Everything that ever began, so that a pause is known from work that came and went.
    begun: AtomicUsize,
    ended: Notify,
}

/// One thing under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Activity {
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Waits until nothing has been under way for as long as `pause`.
    pub(super) async fn rested(&self, pause: Duration) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.under_way.load(Ordering::Acquire) > 0 {
                ended.await;
                continue;
            }
            let begun = self.begun.load(Ordering::Relaxed);
            tokio::time::sleep(pause).await;
            if self.begun.load(Ordering::Relaxed) == begun {
                return;
            }
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::Release) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

pin_project! {
    /// The answer to a request, counted until it is sent.
    #[derive(Debug)]
    pub(super) struct Answering<F> {
        #[pin]
        answer: F,
        under_way: Option<UnderWay>,
    }
}

/// A request that is under way.
#[derive(Debug)]
struct UnderWay {
    busy: Busy,
    /// Where the requests of the port are counted.
    _counted: Option<OneMore>,
}

impl<F> Answering<F> {
    pub(super) const fn new(answer: F, busy: Busy, counted: Option<OneMore>) -> Self {
        Self { answer, under_way: Some(UnderWay { busy, _counted: counted }) }
    }
}

impl<F: Future<Output = Result<Response<B>, Infallible>>, B> Future for Answering<F> {
    type Output = Result<Response<Counted<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(answer) = ready!(this.answer.poll(cx));
        let under_way = this.under_way.take();
        Poll::Ready(Ok(answer.map(|body| Counted { body, under_way })))
    }
}

pin_project! {
    /// The body of an answer, counted until its last piece is written.
    #[derive(Debug)]
    pub(super) struct Counted<B> {
        #[pin]
        body: B,
        under_way: Option<UnderWay>,
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for Counted<B> {
    type Data = Piece;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        let under_way = this.under_way.as_ref();
        let counted = |bytes| Piece { bytes, _busy: under_way.map(|this| this.busy.0.begin()) };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(counted))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of a body. HTTP/2 keeps it until the client has made room for all of it.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    _busy: Option<Busy>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn chunks_vectored<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(into)
    }

    fn advance(&mut self, n: usize) {
        self.bytes.advance(n);
    }

    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        self.bytes.copy_to_bytes(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn work_that_comes_and_goes_prolongs_the_rest() {
        let activity = Arc::new(Activity::default());
        let first = activity.begin();
        let began = tokio::time::Instant::now();
        let work = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            drop(first);
            tokio::time::sleep(PAUSE / 2).await;
            drop(activity.begin());
        };
        tokio::join!(activity.rested(PAUSE), work);
        assert_eq!(
            began.elapsed(),
            Duration::from_secs(5),
            "the pause that was disturbed, and one that was not"
        );
    }
}
