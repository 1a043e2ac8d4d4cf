//! On which line of a file a key stands.
//!
//! Our YAML library keeps no positions. This scan of the block structure knows indentation, list items, quoted
//! keys, block texts and brackets that span lines; a key inside brackets is placed where they begin.

use std::collections::HashMap;
use std::path::Path;

use crate::Place;

/// The lines of a file's keys.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_key: HashMap<String, usize>,
}

/// A mapping or a list that is open at some point of the file.
struct Container {
    indent: usize,
    /// `None` for a mapping, else the index of the item.
    item: Option<usize>,
    base: String,
    current: String,
}

impl Lines {
    /// Finds the keys of a file.
    pub(super) fn scan(text: &str) -> Self {
        let mut lines = Self::default();
        let mut open: Vec<Container> = Vec::new();
        let mut block_text: Option<usize> = None;
        let mut brackets = 0;
        for (idx, line) in text.lines().enumerate() {
            let content = line.trim_start();
            let indent = line.len() - content.len();
            if content.is_empty() || block_text.is_some_and(|parent| indent > parent) {
                continue;
            }
            block_text = None;
            if brackets > 0 {
                brackets += depth(content);
                continue;
            }
            let marker = ["#", "---", "...", "%", "!"].iter().any(|start| content.starts_with(start));
            if !marker {
                let value = lines.content(content, indent, idx + 1, &mut open);
                brackets = depth(value).max(0);
                if value.starts_with(['|', '>']) {
                    block_text = open.last().map(|container| container.indent);
                }
            }
        }
        lines
    }

    /// Notes the items and keys that begin on a line; returns the value at its end.
    fn content<'a>(
        &mut self,
        content: &'a str,
        indent: usize,
        line: usize,
        open: &mut Vec<Container>,
    ) -> &'a str {
        let (mut content, mut indent) = (content, indent);
        loop {
            open.truncate(open.iter().position(|container| container.indent > indent).unwrap_or(open.len()));
            if let Some(rest) =
                content.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' '))
            {
                self.item(indent, line, open);
                let value = rest.trim_start();
                indent += content.len() - value.len();
                content = value;
            } else if let Some((key, value)) = key_and_value(content) {
                self.key(key, indent, line, open);
                return value;
            } else {
                return content;
            }
        }
    }

    fn item(&mut self, indent: usize, line: usize, open: &mut Vec<Container>) {
        let is_next = open.last().is_some_and(|top| top.indent == indent && top.item.is_some());
        if !is_next {
            let base = open.last().map(|top| top.current.clone()).unwrap_or_default();
            open.push(Container { indent, item: None, current: String::new(), base });
        }
        if let Some(top) = open.last_mut() {
            let item = top.item.map_or(0, |item| item + 1);
            top.item = Some(item);
            top.current = format!("{}[{item}]", top.base);
            self.by_key.insert(top.current.clone(), line);
        }
    }

    fn key(&mut self, key: &str, indent: usize, line: usize, open: &mut Vec<Container>) {
        // A key in the column of list items ends the list.
        open.pop_if(|top| top.indent == indent && top.item.is_some());
        if open.last().is_none_or(|top| top.indent != indent) {
            let base = open.last().map(|top| top.current.clone()).unwrap_or_default();
            open.push(Container { indent, item: None, current: String::new(), base });
        }
        if let Some(top) = open.last_mut() {
            top.current = join(&top.base, key);
            self.by_key.insert(top.current.clone(), line);
        }
    }

    /// The place of a key, with the line of the nearest key above it that has one.
    pub(super) fn place(&self, path: &Path, key: &str) -> Place {
        let mut above = key;
        let line = loop {
            if let Some(line) = self.by_key.get(above) {
                break Some(*line);
            }
            match above.rfind(['.', '[']) {
                Some(end) => above = &above[..end],
                None => break None,
            }
        };
        Place::File { path: path.to_owned(), line, key: key.to_owned() }
    }
}

/// The path of a key below another.
pub(super) fn join(base: &str, key: &str) -> String {
    if base.is_empty() { key.to_owned() } else { format!("{base}.{key}") }
}

fn key_and_value(content: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(rest) = content.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            return Some((key, rest.trim_start().strip_prefix(':')?.trim_start()));
        }
    }
    if content.starts_with(['[', '{', '&', '*', '|', '>']) {
        return None;
    }
    if let Some((key, value)) = content.split_once(": ") {
        return Some((key.trim_end(), value.trim_start()));
    }
    let without_comment = content.split(" #").next().unwrap_or(content).trim_end();
    without_comment.strip_suffix(':').map(|key| (key, ""))
}

/// How many brackets a piece of text opens, less those it closes.
fn depth(text: &str) -> i32 {
    let mut depth = 0;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_on_their_lines() {
        let text = "\
jtype: Flow
with:   # comment
  title: |
    a: b
    c
  env: {A: 1,
    B: 2}
  \"quoted\": x
executors:
- name: a
  needs:
    - x
    - y: 1
      z: 2
-
  uses: \"a: b\"
after: 1
";
        let lines = Lines::scan(text);
        let check = |key: &str, want: usize| match lines.place(Path::new("f"), key) {
            Place::File { line, .. } => assert_eq!(line, Some(want), "{key}: {lines:?}"),
            other => panic!("{other:?}"),
        };
        check("with", 2);
        check("with.title", 3);
        check("with.env", 6);
        check("with.env.B", 6);
        check("with.quoted", 8);
        check("executors[0]", 10);
        check("executors[0].name", 10);
        check("executors[0].needs[0]", 12);
        check("executors[0].needs[1].z", 14);
        check("executors[0].needs[1].missing", 13);
        check("executors[1].uses", 16);
        check("after", 17);
        assert_eq!(lines.place(Path::new("f"), "nowhere").to_string(), "f: nowhere: ");
    }
}
