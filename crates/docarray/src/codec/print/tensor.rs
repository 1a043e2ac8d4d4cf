//! Tensors in JSON: numbers in arrays, one level for each dimension.
//!
//! NaN and infinities become null, floats of 16 and 32 bits the shortest digits that stand for them, complex
//! numbers pairs of their real and imaginary parts.

use smallvec::SmallVec;

use super::{put_boolean, put_float, put_integer};
use crate::codec::slices::{Fields, Value};
use crate::doc::DocError;
use crate::ndarray::{self, half};
use crate::{Dtype, InvalidNdArray};

/// A tensor whose items are where they were received.
struct Tensor<'w> {
    buffer: &'w [u8],
    shape: SmallVec<[usize; 8]>,
    is_big_endian: bool,
}

/// Writes an `NdArrayProto`.
pub(super) fn put(wire: &[u8], to: &mut Vec<u8>) -> Result<(), DocError> {
    let (mut tensor, dtype) = read(wire)?;
    match (dtype.kind(), dtype.item_size()) {
        ('c', size) => {
            tensor.shape.push(2);
            if size == 8 {
                tensor.put(to, |item, to| put_single(f32::from_le_bytes(item), to));
            } else {
                tensor.put(to, |item, to| put_float(f64::from_le_bytes(item), to));
            }
        }
        ('f', 8) => tensor.put(to, |item, to| put_float(f64::from_le_bytes(item), to)),
        ('f', 4) => tensor.put(to, |item, to| put_single(f32::from_le_bytes(item), to)),
        ('f', _) => tensor.put(to, |item, to| put_single(half(u16::from_le_bytes(item)) as f32, to)),
        ('i', 8) => tensor.put(to, |item, to| put_integer(i64::from_le_bytes(item), to)),
        ('i', 4) => tensor.put(to, |item, to| put_integer(i32::from_le_bytes(item).into(), to)),
        ('i', 2) => tensor.put(to, |item, to| put_integer(i16::from_le_bytes(item).into(), to)),
        ('i', _) => tensor.put(to, |item, to| put_integer(i8::from_le_bytes(item).into(), to)),
        ('u', 8) => tensor.put(to, |item, to| put_unsigned(u64::from_le_bytes(item), to)),
        ('u', 4) => tensor.put(to, |item, to| put_integer(u32::from_le_bytes(item).into(), to)),
        ('u', 2) => tensor.put(to, |item, to| put_integer(u16::from_le_bytes(item).into(), to)),
        ('u', _) => tensor.put(to, |item, to| put_integer(u8::from_le_bytes(item).into(), to)),
        (_, _) => tensor.put(to, |item: [u8; 1], to| put_boolean(item != [0], to)),
    }
    Ok(())
}

fn read(wire: &[u8]) -> Result<(Tensor<'_>, Dtype), InvalidNdArray> {
    let (mut buffer, mut dtype) = (&[][..], "");
    let mut shape = SmallVec::<[usize; 8]>::new();
    let mut outer = Fields::new(wire);
    while let Some((number, value)) = outer.next()? {
        if number != 1 {
            continue;
        }
        let mut dense = Fields::new(value.bytes(number)?);
        while let Some((number, value)) = dense.next()? {
            match (number, value) {
                (1, value) => buffer = value.bytes(number)?,
                (2, Value::Varint(n)) => shape.push(ndarray::size(n)),
                (2, value) => {
                    let mut packed = value.bytes(number)?;
                    while !packed.is_empty() {
                        shape.push(ndarray::size(call::wire::get_varint(&mut packed)?));
                    }
                }
                (3, value) => dtype = value.text(number)?,
                _ => {}
            }
        }
    }
    let dtype = Dtype::try_from(bytestring::ByteString::from(dtype))?;
    ndarray::check(&dtype, &shape, buffer.len())?;
    let is_big_endian = dtype.is_big_endian();
    Ok((Tensor { buffer, shape, is_big_endian }, dtype))
}

impl Tensor<'_> {
    /// Writes items of `N` bytes, which are handed out with the least significant byte first.
    fn put<const N: usize>(&self, to: &mut Vec<u8>, put: impl Fn([u8; N], &mut Vec<u8>)) {
        let (items, _) = self.buffer.as_chunks::<N>();
        if self.is_big_endian {
            let reversed = |mut item: [u8; N]| {
                item.reverse();
                item
            };
            nested(&self.shape, &mut items.iter().copied().map(reversed), to, &put);
        } else {
            nested(&self.shape, &mut items.iter().copied(), to, &put);
        }
    }
}

/// There are as many items as the shape says, and no more dimensions than the stack has room for.
fn nested<const N: usize>(
    shape: &[usize],
    items: &mut impl Iterator<Item = [u8; N]>,
    to: &mut Vec<u8>,
    put: &impl Fn([u8; N], &mut Vec<u8>),
) {
    match shape {
        [] => {
            if let Some(item) = items.next() {
                put(item, to);
            }
        }
        [n, inner @ ..] => {
            to.push(b'[');
            for index in 0..*n {
                if index > 0 {
                    to.push(b',');
                }
                nested(inner, items, to, put);
            }
            to.push(b']');
        }
    }
}

fn put_single(float: f32, to: &mut Vec<u8>) {
    if float.is_finite() {
        to.extend_from_slice(zmij::Buffer::new().format_finite(float).as_bytes());
    } else {
        to.extend_from_slice(b"null");
    }
}

fn put_unsigned(integer: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
}
