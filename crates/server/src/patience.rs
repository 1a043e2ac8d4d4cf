//! A limit on how long a new connection may leave open what protocol it speaks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How every HTTP/2 connection begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Fails reading when the peer has not shown in time whether it speaks HTTP/2; afterwards it is transparent.
#[derive(Debug)]
pub(crate) struct Patience<T> {
    io: T,
    /// `None` once the protocol is known.
    until: Option<Pin<Box<Sleep>>>,
    /// Bytes that agree with the preface.
    matched: usize,
}

impl<T> Patience<T> {
    pub(crate) fn new(io: T, patience: Duration) -> Self {
        Self { io, until: Some(Box::pin(tokio::time::sleep(patience))), matched: 0 }
    }

    fn saw(&mut self, bytes: &[u8]) {
        let rest = &PREFACE[self.matched..];
        let n = bytes.len().min(rest.len());
        self.matched += n;
        if bytes[..n] != rest[..n] || self.matched == PREFACE.len() {
            self.until = None;
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patience<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        let Some(until) = &mut this.until else { return read };
        match read {
            Poll::Ready(Ok(())) => {
                this.saw(&buf.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Poll::Pending if until.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no request came")))
            }
            other => other,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patience<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn check(case: &str, sent: &[u8], want_to_wait: bool) {
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = Patience::new(server, Duration::from_secs(10));
        client.write_all(sent).await.unwrap();
        let mut got = vec![0; sent.len()];
        server.read_exact(&mut got).await.unwrap();
        let more = tokio::time::timeout(Duration::from_secs(60), server.read_u8()).await;
        assert_eq!(more.is_err(), want_to_wait, "{case}: {more:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_unknown_protocol_is_waited_for_in_vain() {
        check("nothing", b"", false).await;
        check("half a preface", b"PRI * HT", false).await;
        check("a preface", PREFACE, true).await;
        check("HTTP/1.1", b"POST / HTTP/1.1\r\n", true).await;
        check("a short request", b"G", true).await;
    }
}
