//! One document being updated with another.

use std::collections::HashMap;

use bytestring::ByteString;
use call::Payload;
use call::wire::{self, Malformed};

use super::shape::Shape;
use super::within;
use crate::node::{self, Node};

/// The fields of a document or a dictionary, their values encoded.
pub(super) struct Fields {
    fields: Vec<(ByteString, Payload)>,
    places: HashMap<ByteString, usize>,
}

impl Fields {
    pub(super) fn read(doc: Payload) -> Result<Self, Malformed> {
        let mut fields = Self { fields: Vec::new(), places: HashMap::new() };
        for field in node::fields(doc) {
            let (name, value) = field?;
            fields.set(name, value);
        }
        Ok(fields)
    }

    /// Takes over what `with` has to say. A value of null says nothing.
    pub(super) fn update(&mut self, with: Payload, shape: Shape<'_>) -> Result<(), Malformed> {
        for field in node::fields(with) {
            let (name, right) = field?;
            let place = self.places.get(&name).copied();
            let left = place.map(|place| self.fields[place].1.clone()).unwrap_or_default();
            let value = updated(left, right, shape.field(&name))?;
            self.set(name, value);
        }
        Ok(())
    }

    pub(super) fn write(self) -> Payload {
        let mut doc = Payload::new();
        for (name, value) in self.fields {
            let mut entry = Vec::with_capacity(name.len() + 16);
            wire::put_bytes(&mut entry, 1, name.as_bytes());
            wire::put_len(&mut entry, 2, value.len());
            let mut head = Vec::with_capacity(6);
            wire::put_len(&mut head, 1, entry.len() + value.len());
            head.append(&mut entry);
            doc.push(head.into());
            doc.append(value);
        }
        doc
    }

    fn set(&mut self, name: ByteString, value: Payload) {
        match self.places.get(&name) {
            Some(place) => self.fields[*place].1 = value,
            None => {
                self.places.insert(name.clone(), self.fields.len());
                self.fields.push((name, value));
            }
        }
    }
}

/// One value after the other has had its say; both are encoded `NodeProto`s.
fn updated(left: Payload, right: Payload, shape: Shape<'_>) -> Result<Payload, Malformed> {
    let ((old, _), (new, kind)) = (Node::read(left.clone())?, Node::read(right.clone())?);
    let merged = match (old, new) {
        (_, Node::Null) => return Ok(left),
        (Node::Doc(old), Node::Doc(new) | Node::Dict(new)) => Node::Doc(fields(old, new, shape)?),
        (Node::DocArray(old), Node::DocArray(new)) => Node::DocArray(within([old, new], shape.items())?),
        (Node::DocArray(old), Node::List(new)) => {
            Node::DocArray(within([old, documents(new)?], shape.items())?)
        }
        (Node::List(old), Node::DocArray(new)) => {
            Node::DocArray(within([documents(old)?, new], shape.items())?)
        }
        (Node::List(old), Node::List(new)) => Node::List(concat(old, new)),
        (Node::Set(old), Node::Set(new)) => Node::Set(union(old, new)?),
        (Node::Dict(old), Node::Dict(new)) if shape.is_document() || shape.merges_keys() => {
            Node::Dict(fields(old, new, shape)?)
        }
        _ => return Ok(right),
    };
    let mut wire = Vec::new();
    merged.write(kind.as_deref(), &mut wire);
    Ok(wire.into())
}

fn fields(old: Payload, new: Payload, shape: Shape<'_>) -> Result<Payload, Malformed> {
    let mut fields = Fields::read(old)?;
    fields.update(new, shape)?;
    Ok(fields.write())
}

fn concat(mut old: Payload, new: Payload) -> Payload {
    old.append(new);
    old
}

/// The items of both, each once. Equal items are those with equal bytes.
fn union(mut old: Payload, new: Payload) -> Result<Payload, Malformed> {
    let mut seen = std::collections::HashSet::new();
    for item in node::items(old.clone()) {
        seen.insert(item?.into_bytes());
    }
    for item in node::items(new) {
        let item = item?.into_bytes();
        if seen.insert(item.clone()) {
            node::append_item(&mut old, item.into());
        }
    }
    Ok(old)
}

/// A list of documents in the general encoding as a list of documents: both kinds of item have their fields
/// in the same form.
fn documents(list: Payload) -> Result<Payload, Malformed> {
    let mut docs = Payload::new();
    for item in node::items(list) {
        match Node::read(item?)?.0 {
            Node::Doc(fields) | Node::Dict(fields) => node::append_item(&mut docs, fields),
            _ => {}
        }
    }
    Ok(docs)
}
