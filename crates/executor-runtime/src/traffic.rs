//! How much comes to an executor and goes back, for the status report.

use std::pin::Pin;
use std::task::{Context, Poll};

use call::{Error, Message, Parts, Payload, Request, Response};
use futures_util::Stream;
use info::Traffic;

/// Counts the bytes of documents and parameters, those of every part and of every document of a stream.
pub(crate) async fn counted(
    traffic: Traffic,
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Result<Response, Error>,
) -> Result<Response, Error> {
    let parts = request.parts.iter().map(size).sum::<usize>();
    traffic.received(size(&request.message) + parts);
    Ok(match answer(request).await? {
        Response::One(message) => {
            traffic.sent(size(&message));
            Response::One(message)
        }
        Response::Stream(parts) => Response::Stream(Box::pin(CountedParts { parts, traffic })),
    })
}

fn size(message: &Message) -> usize {
    message.parameters.wire().len() + message.documents.as_ref().map_or(0, Payload::len)
}

struct CountedParts {
    parts: Parts,
    traffic: Traffic,
}

impl Stream for CountedParts {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let polled = this.parts.as_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(message))) = &polled {
            this.traffic.sent(size(message));
        }
        polled
    }
}
