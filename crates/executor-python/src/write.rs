//! Writing frames to a worker in as few pieces as may be: each one that is written alone wakes it.

use std::io::{self, IoSlice};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use call::Payload;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// Pieces that are smaller are put together.
const SMALL: usize = 16 << 10;
/// Pieces in one call of the system.
const SLICES: usize = 16;

/// Writes all of `frames` and leaves none.
pub(crate) async fn all(write: &mut (impl AsyncWrite + Unpin), frames: &mut Vec<Payload>) -> io::Result<()> {
    let mut pieces = pieces(frames.drain(..));
    let mut rest = &mut pieces[..];
    while let Some(first) = rest.first_mut() {
        if first.is_empty() {
            rest = &mut rest[1..];
            continue;
        }
        let slices: Vec<_> = rest.iter().take(SLICES).map(|piece| IoSlice::new(piece)).collect();
        let mut written = write.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        for piece in rest.iter_mut() {
            let n = written.min(piece.len());
            piece.advance(n);
            written -= n;
        }
    }
    Ok(())
}

/// The bytes of `frames`: large pieces as they are, small ones together.
fn pieces(frames: impl Iterator<Item = Payload>) -> Vec<Bytes> {
    let (mut pieces, mut small) = (Vec::new(), BytesMut::new());
    for piece in frames.flatten() {
        if piece.len() < SMALL {
            small.put_slice(&piece);
        } else {
            pieces.push(small.split().freeze());
            pieces.push(piece);
        }
    }
    pieces.push(small.freeze());
    pieces
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn frame(pieces: &[&[u8]]) -> Payload {
        let mut frame = Payload::new();
        for piece in pieces {
            frame.append(Bytes::copy_from_slice(piece).into());
        }
        frame
    }

    #[test]
    fn only_large_pieces_stand_alone() {
        let large = vec![7; SMALL];
        let pieces =
            pieces([frame(&[b"a", b"bc"]), frame(&[b"d", &large, b"e"]), frame(&[b"f"])].into_iter());
        assert_eq!(pieces, [&b"abcd"[..], &large, b"ef"]);
    }

    #[tokio::test]
    async fn all_is_written_whatever_the_socket_takes_at_once() {
        let (mut write, mut read) = tokio::io::duplex(1000);
        let large: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let mut frames = vec![frame(&[b"head", &large]), frame(&[b"tail"])];
        let want = [b"head", &large[..], b"tail"].concat();
        let mut got = vec![0; want.len()];
        let (written, read) = tokio::join!(all(&mut write, &mut frames), read.read_exact(&mut got));
        written.unwrap();
        read.unwrap();
        assert!(got == want && frames.is_empty());
    }
}
