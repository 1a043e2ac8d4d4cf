//! Bringing the documents of several branches together, by their ids.
//!
//! The first list leads: its documents stay in their order, those that another list changed are updated field
//! by field, new ones follow. Documents that nobody changed are passed on as the slices they are, so the work
//! grows with the documents that meet, not with what they hold.

mod fields;
mod shape;

use std::collections::HashMap;

use bytestring::ByteString;
use call::Payload;
use call::wire::Malformed;
use serde_json::Value;

use crate::node::{self, Node};

use fields::Fields;
use shape::Shape;

/// Merges encoded `DocListProto`s; where two disagree on a field, the later list has its way.
///
/// `schema` is the JSON schema of the documents, if known: it tells dictionaries that are merged from those
/// that are replaced.
///
/// # Errors
///
/// If a document is malformed.
pub fn merge(lists: impl IntoIterator<Item = Payload>, schema: Option<&Value>) -> Result<Payload, Malformed> {
    within(lists, Shape::of(schema))
}

fn within(lists: impl IntoIterator<Item = Payload>, shape: Shape<'_>) -> Result<Payload, Malformed> {
    let mut lists = lists.into_iter();
    let Some(first) = lists.next() else { return Ok(Payload::new()) };
    let mut merged = Merged::default();
    merged.append(first)?;
    for list in lists {
        merged.update(list, shape)?;
    }
    Ok(merged.write())
}

/// The ids of the documents of an encoded `DocListProto`; `None` for a document without one.
///
/// # Errors
///
/// If a document is malformed.
pub fn ids(docs: Payload) -> Result<Vec<Option<ByteString>>, Malformed> {
    node::items(docs).map(|doc| id(&doc?)).collect()
}

/// Puts documents into the order in which their ids stand in `order`; others follow as they stand.
///
/// # Errors
///
/// If a document is malformed.
pub fn sort(docs: Payload, order: &[Option<ByteString>]) -> Result<Payload, Malformed> {
    let mut places = HashMap::with_capacity(order.len());
    for (place, id) in order.iter().enumerate() {
        if let Some(id) = id {
            places.entry(id).or_insert(place);
        }
    }
    let mut placed = Vec::new();
    for doc in node::items(docs.clone()) {
        let doc = doc?;
        let place = id(&doc)?.and_then(|id| places.get(&id).copied()).unwrap_or(usize::MAX);
        placed.push((place, doc));
    }
    if placed.is_sorted_by_key(|(place, _)| *place) {
        return Ok(docs);
    }
    placed.sort_by_key(|(place, _)| *place);
    let mut sorted = Payload::new();
    for (_, doc) in placed {
        node::append_item(&mut sorted, doc);
    }
    Ok(sorted)
}

/// A list of documents and where to find them by id.
#[derive(Default)]
struct Merged {
    docs: Vec<Doc>,
    /// The last document of each id.
    places: HashMap<ByteString, usize>,
}

enum Doc {
    /// As it came.
    Untouched(Payload),
    /// Updated.
    Updated(Fields),
}

impl Merged {
    fn append(&mut self, list: Payload) -> Result<(), Malformed> {
        for doc in node::items(list) {
            self.push(doc?)?;
        }
        Ok(())
    }

    fn push(&mut self, doc: Payload) -> Result<(), Malformed> {
        if let Some(id) = id(&doc)? {
            self.places.insert(id, self.docs.len());
        }
        self.docs.push(Doc::Untouched(doc));
        Ok(())
    }

    fn update(&mut self, list: Payload, shape: Shape<'_>) -> Result<(), Malformed> {
        for doc in node::items(list) {
            let doc = doc?;
            let known = id(&doc)?.and_then(|id| self.places.get(&id).copied());
            match known {
                Some(place) => self.docs[place].update(doc, shape)?,
                None => self.push(doc)?,
            }
        }
        Ok(())
    }

    fn write(self) -> Payload {
        let mut list = Payload::new();
        for doc in self.docs {
            let doc = match doc {
                Doc::Untouched(doc) => doc,
                Doc::Updated(fields) => fields.write(),
            };
            node::append_item(&mut list, doc);
        }
        list
    }
}

impl Doc {
    fn update(&mut self, with: Payload, shape: Shape<'_>) -> Result<(), Malformed> {
        if let Self::Untouched(doc) = self {
            *self = Self::Updated(Fields::read(doc.clone())?);
        }
        if let Self::Updated(fields) = self {
            fields.update(with, shape)?;
        }
        Ok(())
    }
}

/// The id of an encoded `DocProto`.
fn id(doc: &Payload) -> Result<Option<ByteString>, Malformed> {
    let mut id = None;
    for field in node::fields(doc.clone()) {
        let (name, wire) = field?;
        if name == "id" {
            id = match Node::read(wire)?.0 {
                Node::Text(text) => Some(text),
                // Peers may number their documents.
                Node::Integer(number) => Some(number.to_string().into()),
                _ => None,
            };
        }
    }
    Ok(id)
}

#[cfg(test)]
mod tests;
