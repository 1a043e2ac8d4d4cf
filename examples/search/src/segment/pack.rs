//! Making passages of bounded length out of blocks.

use std::ops::Range;

use super::Block;

/// Joins neighbouring blocks as long as they fit, and cuts those that do not fit by themselves.
pub(super) fn pack(text: &str, blocks: &[Block], max: usize) -> Vec<Range<usize>> {
    let mut passages: Vec<Range<usize>> = Vec::new();
    for block in blocks {
        if let Some(last) = passages.last_mut() {
            let fits = block.range.end - last.start <= max;
            // What was left out between two blocks must not come in again.
            if fits && text[last.end..block.range.start].trim().is_empty() {
                last.end = block.range.end;
                continue;
            }
        }
        cut(text, block, max, &mut passages);
    }
    passages
}

fn cut(text: &str, block: &Block, max: usize, passages: &mut Vec<Range<usize>>) {
    let mut rest = block.range.clone();
    while rest.len() > max {
        let window = &text[rest.start..text.floor_char_boundary(rest.start + max)];
        let length = best_cut(window, block.verbatim);
        push(text, rest.start..rest.start + length, block.verbatim, passages);
        rest.start += length;
    }
    push(text, rest, block.verbatim, passages);
}

/// Leaves the white space at the ends out, but for the indentation of a first line of code.
fn push(text: &str, range: Range<usize>, verbatim: bool, passages: &mut Vec<Range<usize>>) {
    let part = text[range.clone()].trim_end();
    let blank = part.len() - part.trim_start().len();
    let skipped = if verbatim { part[..blank].rfind('\n').map_or(0, |newline| newline + 1) } else { blank };
    if part.contains(char::is_alphanumeric) {
        passages.push(range.start + skipped..range.start + part.len());
    }
}

/// Where to cut the text of a full window: after a paragraph if one ends in its second half, else after a
/// sentence, a line, a word. Lines of code may even be cut off in the second quarter.
fn best_cut(window: &str, verbatim: bool) -> usize {
    let half = window.len() / 2;
    let late = |end: &usize| *end > half;
    let paragraph = || window.rfind("\n\n").map(|at| at + 2).filter(late);
    let line = || window.rfind('\n').map(|at| at + 1).filter(|end| verbatim && *end > half / 2 || late(end));
    let sentence = || {
        window[window.ceil_char_boundary(half)..].char_indices().rev().find_map(|(at, c)| {
            let end = window.ceil_char_boundary(half) + at + c.len_utf8();
            match c {
                '.' | '!' | '?' if window[end..].starts_with(char::is_whitespace) => Some(end),
                '。' | '！' | '？' => Some(end),
                _ => None,
            }
        })
    };
    let word = || {
        window
            .char_indices()
            .rev()
            .find(|(_, c)| c.is_whitespace())
            .map(|(at, c)| at + c.len_utf8())
            .filter(late)
    };
    let sentence = || if verbatim { None } else { sentence() };
    paragraph().or_else(sentence).or_else(line).or_else(word).unwrap_or(window.len())
}
