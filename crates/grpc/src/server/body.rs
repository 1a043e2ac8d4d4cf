//! The answers to data calls as HTTP responses.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use call::{Admitted, Error, ErrorCode, Message, Parts, Payload};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};

use super::NotGrpc;
use crate::{Status, encoding, header, status};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The body of an answer: frames and trailers.
#[derive(Debug)]
pub struct Body {
    state: State,
    /// Given back when the answer is sent or dropped.
    _admitted: Option<Admitted>,
}

enum State {
    /// What is left to send.
    Rest { pieces: Payload, trailers: Option<HeaderMap> },
    /// Messages that are yet to come.
    Stream { parts: Parts, pieces: Payload, marks: Marks, failed: bool },
}

/// What holds for all answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// Whether answers that report an error say so in their trailers.
    pub(super) errors: bool,
    /// The largest message.
    pub(super) max_answer: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("an answer of {len} bytes is larger than the limit of {limit}")]
struct TooLarge {
    len: usize,
    limit: usize,
}

impl Marks {
    /// The message in its frame, if it may be sent.
    fn frame(self, message: &Message) -> Result<Payload, Error> {
        let pieces = proto::message::write_frame(message);
        let len = pieces.len().saturating_sub(crate::frame::HEAD);
        if len > self.max_answer {
            return Err(Error::new(ErrorCode::Overloaded, TooLarge { len, limit: self.max_answer }));
        }
        Ok(pieces)
    }
}

/// An answer of one message.
pub(super) fn one(message: &Message, admitted: Admitted, marks: Marks) -> Response<Body> {
    let pieces = match marks.frame(message) {
        Ok(pieces) => pieces,
        Err(error) => return failed(&error),
    };
    let mut trailers = status::ok();
    put_trailers(&mut trailers, message);
    if marks.errors && message.is_error() {
        trailers.insert(header::IS_ERROR, HeaderValue::from_static("true"));
    }
    response(State::Rest { pieces, trailers: Some(trailers) }, Some(admitted))
}

/// An answer of many messages.
pub(super) fn stream(parts: Parts, admitted: Option<Admitted>, marks: Marks) -> Response<Body> {
    response(State::Stream { parts, pieces: Payload::new(), marks, failed: false }, admitted)
}

/// An answer without a message: the status stands in the headers.
pub(super) fn failed(error: &Error) -> Response<Body> {
    let mut response = response(State::Rest { pieces: Payload::new(), trailers: None }, None);
    if error.cause::<NotGrpc>().is_some() {
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    put_error(response.headers_mut(), error);
    response
}

fn response(state: State, admitted: Option<Admitted>) -> Response<Body> {
    let mut response = Response::new(Body { state, _admitted: admitted });
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

fn put_error(headers: &mut HeaderMap, error: &Error) {
    Status::of(error).put(headers);
    if let Some(pause) = error.retry_after {
        headers.insert(RETRY_PUSHBACK, HeaderValue::from(pause.as_millis() as u64));
    }
    if error.code == call::ErrorCode::Unimplemented {
        headers.insert(header::GRPC_ACCEPT_ENCODING, HeaderValue::from_static(encoding::ACCEPTED));
    }
}

/// What an answer brought in its trailers, where header names and values allow it.
fn put_trailers(trailers: &mut HeaderMap, message: &Message) {
    for (name, value) in &message.trailers.0 {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.as_bytes().as_ref()), HeaderValue::try_from(&**value))
        {
            trailers.append(name, value);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let state = &mut self.get_mut().state;
        loop {
            match state {
                State::Rest { pieces, trailers } => {
                    return Poll::Ready(match next_piece(pieces) {
                        Some(piece) => Some(Ok(Frame::data(piece))),
                        None => trailers.take().map(|trailers| Ok(Frame::trailers(trailers))),
                    });
                }
                State::Stream { parts, pieces, marks, failed } => {
                    if let Some(piece) = next_piece(pieces) {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    let mut trailers = match std::task::ready!(parts.as_mut().poll_next(cx)) {
                        Some(Ok(message)) => match marks.frame(&message) {
                            Ok(frame) => {
                                *failed |= message.is_error();
                                *pieces = frame;
                                continue;
                            }
                            Err(error) => {
                                let mut trailers = HeaderMap::with_capacity(2);
                                put_error(&mut trailers, &error);
                                trailers
                            }
                        },
                        Some(Err(error)) => {
                            let mut trailers = HeaderMap::with_capacity(2);
                            put_error(&mut trailers, &error);
                            trailers
                        }
                        None => status::ok(),
                    };
                    if marks.errors && *failed {
                        trailers.insert(header::IS_ERROR, HeaderValue::from_static("true"));
                    }
                    // Dropping the stream cancels what is left of it.
                    *state = State::Rest { pieces: Payload::new(), trailers: Some(trailers) };
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.state, State::Rest { pieces, trailers: None } if pieces.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Rest { pieces, .. } => SizeHint::with_exact(pieces.len() as u64),
            State::Stream { .. } => SizeHint::default(),
        }
    }
}

fn next_piece(pieces: &mut Payload) -> Option<Bytes> {
    use bytes::Buf as _;
    let n = pieces.chunk().len();
    (n > 0).then(|| pieces.copy_to_bytes(n))
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rest { pieces, trailers } => {
                f.debug_struct("Rest").field("pieces", pieces).field("trailers", trailers).finish()
            }
            Self::Stream { .. } => f.write_str("Stream"),
        }
    }
}
