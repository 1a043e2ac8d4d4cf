//! Plain text: paragraphs between blank lines.

use super::{Block, Section};

/// The paragraphs of a text, under no heading.
pub(super) fn section(text: &str) -> Section {
    let mut blocks: Vec<Block> = Vec::new();
    let mut at = 0;
    let mut in_paragraph = false;
    for line in text.split_inclusive('\n') {
        let end = at + line.trim_end().len();
        if line.trim_matches(is_blank).is_empty() {
            in_paragraph = false;
        } else if let Some(paragraph) = blocks.last_mut().filter(|_| in_paragraph) {
            paragraph.range.end = end;
        } else {
            blocks.push(Block { range: at..end, verbatim: false });
            in_paragraph = true;
        }
        at += line.len();
    }
    blocks.retain(|block| text[block.range.clone()].contains(char::is_alphanumeric));
    Section { heading: Vec::new(), blocks }
}

/// A byte order mark at the start of a file is no text either.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}
