//! Documents that tests send and look at.

use call::Payload;
use docarray::{Node, node};

/// A list of documents, each with an id and a text.
#[must_use]
pub fn texts(documents: &[(&str, &str)]) -> Payload {
    let mut docs = Vec::new();
    for (id, text) in documents {
        node::put_item(&mut docs, |doc| {
            node::put_field(doc, "id", |to| Node::Text((*id).into()).write(Some("id"), to));
            node::put_field(doc, "text", |to| Node::Text((*text).into()).write(None, to));
        });
    }
    node::content(Payload::from(docs))
}

/// The ids and texts of a list of documents.
///
/// # Panics
///
/// If they are no documents.
#[must_use]
pub fn read_texts(content: Payload) -> Vec<(String, String)> {
    let docs = node::doc_list(content).expect("a list of documents");
    node::items(docs).map(|doc| read_text(doc.expect("a document"))).collect()
}

/// The id and the text of one document.
///
/// # Panics
///
/// If it is no document.
#[must_use]
pub fn read_text(doc: Payload) -> (String, String) {
    let (mut id, mut text) = (String::new(), String::new());
    for field in node::fields(doc) {
        let (name, value) = field.expect("a field");
        if let (Node::Text(value), _) = Node::read(value).expect("a value") {
            match &*name {
                "id" => id = value.to_string(),
                "text" => text = value.to_string(),
                _ => {}
            }
        }
    }
    (id, text)
}

/// One document with an id and a text, as streaming calls carry it.
#[must_use]
pub fn text(id: &str, text: &str) -> Payload {
    let mut doc = Vec::new();
    node::put_field(&mut doc, "id", |to| Node::Text(id.into()).write(Some("id"), to));
    node::put_field(&mut doc, "text", |to| Node::Text(text.into()).write(None, to));
    doc.into()
}
