//! Bytes in JSON: the text that they hold, as Jina has it; what is no text as a `data:` URL of its own kind.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Marks bytes that are no text. Text that begins like this is marked, too, so that every blob has a form of its own
/// and comes back as it was.
const PREFIX: &str = "data:application/octet-stream;base64,";

/// The text that stands for a blob.
pub(super) fn text(blob: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(blob) {
        Ok(text) if !text.starts_with(PREFIX) => Cow::Borrowed(text),
        _ => {
            let mut text = String::with_capacity(PREFIX.len() + blob.len().div_ceil(3) * 4);
            text.push_str(PREFIX);
            STANDARD.encode_string(blob, &mut text);
            Cow::Owned(text)
        }
    }
}

/// The blob that a text stands for.
pub(super) fn bytes(text: &str) -> Cow<'_, [u8]> {
    let marked = text.strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
    marked.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}
