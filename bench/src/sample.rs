//! What is sent: one document with text of a given length.

use call::{Message, Payload};
use prost::Message as _;
use proto::docarray::{DocListProto, DocProto, NodeProto, node_proto};
use proto::jina::data_request_proto::{DataContentProto, data_content_proto::Documents};

/// A request for `/` whose documents take about `bytes` bytes.
pub(crate) fn request(bytes: usize) -> Message {
    let mut message = Message { documents: Some(documents(bytes)), ..Message::default() };
    message.header.request_id = "0".into();
    message.header.endpoint = Some("/".into());
    message
}

/// The id of the document.
pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef";

/// Its text.
pub(crate) fn text(bytes: usize) -> String {
    "x".repeat(bytes.saturating_sub(75))
}

fn documents(bytes: usize) -> Payload {
    let node =
        |text: String| NodeProto { content: Some(node_proto::Content::Text(text)), ..NodeProto::default() };
    let fields = [("id".to_owned(), node(ID.to_owned())), ("text".to_owned(), node(text(bytes)))];
    let document = DocProto { data: fields.into() };
    let list = DocListProto { docs: vec![document] };
    DataContentProto { documents: Some(Documents::Docs(list)) }.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_have_the_size_that_was_asked_for() {
        for bytes in [150, 200_000, 4_000_000] {
            let len = documents(bytes).len();
            assert!(len.abs_diff(bytes) < 20, "{len} bytes for {bytes}");
        }
    }
}
