//! The request of a dry run.

use bytestring::ByteString;
use call::{DRY_RUN_ENDPOINT, Header, Message, Payload, new_id};

use crate::node::{self, Node};

/// A request that passes through a whole Flow and does nothing: one document that has only an id, for the reserved
/// endpoint.
#[must_use]
pub fn dry_run() -> Message {
    let mut docs = Vec::new();
    node::put_item(&mut docs, |doc| {
        node::put_field(doc, "id", |id| Node::Text(new_id()).write(Some("id"), id));
    });
    let header = Header {
        request_id: new_id(),
        endpoint: Some(ByteString::from_static(DRY_RUN_ENDPOINT)),
        ..Header::default()
    };
    Message { header, documents: Some(node::content(Payload::from(docs))), ..Message::default() }
}
