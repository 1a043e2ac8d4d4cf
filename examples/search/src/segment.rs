//! Cutting a text into passages: the units that are indexed, scored and shown.
//!
//! A passage never crosses a heading, never holds more than a given number of bytes, and is always a slice
//! of its text: nothing is rewritten, so the byte range that goes with it is enough to find it again.

mod markdown;
mod pack;
mod plain;

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CommonMark with tables, footnotes and YAML front matter.
    Markdown,
    /// Paragraphs between blank lines.
    Plain,
}

/// A text, cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segments {
    /// The first heading, if the text has one.
    pub title: Option<String>,
    /// In the order of the text.
    pub passages: Vec<Passage>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The headings above it, outermost first.
    pub heading: Vec<String>,
    /// Where it is, in bytes of the text.
    pub range: Range<usize>,
}

/// The most bytes that a passage may have. At least [`MaxBytes::LEAST`], so that there is room to cut well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "usize")]
pub struct MaxBytes(usize);

/// A bound on passages that is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "passages of at most {bytes} bytes were asked for, {} to {} are possible",
    MaxBytes::LEAST,
    MaxBytes::MOST
)]
pub struct InvalidMaxBytes {
    bytes: usize,
}

/// Some lines that belong together, as a format sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    range: Range<usize>,
    /// Line breaks and indentation mean something in it.
    verbatim: bool,
}

/// The blocks under one heading.
#[derive(Debug, Default)]
struct Section {
    heading: Vec<String>,
    blocks: Vec<Block>,
}

/// Cuts a text.
#[must_use]
pub fn segment(text: &str, format: Format, max: MaxBytes) -> Segments {
    let (title, sections) = match format {
        Format::Markdown => markdown::sections(text),
        Format::Plain => (None, vec![plain::section(text)]),
    };
    let mut passages = Vec::new();
    for section in sections {
        for range in pack::pack(text, &section.blocks, max.0) {
            passages.push(Passage { heading: section.heading.clone(), range });
        }
    }
    Segments { title, passages }
}

/// The id of a document's passage: the same text under the same id gives the same passage ids.
#[must_use]
pub fn passage_id(document: &str, position: usize) -> String {
    format!("{document}#{position}")
}

// === impl Format ===

impl Format {
    /// The format that the name of a file tells of. What tells nothing is taken for Markdown, which plain
    /// paragraphs are too.
    #[must_use]
    pub fn of_file(uri: &str) -> Self {
        let extension =
            Path::new(uri).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "txt" | "text" | "log" | "rst" | "adoc" => Self::Plain,
            _ => Self::Markdown,
        }
    }
}

// === impl MaxBytes ===

impl MaxBytes {
    /// Fewer would cut words.
    pub const LEAST: usize = 64;
    /// More would be no passage.
    pub const MOST: usize = 1 << 20;
}

impl Default for MaxBytes {
    fn default() -> Self {
        Self(1200)
    }
}

impl TryFrom<usize> for MaxBytes {
    type Error = InvalidMaxBytes;

    fn try_from(bytes: usize) -> Result<Self, InvalidMaxBytes> {
        if (Self::LEAST..=Self::MOST).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(InvalidMaxBytes { bytes })
        }
    }
}

impl fmt::Display for MaxBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
