//! Tensors as they travel: raw items in row-major order.

mod items;

use bytes::Bytes;
use bytestring::ByteString;
use call::Payload;
use call::wire::{self, Malformed, Reader, Value};

pub use items::Item;
pub(crate) use items::half;

/// As many dimensions as numpy allows.
pub(crate) const MAX_RANK: usize = 64;

/// The most arrays that a tensor without items may consist of.
const MAX_EMPTY: usize = 1 << 20;

/// A tensor in row-major order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NdArray {
    /// What the items are.
    pub dtype: Dtype,
    /// The size of each dimension; empty for a single item.
    pub shape: Vec<usize>,
    /// The items, as many as the shape says.
    pub buffer: Bytes,
}

/// The type of a tensor's items in numpy's array-interface spelling, such as `<f4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dtype(ByteString);

/// A tensor whose parts do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNdArray {
    /// The type of the items is not known.
    #[error("`{dtype}` is no numeric type of a tensor")]
    Dtype {
        /// As it came.
        dtype: String,
    },
    /// The shape asks for another number of bytes.
    #[error("a tensor of shape {shape:?} and type {dtype} takes {wanted} bytes, not {found}")]
    Size {
        /// The shape.
        shape: Vec<usize>,
        /// The type.
        dtype: String,
        /// What the shape asks for.
        wanted: usize,
        /// What is there.
        found: usize,
    },
    /// The bytes are no tensor.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The shape asks for more bytes than there can be.
    #[error("a tensor of shape {shape:?} is too large")]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
    },
}

impl NdArray {
    /// Puts a tensor together.
    ///
    /// # Errors
    ///
    /// If the buffer does not hold as many items as the shape says.
    pub fn new(dtype: Dtype, shape: Vec<usize>, buffer: Bytes) -> Result<Self, InvalidNdArray> {
        check(&dtype, &shape, buffer.len())?;
        Ok(Self { dtype, shape, buffer })
    }

    /// Reads an `NdArrayProto`.
    ///
    /// # Errors
    ///
    /// If the bytes are no such message, or its parts do not fit together.
    pub fn read(wire: Payload) -> Result<Self, InvalidNdArray> {
        let (mut dtype, mut shape, mut buffer) = (ByteString::new(), Vec::new(), Bytes::new());
        let mut reader = Reader::new(wire);
        while let Some(field) = reader.next()? {
            if field.number != 1 {
                continue;
            }
            let mut dense = Reader::new(field.bytes()?);
            while let Some(field) = dense.next()? {
                match (field.number, field.value) {
                    (1, Value::Bytes(bytes)) => buffer = bytes.into_bytes(),
                    (2, Value::Varint(n)) => shape.push(size(n)),
                    (2, Value::Bytes(mut packed)) => {
                        while !packed.is_empty() {
                            shape.push(size(wire::get_varint(&mut packed)?));
                        }
                    }
                    (3, value) => dtype = wire::Field { number: 3, value }.text()?,
                    (1 | 2, _) => return Err(Malformed::Mismatch { field: field.number }.into()),
                    _ => {}
                }
            }
        }
        Self::new(dtype.try_into()?, shape, buffer)
    }

    /// Writes the content of an `NdArrayProto`.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        wire::put_message(to, 1, |to| {
            wire::put_bytes(to, 1, &self.buffer);
            if !self.shape.is_empty() {
                wire::put_message(to, 2, |to| {
                    for n in &self.shape {
                        wire::put_varint(to, *n as u64);
                    }
                });
            }
            wire::put_text(to, 3, self.dtype.as_str());
        });
    }
}

/// Whether a buffer of `found` bytes is a tensor of this type and shape.
pub(crate) fn check(dtype: &Dtype, shape: &[usize], found: usize) -> Result<(), InvalidNdArray> {
    let wanted = shape.iter().try_fold(dtype.item_size(), |size, n| size.checked_mul(*n));
    match wanted {
        // Neither takes memory as it stands here, but whoever walks the dimensions would need it.
        _ if shape.len() > MAX_RANK || n_empty(shape) > MAX_EMPTY => {
            Err(InvalidNdArray::TooLarge { shape: shape.to_vec() })
        }
        None => Err(InvalidNdArray::TooLarge { shape: shape.to_vec() }),
        Some(wanted) if wanted != found => Err(InvalidNdArray::Size {
            shape: shape.to_vec(),
            dtype: dtype.as_str().to_owned(),
            wanted,
            found,
        }),
        Some(_) => Ok(()),
    }
}

/// The number of items that the dimensions before the first empty one would hold; zero if none is empty.
fn n_empty(shape: &[usize]) -> usize {
    let before = shape.iter().position(|n| *n == 0).map(|empty| &shape[..empty]);
    before.map_or(0, |before| before.iter().fold(1, |product: usize, n| product.saturating_mul(*n)))
}

/// Dimensions are `uint32` on the wire; a larger one cannot be held anyway and fails the size check.
pub(crate) fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl Dtype {
    /// The spelling, such as `<f4`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bytes per item.
    #[must_use]
    pub fn item_size(&self) -> usize {
        // Checked at construction: one sign, one letter, a number.
        self.0[2..].parse().unwrap_or(0)
    }

    /// The kind of item: `f`, `i`, `u`, `b` or `c`.
    #[must_use]
    pub fn kind(&self) -> char {
        char::from(self.0.as_bytes()[1])
    }

    /// Whether items of several bytes have the most significant one first.
    #[must_use]
    pub fn is_big_endian(&self) -> bool {
        self.0.starts_with('>')
    }
}

impl TryFrom<ByteString> for Dtype {
    type Error = InvalidNdArray;

    fn try_from(dtype: ByteString) -> Result<Self, InvalidNdArray> {
        let known = matches!(
            &dtype.as_bytes()[..],
            [b'<' | b'>' | b'|' | b'=', b'b' | b'i' | b'u', b'1']
                | [b'<' | b'>' | b'=', b'i' | b'u' | b'f', b'2' | b'4' | b'8']
                | [b'<' | b'>' | b'=', b'c', b'8']
                | [b'<' | b'>' | b'=', b'c', b'1', b'6']
        );
        if known { Ok(Self(dtype)) } else { Err(InvalidNdArray::Dtype { dtype: dtype.to_string() }) }
    }
}
