//! The documents of a request, cut into messages of a bounded number of documents.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use call::Payload;
use docarray::{Doc, node};
use futures_core::Stream;

/// Writes the next document as an item of a `DocListProto`; `false` if there is none.
type Next = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;
/// Encoded documents.
type Encoded = Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>;

/// What a request sends.
#[derive(Default)]
pub(crate) enum Inputs {
    /// One message without documents.
    #[default]
    Nothing,
    /// Documents at hand.
    Iterator(Next),
    /// Documents that come in time.
    Stream(Encoded),
    /// The content of each message, as it is.
    Contents(Box<dyn Iterator<Item = Payload> + Send>),
}

impl Inputs {
    pub(crate) fn iterator<T: Doc>(docs: impl Iterator<Item = T> + Send + 'static) -> Self {
        let mut docs = docs;
        Self::Iterator(Box::new(move |list| {
            let Some(doc) = docs.next() else { return false };
            node::put_item(list, |to| doc.write(to));
            true
        }))
    }

    pub(crate) fn stream<T: Doc>(docs: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::Stream(Box::pin(futures_util::StreamExt::map(docs, |doc| {
            let mut item = Vec::new();
            node::put_item(&mut item, |to| doc.write(to));
            item
        })))
    }

    /// The contents of the messages, each of at most `size` documents.
    pub(crate) fn into_contents(self, size: usize) -> Contents {
        Contents { inputs: Some(self), size: size.max(1), list: Vec::new(), count: 0 }
    }
}

/// The encoded `DataContentProto` of each message.
pub(crate) struct Contents {
    /// `None` at the end.
    inputs: Option<Inputs>,
    size: usize,
    /// The `DocListProto` that is being filled.
    list: Vec<u8>,
    count: usize,
}

impl Contents {
    fn take(&mut self) -> Payload {
        self.count = 0;
        let capacity = self.list.len();
        let list = std::mem::replace(&mut self.list, Vec::with_capacity(capacity));
        node::content(list.into())
    }
}

impl Stream for Contents {
    type Item = Option<Payload>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.count == this.size {
                return Poll::Ready(Some(Some(this.take())));
            }
            let more = match &mut this.inputs {
                None => false,
                Some(Inputs::Nothing) => {
                    this.inputs = None;
                    return Poll::Ready(Some(None));
                }
                Some(Inputs::Contents(contents)) => return Poll::Ready(contents.next().map(Some)),
                Some(Inputs::Iterator(next)) => next(&mut this.list),
                Some(Inputs::Stream(items)) => match ready!(items.as_mut().poll_next(cx)) {
                    Some(item) => {
                        this.list.extend_from_slice(&item);
                        true
                    }
                    None => false,
                },
            };
            if more {
                this.count += 1;
                continue;
            }
            this.inputs = None;
            return Poll::Ready((this.count > 0).then(|| Some(this.take())));
        }
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Iterator(_) => "Iterator",
            Self::Stream(_) => "Stream",
            Self::Contents(_) => "Contents",
        })
    }
}
