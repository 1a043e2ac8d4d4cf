//! Compressed messages.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use call::Payload;

/// How messages of a stream are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// gzip.
    Gzip,
    /// zlib, which gRPC calls deflate.
    Deflate,
    /// Zstandard.
    Zstd,
}

/// What is accepted, in the form of the `grpc-accept-encoding` header.
pub const ACCEPTED: &str = "identity, deflate, gzip, zstd";

/// A message that cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The flag says compressed, the stream has no encoding.
    #[error("the message is marked as compressed, but the call names no encoding")]
    NoEncoding,
    /// It is not what the encoding says.
    #[error("the message is not valid {encoding}")]
    Corrupt {
        /// The encoding.
        encoding: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It grows beyond the limit; the rest was not decompressed.
    #[error("the message decompresses to more than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl Encoding {
    /// The name in the `grpc-encoding` header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    /// The encoding of that name.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Identity, Self::Gzip, Self::Deflate, Self::Zstd]
            .into_iter()
            .find(|encoding| encoding.name().as_bytes() == name)
    }

    /// Compresses a message.
    ///
    /// # Errors
    ///
    /// If the compressor fails, which memory alone can make it do.
    pub fn encode(self, message: &Payload) -> io::Result<Payload> {
        let level = flate2::Compression::fast();
        match self {
            Self::Identity => Ok(message.clone()),
            Self::Gzip => {
                pour(message, flate2::write::GzEncoder::new(Vec::new(), level), |encoder| encoder.finish())
            }
            Self::Deflate => {
                pour(message, flate2::write::ZlibEncoder::new(Vec::new(), level), |encoder| encoder.finish())
            }
            Self::Zstd => pour(message, zstd::Encoder::new(Vec::new(), 1)?, |encoder| encoder.finish()),
        }
    }

    /// Decompresses a message of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// If it is corrupt or larger.
    pub fn decode(self, message: Payload, limit: usize) -> Result<Payload, DecodeError> {
        let corrupt = |source| DecodeError::Corrupt { encoding: self.name(), source };
        let from = message.reader();
        let decoder: Box<dyn Read> = match self {
            Self::Identity => return Err(DecodeError::NoEncoding),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
            Self::Deflate => Box::new(flate2::bufread::ZlibDecoder::new(from)),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(from).map_err(corrupt)?),
        };
        let mut plain = Vec::new();
        let taken = limit.saturating_add(1) as u64;
        decoder.take(taken).read_to_end(&mut plain).map_err(corrupt)?;
        if plain.len() > limit {
            return Err(DecodeError::TooLarge { limit });
        }
        Ok(Bytes::from(plain).into())
    }
}

fn pour<W: Write>(
    message: &Payload,
    mut encoder: W,
    finish: impl FnOnce(W) -> io::Result<Vec<u8>>,
) -> io::Result<Payload> {
    for piece in message.pieces() {
        encoder.write_all(piece)?;
    }
    finish(encoder).map(Payload::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPRESSING: [Encoding; 3] = [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd];

    #[test]
    fn messages_survive_every_encoding() {
        let mut message = Payload::from(vec![7; 5_000]);
        message.push(Bytes::from_static(b"and more"));
        for encoding in COMPRESSING {
            assert_eq!(Encoding::from_name(encoding.name().as_bytes()), Some(encoding));
            let encoded = encoding.encode(&message).unwrap();
            assert!(encoded.len() < 200, "{encoding:?} did not compress");
            assert_eq!(encoding.decode(encoded, message.len()).unwrap(), message, "{encoding:?}");
        }
    }

    #[test]
    fn bombs_and_garbage_are_refused() {
        for encoding in COMPRESSING {
            let bomb = encoding.encode(&Payload::from(vec![0; 1_000_000])).unwrap();
            let error = encoding.decode(bomb, 1000).unwrap_err();
            assert!(matches!(error, DecodeError::TooLarge { limit: 1000 }), "{encoding:?}: {error}");
            let error = encoding.decode(Payload::from(b"not compressed".to_vec()), 1000).unwrap_err();
            assert!(matches!(error, DecodeError::Corrupt { .. }), "{encoding:?}: {error}");
        }
        let error = Encoding::Identity.decode(Payload::new(), 1).unwrap_err();
        assert!(matches!(error, DecodeError::NoEncoding), "{error}");
    }
}
