//! The requests and answers of one connection.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use call::Admitted;
use futures_util::stream::SelectAll;
use futures_util::{Sink as _, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::{WebSocketStream, tungstenite};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tracing::debug;

use crate::close::Ending;
use crate::meter::Meter;
use crate::mode::{Mode, Outgoing, Received};
use crate::reply::{self, Answering, Reply};
use crate::vigil::{Signs, Verdict, Vigil};

/// Requests in, answers out, several at once.
///
/// Requests are begun only while fewer than `prefetch` are in flight, and answers are taken only while the client takes
/// them. So a client that does not read holds up itself and nobody else: what is kept for it are the requests it has in
/// flight, one more that was read, and one frame of an answer.
///
/// Once something ends the conversation, what is in flight is finished and no other request is begun; but if the client
/// closes or is gone, what is in flight is dropped.
pub(crate) struct Conversation<T> {
    socket: WebSocketStream<Meter<T>>,
    mode: Mode,
    answering: Answering,
    prefetch: usize,
    in_flight: SelectAll<Reply>,
    /// A request that was read and has to wait.
    held: Option<Reply>,
    /// The answer that is being sent.
    outgoing: Option<Outgoing>,
    /// Whether an answer reported a failure.
    told_error: bool,
    /// Whether something was handed to the socket and is not known to be sent.
    is_unsent: bool,
    is_readable: bool,
    /// How it ends when everything is answered.
    ending: Option<Ending>,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    vigil: Vigil,
}

/// Frames sent before others have their turn: a stream may have another document whenever it is asked.
const BURST: usize = 64;

/// Long enough for a client to act on an answer that it has.
const LINGERING: Duration = Duration::from_millis(250);

/// How long closing may take.
const CLOSING: Duration = Duration::from_secs(5);

impl<T: AsyncRead + AsyncWrite + Unpin> Conversation<T> {
    pub(crate) fn new(
        socket: WebSocketStream<Meter<T>>,
        mode: Mode,
        answering: Answering,
        settings: &crate::Settings,
    ) -> Self {
        Self {
            socket,
            mode,
            answering,
            prefetch: if settings.prefetch == 0 { usize::MAX } else { settings.prefetch },
            in_flight: SelectAll::new(),
            held: None,
            outgoing: None,
            told_error: false,
            is_unsent: false,
            is_readable: true,
            ending: None,
            stopped: Box::pin(settings.stop.clone().cancelled_owned()),
            vigil: Vigil::new(settings.keepalive),
        }
    }

    /// From the first request to the end of the connection.
    pub(crate) async fn run(mut self) {
        let ending = match std::future::poll_fn(|cx| self.poll(cx)).await {
            Ending::Done if self.told_error => self.linger().await,
            ending => ending,
        };
        // Whatever is left is cancelled before the other side is waited for.
        let Self { socket, in_flight, held, .. } = self;
        drop((in_flight, held));
        close(socket, &ending).await;
    }

    /// Leaves it to the client to close, for a while.
    ///
    /// When the close frame follows too closely on an answer that reports a failure, clients of Jina lose the failure,
    /// and their users believe that all is well; without it they close by themselves.
    async fn linger(&mut self) -> Ending {
        let closed = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(tungstenite::Message::Close(_))) => return Ending::ByClient,
                    Some(Ok(_)) => drop(self.socket.get_mut().take_admitted()),
                    Some(Err(_)) | None => return Ending::Lost("the client is gone"),
                }
            }
        };
        tokio::time::timeout(LINGERING, closed).await.unwrap_or(Ending::Done)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        if self.ending.is_none() && self.stopped.as_mut().poll(cx).is_ready() {
            self.end(Ending::Drained);
        }
        loop {
            match self.poll_send(cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(Ending::Lost("nothing can be sent any more")),
                Poll::Ready(Ok(())) if self.in_flight.is_empty() && self.held.is_none() => {
                    if let Some(ending) = self.ending.take() {
                        return Poll::Ready(ending);
                    }
                }
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            if self.begin_held() {
                continue;
            }
            match self.poll_read(cx) {
                Poll::Ready(None) => continue,
                Poll::Ready(Some(ending)) => return Poll::Ready(ending),
                Poll::Pending => {}
            }
            match self.vigil.poll(cx, self.signs()) {
                Poll::Ready(Verdict::Gone) => return Poll::Ready(Ending::Lost("the client does not answer")),
                Poll::Ready(Verdict::Ping) => {
                    let ping = tungstenite::Message::Ping(bytes::Bytes::new());
                    if self.start_send(ping).is_err() {
                        return Poll::Ready(Ending::Lost("nothing can be sent any more"));
                    }
                }
                Poll::Ready(Verdict::Wait) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    // === Answers ===

    /// Sends answers as they come. Ready when everything that is there is sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        let mut n_sent = 0;
        loop {
            if n_sent == BURST {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            n_sent += 1;
            if self.socket.poll_ready_unpin(cx)?.is_pending() {
                return Poll::Pending;
            }
            if self.outgoing.is_none() {
                self.outgoing = self.poll_answer(cx);
            }
            let Some(outgoing) = &mut self.outgoing else { break };
            let (frame, is_last) = outgoing.next_frame();
            if is_last {
                self.outgoing = None;
            }
            self.start_send(frame)?;
        }
        if self.is_unsent {
            std::task::ready!(self.socket.poll_flush_unpin(cx))?;
            self.is_unsent = false;
        }
        Poll::Ready(Ok(()))
    }

    /// The next answer, if there is one.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Option<Outgoing> {
        loop {
            match self.in_flight.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(answer))) => {
                    self.told_error |= answer.is_error;
                    return Some(answer);
                }
                Poll::Ready(Some(Err(error))) => self.end(Ending::Failed(error)),
                Poll::Ready(None) | Poll::Pending => return None,
            }
        }
    }

    fn start_send(&mut self, message: tungstenite::Message) -> Result<(), tungstenite::Error> {
        self.is_unsent = true;
        Pin::new(&mut self.socket).start_send(message)
    }

    // === Requests ===

    /// Begins the request that waits if there is room; whether it did.
    fn begin_held(&mut self) -> bool {
        if self.in_flight.len() >= self.prefetch {
            return false;
        }
        let held = self.held.take();
        let begins = held.is_some();
        self.in_flight.extend(held);
        begins
    }

    /// Reads a message, if one may be read. `Some` if nothing is left to be done but to close.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Ending>> {
        if !self.is_read() {
            return Poll::Pending;
        }
        let message = match std::task::ready!(self.socket.poll_next_unpin(cx)) {
            Some(Ok(tungstenite::Message::Close(_))) => return Poll::Ready(Some(Ending::ByClient)),
            None => return Poll::Ready(Some(Ending::Lost("the client is gone"))),
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                self.is_readable = false;
                match Ending::of_failed_read(error) {
                    lost @ Ending::Lost(_) => return Poll::Ready(Some(lost)),
                    ending => self.end(ending),
                }
                return Poll::Ready(None);
            }
        };
        if matches!(message, tungstenite::Message::Ping(_)) {
            // The answer is queued already.
            self.is_unsent = true;
        } else if message.is_binary() || message.is_text() {
            let admitted = self.socket.get_mut().take_admitted();
            // What comes after the end is not looked at, but its sender is listened to: it may close.
            if self.ending.is_none() {
                self.receive(message, admitted);
            }
        }
        Poll::Ready(None)
    }

    fn is_read(&self) -> bool {
        self.is_readable && self.held.is_none()
    }

    fn receive(&mut self, message: tungstenite::Message, admitted: Option<Admitted>) {
        match self.mode.read(message) {
            Ok(Received::End) => self.end(Ending::Done),
            Ok(Received::Request(asked)) => {
                self.held = Some(reply::reply(self.answering.clone(), asked, admitted));
            }
            Ok(Received::Wrong(answer)) => self.held = Some(reply::ready(answer)),
            Err(ending) => self.end(ending),
        }
    }

    /// No other request is begun. The first failure counts; without one, the first reason.
    fn end(&mut self, ending: Ending) {
        self.held = None;
        let is_open = match &self.ending {
            None => true,
            Some(Ending::Done | Ending::Drained) => ending.is_failure(),
            Some(_) => false,
        };
        if is_open {
            self.ending = Some(ending);
        }
    }

    fn signs(&self) -> Signs {
        let meter = self.socket.get_ref();
        Signs {
            received: meter.received(),
            sent: meter.sent(),
            is_read: self.is_read(),
            is_stuck: self.is_unsent,
        }
    }
}

/// Says why, waits for the client to close too, and closes.
pub(crate) async fn close<T>(mut socket: WebSocketStream<Meter<T>>, ending: &Ending)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    match ending {
        Ending::Lost(why) => debug!(why, "connection lost"),
        ending => debug!(?ending, "connection ends"),
    }
    let goodbye = async {
        match (ending.frame(), ending) {
            (Some(frame), _) => {
                socket.send(tungstenite::Message::Close(Some(frame))).await?;
                // Without this, what the client still sends would make the system throw away what was sent to it.
                socket.get_mut().read_out().await?;
            }
            // The answer to its close frame goes out on reading.
            (None, Ending::ByClient) => while socket.next().await.is_some() {},
            (None, _) => {}
        }
        socket.get_mut().shutdown().await?;
        Ok::<_, tungstenite::Error>(())
    };
    match tokio::time::timeout(CLOSING, goodbye).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "the connection broke while it was closed"),
        Err(_) => debug!("the client took too long to close"),
    }
}
