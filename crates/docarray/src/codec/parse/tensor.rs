//! Tensors: arrays of arrays of numbers become one buffer.
//!
//! The items have the type that numpy gives them: `<i8` if all are whole, `|b1` if all are booleans, `<f8`
//! otherwise. Null stands for NaN, which JSON cannot say; answers have it the same way. A text that holds the
//! JSON of a tensor is read as well, since that is how Jina's own answers have them.

use call::wire;
use jiter::Peek;

use super::{Halt, Parser, Place};
use crate::codec::invalid::{Fault, TensorFault};
use crate::codec::shape::Dimensions;
use crate::codec::source::{Number, Source};
use crate::ndarray::MAX_RANK;
use crate::node::field;

const KIND: &[u8] = b"ndarray";

/// The items of a tensor while they are read; kept for the next one.
#[derive(Default)]
pub(super) struct Numbers {
    /// The bits of 64-bit integers or of doubles.
    items: Vec<u64>,
    item: Item,
    /// The size of each dimension once an array of it has ended.
    shape: Vec<Option<usize>>,
    /// Below how many arrays the numbers stand, once there was one.
    rank: Option<usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Item {
    #[default]
    None,
    Boolean,
    Integer,
    Float,
}

impl Parser<'_, '_> {
    pub(super) fn tensor(
        &mut self,
        dimensions: Dimensions,
        place: Place<'_>,
        peek: Peek,
    ) -> Result<(), Halt> {
        if !self.layout.is_node {
            return self.any(place, peek);
        }
        let start = self.source.at();
        match peek {
            _ if peek == Peek::Array || is_item(peek) && !self.is_strict => {
                self.numbers.clear();
                let n_problems = self.source.n_problems();
                let read = match peek {
                    Peek::Array => self.numbers.array(self.source, 0),
                    _ => self.numbers.item(self.source, peek, 0),
                };
                match read {
                    Ok(()) if self.source.n_problems() == n_problems => {}
                    // Reading stops at the first item that is wrong; the tensor is passed by.
                    Ok(()) | Err(Halt::Stop) if !self.source.is_full() => {
                        self.source.rewind(start);
                        return self.source.skip(peek);
                    }
                    _ => return read,
                }
            }
            Peek::String if !self.is_strict => {
                let text = self.source.text()?.to_owned();
                if !self.numbers.read_text(&text) {
                    return if text.trim_start().starts_with('[') {
                        self.source.fault(Fault::Parse { expected: "array of numbers" }, start)
                    } else {
                        let expected = "array of numbers".to_owned();
                        self.source.fault(Fault::Type { expected, found: "string" }, start)
                    };
                }
            }
            _ => return self.source.mismatch("array of numbers".to_owned(), peek),
        }
        let found = self.numbers.items.len();
        if let Some(wanted) = dimensions.n_items
            && wanted != found
        {
            return self.source.fault(TensorFault::Items { wanted, found }.into(), start);
        }
        self.numbers.put(place, self.to);
        Ok(())
    }
}

/// Whether it is an item, of which alone a tensor without dimensions consists.
pub(super) fn is_item(peek: Peek) -> bool {
    peek.is_num() || matches!(peek, Peek::True | Peek::False)
}

impl Numbers {
    fn clear(&mut self) {
        self.items.clear();
        self.item = Item::None;
        self.shape.clear();
        self.rank = None;
    }

    fn read_text(&mut self, text: &str) -> bool {
        self.clear();
        let Ok(mut source) = Source::new(text.as_bytes()) else { return false };
        let read = match source.peek() {
            Ok(Peek::Array) => self.array(&mut source, 0),
            Ok(_) => return false,
            Err(halt) => Err(halt),
        };
        source.finish(read).is_ok()
    }

    /// Reads an array below `level` others. After a problem the rest is left where it is.
    fn array(&mut self, source: &mut Source<'_>, level: usize) -> Result<(), Halt> {
        let start = source.at();
        if level == MAX_RANK {
            return Err(source.abandon(TensorFault::Dimensions { limit: MAX_RANK }.into(), start));
        }
        if self.rank.is_some_and(|rank| rank <= level) {
            return Err(source.abandon(TensorFault::Ragged.into(), start));
        }
        if self.shape.len() == level {
            self.shape.push(None);
        }
        let mut n = 0;
        let mut item = source.first_item()?;
        while let Some(peek) = item {
            if peek == Peek::Array {
                self.array(source, level + 1)?;
            } else {
                let n_problems = source.n_problems();
                let read = self.item(source, peek, level + 1);
                source.within(n_problems, || crate::codec::invalid::Step::Item(n));
                read?;
            }
            n += 1;
            item = source.next_item()?;
        }
        match self.shape[level] {
            Some(size) if size != n => Err(source.abandon(TensorFault::Ragged.into(), start)),
            _ => {
                self.shape[level] = Some(n);
                Ok(())
            }
        }
    }

    fn item(&mut self, source: &mut Source<'_>, peek: Peek, level: usize) -> Result<(), Halt> {
        let start = source.at();
        match peek {
            Peek::Null => {
                source.skip(peek)?;
                self.push_float(f64::NAN);
            }
            Peek::True | Peek::False => {
                let bit = source.boolean(peek)?.into();
                match self.item {
                    Item::None | Item::Boolean => self.push(Item::Boolean, bit),
                    Item::Integer => self.push(Item::Integer, bit),
                    Item::Float => self.push_float(f64::from(u8::from(bit == 1))),
                }
            }
            _ if peek.is_num() => match source.number(peek)? {
                Number::Integer(integer) if self.item != Item::Float => {
                    self.push(Item::Integer, integer.cast_unsigned());
                }
                Number::Integer(integer) => self.push_float(integer as f64),
                Number::Large(digits) => match digits.parse() {
                    Ok(float) if f64::is_finite(float) => self.push_float(float),
                    _ => return Err(source.abandon(Fault::Infinite, start)),
                },
                Number::Float(float) if float.is_finite() => self.push_float(float),
                Number::Float(_) => return Err(source.abandon(Fault::Infinite, start)),
            },
            _ => {
                let found = crate::codec::source::kind(peek);
                let fault = Fault::Type { expected: "number".to_owned(), found };
                source.skip(peek)?;
                return Err(source.abandon(fault, start));
            }
        }
        // Numbers stand below as many arrays as the first of them, and beside numbers only.
        if self.rank.is_none() && self.shape.len() == level {
            self.rank = Some(level);
        }
        if self.rank == Some(level) { Ok(()) } else { Err(source.abandon(TensorFault::Ragged.into(), start)) }
    }

    fn push(&mut self, item: Item, bits: u64) {
        // The bits of a boolean are those of an integer.
        self.item = item;
        self.items.push(bits);
    }

    fn push_float(&mut self, float: f64) {
        if self.item != Item::Float {
            for bits in &mut self.items {
                *bits = (bits.cast_signed() as f64).to_bits();
            }
            self.item = Item::Float;
        }
        self.items.push(float.to_bits());
    }

    /// Writes a `NodeProto` with the tensor.
    fn put(&self, place: Place<'_>, to: &mut Vec<u8>) {
        let (dtype, size): (&[u8], _) = match self.item {
            Item::Boolean => (b"|b1", 1),
            Item::Integer => (b"<i8", 8),
            Item::None | Item::Float => (b"<f8", 8),
        };
        let buffer = self.items.len() * size;
        let dimensions = || self.shape.iter().map(|size| size.unwrap_or(0) as u64);
        let shape: usize = dimensions().map(wire::varint_len).sum();
        let shape_field = if self.shape.is_empty() { 0 } else { wire::bytes_len(2, shape) };
        let dense = wire::bytes_len(1, buffer) + shape_field + wire::bytes_len(3, dtype.len());
        let array = wire::bytes_len(1, dense);
        place.put_head(to, wire::bytes_len(field::NDARRAY, array) + wire::bytes_len(field::TYPE, KIND.len()));
        wire::put_len(to, field::NDARRAY, array);
        wire::put_len(to, 1, dense);
        wire::put_len(to, 1, buffer);
        if size == 1 {
            to.extend(self.items.iter().map(|bits| *bits as u8));
        } else {
            to.reserve(buffer);
            self.items.iter().for_each(|bits| to.extend_from_slice(&bits.to_le_bytes()));
        }
        if shape_field > 0 {
            wire::put_len(to, 2, shape);
            dimensions().for_each(|size| wire::put_varint(to, size));
        }
        wire::put_bytes(to, 3, dtype);
        wire::put_bytes(to, field::TYPE, KIND);
    }
}
