//! JSON becomes encoded values.
//!
//! Values are written in the general form that every receiver understands: objects as dictionaries, arrays as
//! lists, whether the receiver has a class there or not. Only what the schema knows to be a tensor or bytes is
//! written as such, as Python does.

mod compound;
mod scalar;
mod tensor;
mod union;

use call::wire::{self, Begun};
use jiter::Peek;

use super::invalid::{Fault, Problem};
use super::layout::Layout;
use super::shape::{Shape, Shapes, Slot};
use super::source::{Halt, Source};

/// Protocol Buffers libraries refuse messages inside messages beyond this; theirs, not ours, but documents that
/// no executor can read are better refused here, with their path.
const MAX_MESSAGES: usize = 100;

/// How many times over the text may be read, at most, to find out which of several shapes it has.
const MAX_READINGS: usize = 16;

/// Writes what a source says.
pub(super) struct Parser<'p, 'j> {
    source: &'p mut Source<'j>,
    shapes: &'p Shapes,
    layout: &'static Layout,
    to: &'p mut Vec<u8>,
    /// Messages around the value that is written.
    n_messages: usize,
    /// Whether values have to be of the type that is asked for, rather than able to become it.
    is_strict: bool,
    /// How many bytes may still be read in vain.
    budget: usize,
    numbers: tensor::Numbers,
}

/// Where a value goes.
#[derive(Clone, Copy)]
enum Place<'n> {
    /// A field of a document, with its name: an entry of a map of its own.
    Field(&'n str),
    /// A field of a message that is begun.
    Number(u32),
}

/// A message that is being written, perhaps with the entry that it stands in.
struct Opened {
    entry: Option<Begun>,
    value: Begun,
    content: Begun,
    n_messages: usize,
}

impl<'p, 'j> Parser<'p, 'j> {
    /// `n_messages` counts those around the value in the message it travels in.
    pub(super) fn new(
        source: &'p mut Source<'j>,
        shapes: &'p Shapes,
        layout: &'static Layout,
        n_messages: usize,
        to: &'p mut Vec<u8>,
    ) -> Self {
        let budget = source.len().saturating_mul(MAX_READINGS);
        let numbers = tensor::Numbers::default();
        Self { source, shapes, layout, to, n_messages, is_strict: false, budget, numbers }
    }

    /// Reads the next value into its place.
    fn value(&mut self, slot: Slot, place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        if peek == Peek::Null && slot.nullable {
            self.source.skip(peek)?;
            self.put_null(place);
            return Ok(());
        }
        self.shape(slot.shape, place, peek)
    }

    fn shape(&mut self, shape: usize, place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        let shapes = self.shapes;
        match (shapes.get(shape), peek) {
            (Shape::Any | Shape::Alias(_), _) => self.any(place, peek),
            (Shape::Text(rule), Peek::String) => self.text(rule.as_deref(), place),
            (Shape::Text(_), _) if peek.is_num() && shapes.is_lenient && !self.is_strict => {
                self.id(place, peek)
            }
            (Shape::Blob, Peek::String) => self.blob(place),
            (Shape::Integer(bounds), _) => self.integer(bounds.as_deref(), place, peek),
            (Shape::Number(bounds), _) => self.number(bounds.as_deref(), place, peek),
            (Shape::Boolean, _) => self.boolean(place, peek),
            (Shape::Choice(choices), _) => self.choice(choices, shape, place, peek),
            (Shape::Tensor(dimensions), _) => self.tensor(*dimensions, place, peek),
            (Shape::List { items, len }, Peek::Array) => self.list(*items, *len, place),
            (Shape::Tuple { items, rest, len }, Peek::Array) => self.tuple(items, *rest, *len, place),
            (Shape::Dict(values), Peek::Object) => self.dict(*values, place),
            (Shape::Class(class), Peek::Object) => self.document(&shapes.classes[*class], place),
            (Shape::Union(options), _) => self.union(options, shape, place, peek),
            _ => self.mismatch(shape, peek),
        }
    }

    /// Reads a value of no known shape.
    fn any(&mut self, place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        match peek {
            Peek::Null => {
                self.source.skip(peek)?;
                self.put_null(place);
                Ok(())
            }
            Peek::True | Peek::False => self.boolean(place, peek),
            Peek::String => self.text(None, place),
            Peek::Array => self.list(Slot::ANY, super::shape::Len::ANY, place),
            Peek::Object => self.dict(Slot::ANY, place),
            _ => self.any_number(place, peek),
        }
    }

    fn mismatch(&mut self, shape: usize, peek: Peek) -> Result<(), Halt> {
        self.source.mismatch(self.shapes.expected(shape), peek)
    }

    /// Begins a message of `depth` levels that holds other values.
    fn open(&mut self, place: Place<'_>, field: u32, depth: usize) -> Result<Opened, Halt> {
        let n_messages = self.n_messages;
        self.n_messages += depth;
        if self.n_messages > MAX_MESSAGES {
            let at = self.source.at();
            return Err(self.source.last_problem(Problem::new(Fault::TooDeep, at..at)));
        }
        let (entry, number) = match place {
            Place::Field(name) => {
                let entry = wire::begin_message(self.to, 1);
                wire::put_bytes(self.to, 1, name.as_bytes());
                (Some(entry), 2)
            }
            Place::Number(number) => (None, number),
        };
        let value = wire::begin_message(self.to, number);
        let content = wire::begin_message(self.to, field);
        Ok(Opened { entry, value, content, n_messages })
    }

    fn close(&mut self, opened: Opened) {
        opened.content.end(self.to);
        opened.value.end(self.to);
        if let Some(entry) = opened.entry {
            entry.end(self.to);
        }
        self.n_messages = opened.n_messages;
    }
}

impl Place<'_> {
    /// Writes what comes before the `len` bytes of a value.
    fn put_head(self, to: &mut Vec<u8>, len: usize) {
        match self {
            Place::Field(name) => {
                let entry = wire::bytes_len(1, name.len()) + wire::bytes_len(2, len);
                wire::put_len(to, 1, entry);
                wire::put_bytes(to, 1, name.as_bytes());
                wire::put_len(to, 2, len);
            }
            Place::Number(number) => wire::put_len(to, number, len),
        }
    }
}
