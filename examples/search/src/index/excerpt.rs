//! Showing why a passage was found.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::snippet::{SnippetGenerator, collapse_overlapped_ranges};

/// Where the words of a query are in a text, in order.
pub(super) fn marks(marker: &SnippetGenerator, text: &str) -> Vec<Range<usize>> {
    let whole = marker.snippet(text);
    let start = whole.fragment_range().start;
    let marks: Vec<_> = whole.highlighted().iter().map(|mark| mark.start + start..mark.end + start).collect();
    collapse_overlapped_ranges(&marks)
}

/// The part of a text in which most different marked words are, about `bytes` long, as HTML.
pub(super) fn excerpt(text: &str, marks: &[Range<usize>], bytes: usize) -> String {
    let part = widen(text, densest(text, marks, bytes), bytes);
    let mut html = String::with_capacity(part.len() + 64);
    if !text[..part.start].trim().is_empty() {
        html.push('…');
    }
    let mut at = part.start;
    for mark in marks.iter().filter(|mark| mark.start >= part.start && mark.end <= part.end) {
        escape(&text[at..mark.start], &mut html);
        html.push_str("<mark>");
        escape(&text[mark.clone()], &mut html);
        html.push_str("</mark>");
        at = mark.end;
    }
    escape(&text[at..part.end], &mut html);
    if !text[part.end..].trim().is_empty() {
        html.push('…');
    }
    html
}

/// The beginning of a text in which nothing is marked, about `bytes` long, as HTML.
#[must_use]
pub fn plain_excerpt(text: &str, bytes: usize) -> String {
    excerpt(text, &[], bytes)
}

/// From the first to the last mark of the best group that fits; nothing, at the start, if there are none.
fn densest(text: &str, marks: &[Range<usize>], bytes: usize) -> Range<usize> {
    let word = |mark: &Range<usize>| text[mark.clone()].to_lowercase();
    let mut best = (0, 0, 0..0);
    let mut words: HashMap<String, usize> = HashMap::new();
    let mut first = 0;
    for (last, mark) in marks.iter().enumerate() {
        *words.entry(word(mark)).or_default() += 1;
        while first < last && mark.end - marks[first].start > bytes {
            let dropped = word(&marks[first]);
            if let Some(times) = words.get_mut(&dropped) {
                *times -= 1;
                if *times == 0 {
                    words.remove(&dropped);
                }
            }
            first += 1;
        }
        let found = (words.len(), last + 1 - first);
        if found > (best.0, best.1) {
            best = (found.0, found.1, marks[first].start..mark.end);
        }
    }
    best.2
}

/// Adds what is around a part, to whole words: more after it than before, as one reads.
fn widen(text: &str, part: Range<usize>, bytes: usize) -> Range<usize> {
    let room = bytes.saturating_sub(part.len());
    let mut end = text.len().min(part.end + room - room / 4);
    let start = part.start.saturating_sub(room - (end - part.end));
    // What could not be used before the part is used after it.
    end = text.len().min(end + room.saturating_sub((end - part.end) + (part.start - start)));
    let before = &text[text.ceil_char_boundary(start)..part.start];
    let after = &text[part.end..text.floor_char_boundary(end)];
    let start = if start == 0 { 0 } else { part.start - (before.len() - whole_words_from(before)) };
    let end = if end == text.len() { end } else { part.end + whole_words_until(after) };
    start..end
}

/// Where the first word that is not cut begins; a text of one word is taken as it is.
fn whole_words_from(text: &str) -> usize {
    text.find(char::is_whitespace).map_or(0, |at| text.len() - text[at..].trim_start().len())
}

/// Where the last word that is not cut ends.
fn whole_words_until(text: &str) -> usize {
    text.rfind(char::is_whitespace).map_or(text.len(), |at| text[..at].trim_end().len())
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
