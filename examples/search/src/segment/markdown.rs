//! Markdown: headings make sections, everything else at the top level is a block.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

use super::{Block, Section};

/// A longer heading is a mistake of whoever wrote it, and every passage below repeats it.
const MAX_HEADING_BYTES: usize = 200;

/// The text of the first heading, and the sections.
pub(super) fn sections(text: &str) -> (Option<String>, Vec<Section>) {
    // A byte order mark would hide a heading in the first line.
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut outline = Outline { text, open: Vec::new(), title: None, sections: vec![Section::default()] };
    let mut depth = 0_usize;
    let mut heading: Option<Heading> = None;
    for (event, range) in Parser::new_ext(&text[start..], options()).into_offset_iter() {
        let range = range.start + start..range.end + start;
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    match tag {
                        Tag::Heading { level, .. } => {
                            heading = Some(Heading { level, range, text: String::new() });
                        }
                        Tag::MetadataBlock(_) => {}
                        Tag::HtmlBlock => outline.html(range),
                        Tag::CodeBlock(_) => outline.block(range, true),
                        _ => outline.block(range, false),
                    }
                }
                depth += 1;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(heading) = heading.take()
                {
                    outline.heading(heading);
                }
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.text.push_str(&part);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut heading {
                    heading.text.push(' ');
                }
            }
            _ => {}
        }
    }
    outline.finish()
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
}

struct Heading {
    level: HeadingLevel,
    range: Range<usize>,
    text: String,
}

/// What has been read.
struct Outline<'a> {
    text: &'a str,
    /// The headings above the current place. The range is that of a heading nothing has followed yet.
    open: Vec<(HeadingLevel, String, Option<Range<usize>>)>,
    title: Option<String>,
    sections: Vec<Section>,
}

// === impl Outline ===

impl Outline<'_> {
    fn heading(&mut self, heading: Heading) {
        let name = shorten(&heading.text);
        self.close(Some(heading.level));
        if name.is_empty() {
            return;
        }
        self.title.get_or_insert_with(|| name.clone());
        // Whatever is above has something below it now, be it only this heading.
        for (_, _, range) in &mut self.open {
            *range = None;
        }
        self.open.push((heading.level, name, Some(heading.range)));
        self.begin();
    }

    fn block(&mut self, range: Range<usize>, verbatim: bool) {
        let whole = &self.text[range.clone()];
        if !whole.contains(char::is_alphanumeric) {
            return;
        }
        let range = range.start..range.start + whole.trim_end().len();
        if let Some((_, _, heading)) = self.open.last_mut() {
            *heading = None;
        }
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(Block { range, verbatim });
        }
    }

    fn html(&mut self, range: Range<usize>) {
        let is_comment = self.text[range.clone()].trim_start().starts_with("<!--");
        if !is_comment {
            self.block(range, false);
        }
    }

    /// Leaves the headings that one of `level` ends. One that nothing followed is a passage of itself: its
    /// words would be lost otherwise.
    fn close(&mut self, level: Option<HeadingLevel>) {
        while self.open.last().is_some_and(|(open, _, _)| level.is_none_or(|level| *open >= level)) {
            if let Some((_, _, Some(range))) = self.open.pop() {
                let whole = &self.text[range.clone()];
                let range = range.start..range.start + whole.trim_end().len();
                if let Some(section) = self.sections.last_mut() {
                    section.blocks.push(Block { range, verbatim: false });
                }
            }
        }
        self.begin();
    }

    fn begin(&mut self) {
        let heading = self.open.iter().map(|(_, name, _)| name.clone()).collect();
        match self.sections.last_mut() {
            Some(section) if section.blocks.is_empty() => section.heading = heading,
            _ => self.sections.push(Section { heading, blocks: Vec::new() }),
        }
    }

    fn finish(mut self) -> (Option<String>, Vec<Section>) {
        self.close(None);
        (self.title, self.sections)
    }
}

/// One line of at most [`MAX_HEADING_BYTES`].
fn shorten(heading: &str) -> String {
    let mut line = String::new();
    for word in heading.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MAX_HEADING_BYTES {
            line.truncate(line.floor_char_boundary(MAX_HEADING_BYTES));
            line.push('…');
            break;
        }
    }
    line
}
