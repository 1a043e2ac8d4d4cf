//! Counts what a client sends before it is buffered, and how much goes either way.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use call::{Admission, Admitted, Overload};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use crate::frames::{Frames, Kind, Seen};

/// A connection between the socket and the WebSocket protocol.
///
/// The protocol's implementation makes room for a frame when its head has been read. So the head is looked at here
/// first: the process takes on the message's bytes, or the head is never passed on and reading fails with [`Refused`].
#[derive(Debug)]
pub(crate) struct Meter<T> {
    io: T,
    frames: Frames,
    admission: Admission,
    max_message: usize,
    /// The message that is arriving and its length so far.
    arriving: Option<(Admitted, usize)>,
    /// Messages that have arrived and were not taken yet.
    arrived: VecDeque<Admitted>,
    refused: Option<Refused>,
    is_closed: bool,
    received: u64,
    sent: u64,
}

/// Why a frame is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The message is too large, by itself.
    #[error("the message has {len} bytes or more, the limit is {max}")]
    TooLarge {
        /// Its length as far as it is known.
        len: u64,
        /// The limit.
        max: usize,
    },
    /// There is too much of everything.
    #[error(transparent)]
    Overload(Overload),
    /// Pings and the like are short.
    #[error("a control frame of {len} bytes, the limit is 125")]
    LongControl {
        /// Its length.
        len: u64,
    },
}

const MAX_CONTROL: u64 = 125;

impl<T> Meter<T> {
    pub(crate) fn new(io: T, admission: Admission, max_message: usize) -> Self {
        Self {
            io,
            frames: Frames::default(),
            admission,
            max_message,
            arriving: None,
            arrived: VecDeque::new(),
            refused: None,
            is_closed: false,
            received: 0,
            sent: 0,
        }
    }

    /// What was taken on for the next message that was received.
    pub(crate) fn take_admitted(&mut self) -> Option<Admitted> {
        self.arrived.pop_front()
    }

    /// Bytes received so far.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Bytes sent so far.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Looks at what was received. Returns how much of it may be passed on: all, or what is before a head that is
    /// refused.
    fn look(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        loop {
            let before = bytes.len() - rest.len();
            match self.frames.next(&mut rest) {
                None => return bytes.len(),
                Some(Seen::Head { kind, len }) => {
                    if let Err(refused) = self.take_on(kind, len) {
                        self.refused = Some(refused);
                        self.follow(rest);
                        return before;
                    }
                }
                Some(Seen::End { kind, is_final }) => self.end(kind, is_final),
            }
        }
    }

    /// Looks only for the client's close frame.
    fn follow(&mut self, mut bytes: &[u8]) {
        while let Some(seen) = self.frames.next(&mut bytes) {
            self.is_closed |= matches!(seen, Seen::End { kind: Kind::Close, .. });
        }
    }

    fn take_on(&mut self, kind: Kind, len: u64) -> Result<(), Refused> {
        if kind != Kind::Data {
            return if len > MAX_CONTROL { Err(Refused::LongControl { len }) } else { Ok(()) };
        }
        let (mut admitted, before) = match self.arriving.take() {
            Some(arriving) => arriving,
            None => (self.admission.admit().map_err(Refused::Overload)?, 0),
        };
        let whole = len.saturating_add(before as u64);
        let Some(whole) = usize::try_from(whole).ok().filter(|whole| *whole <= self.max_message) else {
            return Err(Refused::TooLarge { len: whole, max: self.max_message });
        };
        admitted.add_bytes(whole - before).map_err(Refused::Overload)?;
        self.arriving = Some((admitted, whole));
        Ok(())
    }

    fn end(&mut self, kind: Kind, is_final: bool) {
        match kind {
            Kind::Close => self.is_closed = true,
            Kind::Data if is_final => self.arrived.extend(self.arriving.take().map(|(admitted, _)| admitted)),
            Kind::Data | Kind::Control => {}
        }
    }
}

impl<T: AsyncRead + Unpin> Meter<T> {
    /// Reads and forgets everything up to the end of what the client sends, or its close frame.
    pub(crate) async fn read_out(&mut self) -> io::Result<()> {
        let mut scratch = [0; 4096];
        while !self.is_closed {
            let n = self.io.read(&mut scratch).await?;
            if n == 0 {
                break;
            }
            self.follow(&scratch[..n]);
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Meter<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(refused) = this.refused {
            return Poll::Ready(Err(io::Error::other(refused)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        let received = &buf.filled()[before..];
        this.received += received.len() as u64;
        let passed_on = this.look(received);
        buf.set_filled(before + passed_on);
        match this.refused {
            Some(refused) if passed_on == 0 => Poll::Ready(Err(io::Error::other(refused))),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Meter<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let n = ready!(Pin::new(&mut this.io).poll_write(cx, bytes))?;
        this.sent += n as u64;
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use call::Limits;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    fn refused(error: &io::Error) -> Refused {
        *error.get_ref().unwrap().downcast_ref().unwrap()
    }

    /// A meter of a client that sends `bytes`.
    async fn meter(bytes: &[u8], limits: Limits) -> (Meter<impl AsyncRead + Unpin + use<>>, Admission) {
        let (mut client, server) = tokio::io::duplex(4096);
        client.write_all(bytes).await.unwrap();
        let admission = Admission::new(limits);
        (Meter::new(server, admission.clone(), 1000), admission)
    }

    #[tokio::test]
    async fn a_message_is_taken_on_when_its_head_is_there_and_given_back_when_it_is_done() {
        let head = [0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4];
        let (mut meter, admission) = meter(&head, Limits::default()).await;
        let mut read = [0; 100];
        assert_eq!(meter.read(&mut read).await.unwrap(), head.len());
        assert_eq!((admission.requests(), admission.bytes()), (1, 256), "before its payload");
        assert!(meter.take_admitted().is_none(), "it has not arrived");
        drop(meter);
        assert_eq!((admission.requests(), admission.bytes()), (0, 0));
    }

    #[tokio::test]
    async fn the_parts_of_a_message_count_together_and_pings_between_them_do_not() {
        let parts = [0x02, 0x81, 1, 2, 3, 4, 7, 0x89, 0x81, 1, 2, 3, 4, 7, 0x80, 0x82, 1, 2, 3, 4, 7, 7];
        let (mut meter, admission) = meter(&parts, Limits::default()).await;
        let mut read = [0; 100];
        assert_eq!(meter.read(&mut read).await.unwrap(), parts.len());
        let admitted = meter.take_admitted();
        assert_eq!((admission.requests(), admission.bytes()), (1, 3));
        drop(admitted);
        assert_eq!(admission.requests(), 0);
    }

    #[tokio::test]
    async fn what_is_before_a_refused_head_is_passed_on() {
        let small = [0x82, 0x81, 1, 2, 3, 4, 7];
        let large = [0x82, 0xfe, 0x03, 0xe9, 1, 2, 3, 4];
        let (mut meter, _) = meter(&[&small[..], &large].concat(), Limits::default()).await;
        let mut read = [0; 100];
        assert_eq!(meter.read(&mut read).await.unwrap(), small.len());
        assert!(meter.take_admitted().is_some());
        let error = meter.read(&mut read).await.unwrap_err();
        assert_eq!(refused(&error), Refused::TooLarge { len: 1001, max: 1000 });
    }

    #[tokio::test]
    async fn the_limits_of_the_process_count_before_anything_is_buffered() {
        let message = [0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4];
        for limits in [Limits { requests: 0, bytes: 1000 }, Limits { requests: 1, bytes: 255 }] {
            let (mut meter, admission) = meter(&message, limits).await;
            let error = meter.read(&mut [0; 100]).await.unwrap_err();
            assert!(matches!(refused(&error), Refused::Overload(_)), "{error}");
            assert_eq!((admission.requests(), admission.bytes()), (0, 0));
        }
    }

    #[tokio::test]
    async fn long_control_frames_are_refused() {
        let (mut meter, _) = meter(&[0x89, 0xfe, 0x00, 0x7e, 1, 2, 3, 4], Limits::default()).await;
        let error = meter.read(&mut [0; 100]).await.unwrap_err();
        assert_eq!(refused(&error), Refused::LongControl { len: 126 });
    }

    #[tokio::test]
    async fn reading_out_ends_at_the_close_frame() {
        let bytes = [0x82, 0x81, 1, 2, 3, 4, 7, 0x88, 0x80, 1, 2, 3, 4];
        let (client, server) = tokio::io::duplex(4096);
        let (_open, mut write) = tokio::io::split(client);
        write.write_all(&bytes).await.unwrap();
        let mut meter = Meter::new(server, Admission::new(Limits::default()), 1000);
        meter.read_out().await.unwrap();
    }
}
