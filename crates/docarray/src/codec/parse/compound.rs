//! Values that hold other values.

use call::wire;
use jiter::Peek;
use smallvec::{SmallVec, smallvec};

use super::{Halt, Parser, Place};
use crate::codec::invalid::{Bound, Fault, Problem, Step};
use crate::codec::shape::{Class, Len, Null, Slot};

/// A list is a message of its own, and so is each item.
const LIST_DEPTH: usize = 2;
/// An object, each of its entries and each value.
const OBJECT_DEPTH: usize = 3;

/// Which fields of a document came, a bit each.
struct Seen(SmallVec<[u64; 2]>);

/// What to do with the value of a key.
enum Key {
    Known(usize),
    Other(Slot),
    Unwanted,
}

impl Parser<'_, '_> {
    /// Reads an array of documents, or one document in its place, into a `DocListProto`. Returns whether it
    /// was one.
    pub(in crate::codec) fn documents(&mut self, peek: Peek) -> Result<bool, Halt> {
        match peek {
            Peek::Array => {
                let mut n = 0;
                let mut item = self.source.first_item()?;
                while let Some(peek) = item {
                    let n_problems = self.source.n_problems();
                    let read = self.item(peek);
                    self.source.within(n_problems, || Step::Item(n));
                    read?;
                    n += 1;
                    item = self.source.next_item()?;
                }
                Ok(false)
            }
            Peek::Object => self.item(peek).map(|()| true),
            _ => self.source.mismatch("array".to_owned(), peek).map(|()| false),
        }
    }

    fn item(&mut self, peek: Peek) -> Result<(), Halt> {
        if peek != Peek::Object {
            return self.source.mismatch("object".to_owned(), peek);
        }
        let item = wire::begin_message(self.to, 1);
        self.fields(self.shapes.root())?;
        item.end(self.to);
        Ok(())
    }

    /// Reads an object into the content of a `DocProto`, or of a `Struct`.
    pub(in crate::codec) fn root(&mut self, peek: Peek) -> Result<(), Halt> {
        if peek != Peek::Object {
            return self.source.mismatch("object".to_owned(), peek);
        }
        self.fields(self.shapes.root())
    }

    pub(super) fn document(&mut self, class: &Class, place: Place<'_>) -> Result<(), Halt> {
        let opened = self.open(place, self.layout.object, OBJECT_DEPTH)?;
        self.fields(class)?;
        self.close(opened);
        Ok(())
    }

    fn fields(&mut self, class: &Class) -> Result<(), Halt> {
        let start = self.source.at();
        let mut seen = Seen::new(class.fields.len());
        let (mut next, mut n_required) = (0, 0);
        let mut key = self.source.first_key()?;
        while let Some(name) = key {
            let to_key = match (class.find(name, next), class.open) {
                (Some(index), _) => Key::Known(index),
                (None, Some(slot)) => Key::Other(slot),
                // What is meant for one executor of a Flow is not for this schema to judge.
                (None, None) if !self.layout.is_node && name.contains("__") => Key::Other(Slot::ANY),
                (None, None) => Key::Unwanted,
            };
            match to_key {
                Key::Known(index) => {
                    next = index + 1;
                    if self.field(class, index)? && seen.add(index) {
                        n_required += usize::from(class.fields[index].required);
                    }
                }
                Key::Other(slot) => {
                    let entry = wire::begin_message(self.to, 1);
                    wire::put_bytes(self.to, 1, name.as_bytes());
                    let key = self.to.len() - name.len()..self.to.len();
                    self.entry_value(slot, key)?;
                    entry.end(self.to);
                }
                Key::Unwanted => {
                    let peek = self.source.peek()?;
                    self.source.skip(peek)?;
                }
            }
            key = self.source.next_key()?;
        }
        if n_required < class.n_required {
            for (index, (name, field)) in class.fields.iter().enumerate() {
                if field.required && !seen.has(index) {
                    let missing = Problem::new(Fault::Missing, start..self.source.at());
                    self.source.problem(missing.within(Step::Key(name.to_string())))?;
                }
            }
        }
        self.put_absent(class, &seen);
        Ok(())
    }

    /// Reads the value of a field; false if it is as if the field had not come.
    fn field(&mut self, class: &Class, index: usize) -> Result<bool, Halt> {
        let Some((name, field)) = class.fields.get_index(index) else { return Ok(false) };
        let peek = self.source.peek()?;
        let is_id = class.gives_id && index == 0;
        if peek == Peek::Null && (is_id || field.null == Null::Absent) {
            self.source.skip(peek)?;
            return Ok(false);
        }
        let n_problems = self.source.n_problems();
        let place = Place::Field(name);
        let slot = Slot { nullable: field.null == Null::Value, ..field.slot };
        let read = if is_id { self.id(place, peek) } else { self.value(slot, place, peek) };
        self.source.within(n_problems, || Step::Key(name.to_string()));
        // A field that came and is wrong is not missing besides.
        read.map(|()| true)
    }

    /// Writes what a document gets that lacks it: an id. Parameters get their defaults, so that the answer tells
    /// what they were; executors know those of their documents.
    fn put_absent(&mut self, class: &Class, seen: &Seen) {
        if class.gives_id && !seen.has(0) {
            self.put_text(Place::Field("id"), &call::new_id());
        }
        if self.layout.is_node {
            return;
        }
        for (index, (name, field)) in class.fields.iter().enumerate() {
            if let (Some(default), false) = (&field.default, seen.has(index)) {
                let entry = call::Entry::new(name.to_string(), default);
                wire::put_message(self.to, 1, |to| {
                    wire::put_bytes(to, 1, entry.key.as_bytes());
                    wire::put_bytes(to, 2, &entry.value);
                });
            }
        }
    }

    pub(super) fn dict(&mut self, values: Slot, place: Place<'_>) -> Result<(), Halt> {
        let opened = self.open(place, self.layout.object, OBJECT_DEPTH)?;
        let mut key = self.source.first_key()?;
        while let Some(name) = key {
            let entry = wire::begin_message(self.to, 1);
            wire::put_bytes(self.to, 1, name.as_bytes());
            let key_at = self.to.len() - name.len()..self.to.len();
            self.entry_value(values, key_at)?;
            entry.end(self.to);
            key = self.source.next_key()?;
        }
        self.close(opened);
        Ok(())
    }

    /// Reads the value of a key that was just written.
    fn entry_value(&mut self, slot: Slot, key: std::ops::Range<usize>) -> Result<(), Halt> {
        let peek = self.source.peek()?;
        let n_problems = self.source.n_problems();
        let read = self.value(slot, Place::Number(2), peek);
        let written = &self.to[key];
        self.source.within(n_problems, || Step::Key(String::from_utf8_lossy(written).into_owned()));
        read
    }

    pub(super) fn list(&mut self, items: Slot, len: Len, place: Place<'_>) -> Result<(), Halt> {
        self.items(len, place, |_| Some(items))
    }

    pub(super) fn tuple(
        &mut self,
        items: &[Slot],
        rest: Option<Slot>,
        len: Len,
        place: Place<'_>,
    ) -> Result<(), Halt> {
        let least = len.min.max(items.len());
        let most = if rest.is_none() { len.max.min(items.len()) } else { len.max };
        self.items(Len { min: least, max: most }, place, |n| items.get(n).copied().or(rest))
    }

    /// Reads the items of an array; those that have no slot are passed by.
    fn items(
        &mut self,
        len: Len,
        place: Place<'_>,
        slot: impl Fn(usize) -> Option<Slot>,
    ) -> Result<(), Halt> {
        let start = self.source.at();
        let opened = self.open(place, self.layout.list, LIST_DEPTH)?;
        let mut n = 0;
        let mut item = self.source.first_item()?;
        while let Some(peek) = item {
            match slot(n) {
                Some(slot) => {
                    let n_problems = self.source.n_problems();
                    let read = self.value(slot, Place::Number(1), peek);
                    self.source.within(n_problems, || Step::Item(n));
                    read?;
                }
                None => self.source.skip(peek)?,
            }
            n += 1;
            item = self.source.next_item()?;
        }
        self.close(opened);
        if n < len.min {
            self.source.fault(Fault::Bound(Bound::MinItems(len.min)), start)?;
        } else if n > len.max {
            self.source.fault(Fault::Bound(Bound::MaxItems(len.max)), start)?;
        }
        Ok(())
    }
}

impl Class {
    /// The field of this name. Senders mostly keep to one order, so `next` is looked at first.
    pub(in crate::codec) fn find(&self, name: &str, next: usize) -> Option<usize> {
        match self.fields.get_index(next) {
            Some((expected, _)) if &**expected == name => Some(next),
            _ => self.fields.get_index_of(name),
        }
    }
}

impl Seen {
    fn new(n_fields: usize) -> Self {
        Self(smallvec![0; n_fields.div_ceil(64)])
    }

    /// Adds a field; false if it is there already.
    fn add(&mut self, index: usize) -> bool {
        let is_new = !self.has(index);
        self.0[index / 64] |= 1 << (index % 64);
        is_new
    }

    fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|bits| bits >> (index % 64) & 1 == 1)
    }
}
