//! The items of tensors as numbers.

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::{Number, Value};

use super::{Dtype, InvalidNdArray, NdArray};

/// A number type that tensors are made of.
pub trait Item: Copy {
    /// The type's spelling.
    const DTYPE: &'static str;

    /// Adds the item's little-endian bytes.
    fn put(self, to: &mut Vec<u8>);
}

macro_rules! items {
    ($($item:ident $dtype:literal)*) => {$(
        impl Item for $item {
            const DTYPE: &'static str = $dtype;

            fn put(self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

items! { f32 "<f4" f64 "<f8" i8 "|i1" i16 "<i2" i32 "<i4" i64 "<i8" u8 "|u1" u16 "<u2" u32 "<u4" u64 "<u8" }

impl NdArray {
    /// A tensor of these items in row-major order.
    ///
    /// # Errors
    ///
    /// If the shape asks for another number of items.
    pub fn of<T: Item>(shape: Vec<usize>, items: &[T]) -> Result<Self, InvalidNdArray> {
        let mut buffer = Vec::with_capacity(size_of_val(items));
        items.iter().for_each(|item| item.put(&mut buffer));
        Self::new(Dtype(ByteString::from_static(T::DTYPE)), shape, buffer.into())
    }

    /// The items in row-major order as doubles; `None` for complex numbers.
    #[must_use]
    pub fn to_numbers(&self) -> Option<Vec<f64>> {
        let size = self.dtype.item_size();
        let big_endian = self.dtype.is_big_endian();
        let read: fn([u8; 8]) -> f64 = match (self.dtype.kind(), size) {
            ('f', 8) => f64::from_le_bytes,
            ('f', 4) => |bytes| f32::from_le_bytes(low(bytes)).into(),
            ('f', 2) => |bytes| half(u16::from_le_bytes(low(bytes))),
            ('i', 8) => |bytes| i64::from_le_bytes(bytes) as f64,
            ('i', 4) => |bytes| i32::from_le_bytes(low(bytes)).into(),
            ('i', 2) => |bytes| i16::from_le_bytes(low(bytes)).into(),
            ('i', 1) => |bytes| i8::from_le_bytes(low(bytes)).into(),
            // Booleans are bytes of 0 and 1.
            ('u' | 'b', _) => |bytes| u64::from_le_bytes(bytes) as f64,
            _ => return None,
        };
        let number = |item: &[u8]| {
            let mut bytes = [0; 8];
            bytes[..size].copy_from_slice(item);
            if big_endian {
                bytes[..size].reverse();
            }
            read(bytes)
        };
        Some(self.buffer.chunks_exact(size).map(number).collect())
    }

    /// The tensor as nested arrays of numbers; null for complex numbers.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Some(numbers) = self.to_numbers() else { return Value::Null };
        let whole = self.dtype.kind() != 'f';
        let number = |number: f64| {
            // Doubles hold whole numbers up to 2^53 exactly; beyond, the nearest one has to do.
            let number = if whole { Some((number as i64).into()) } else { Number::from_f64(number) };
            number.map_or(Value::Null, Value::Number)
        };
        nest(&self.shape, &mut numbers.into_iter().map(number))
    }

    /// A tensor of nested arrays of numbers, whole ones as `<i8`, others as `<f8`, as numpy makes them; `None`
    /// if it is none.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let mut shape = Vec::new();
        let mut first = value;
        while let Value::Array(items) = first {
            shape.push(items.len());
            match items.first() {
                Some(item) => first = item,
                None => break,
            }
        }
        let mut numbers = Vec::new();
        flatten(value, &shape, &mut numbers)?;
        let whole: Option<Vec<i64>> = numbers.iter().map(|number| number.as_i64()).collect();
        match whole {
            Some(whole) if !whole.is_empty() => Self::of(shape, &whole).ok(),
            _ => {
                let numbers: Vec<f64> = numbers.iter().filter_map(|number| number.as_f64()).collect();
                Self::of(shape, &numbers).ok()
            }
        }
    }
}

impl<T: Item> From<&[T]> for NdArray {
    /// A vector.
    fn from(items: &[T]) -> Self {
        let mut buffer = Vec::with_capacity(size_of_val(items));
        items.iter().for_each(|item| item.put(&mut buffer));
        let dtype = Dtype(ByteString::from_static(T::DTYPE));
        Self { dtype, shape: vec![items.len()], buffer: Bytes::from(buffer) }
    }
}

impl<T: Item> From<Vec<T>> for NdArray {
    /// A vector.
    fn from(items: Vec<T>) -> Self {
        Self::from(&items[..])
    }
}

fn low<const N: usize>(bytes: [u8; 8]) -> [u8; N] {
    let mut low = [0; N];
    low.copy_from_slice(&bytes[..N]);
    low
}

/// A 16-bit float.
pub(crate) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}

fn nest(shape: &[usize], items: &mut impl Iterator<Item = Value>) -> Value {
    match shape {
        [] => items.next().unwrap_or_default(),
        [n, inner @ ..] => Value::Array((0..*n).map(|_| nest(inner, items)).collect()),
    }
}

/// Collects the numbers if all arrays have the lengths that `shape` says.
fn flatten<'a>(value: &'a Value, shape: &[usize], numbers: &mut Vec<&'a Number>) -> Option<()> {
    match (value, shape) {
        (Value::Number(number), []) => {
            numbers.push(number);
            Some(())
        }
        (Value::Array(items), [n, inner @ ..]) if items.len() == *n => {
            items.iter().try_for_each(|item| flatten(item, inner, numbers))
        }
        _ => None,
    }
}
