//! How large a query may be. This is counted before anything else looks at it.
//!
//! Text is counted before it is parsed, because parsing takes many times its memory and one stack frame for each
//! bracket. Fields are counted before the query is validated, because validation follows fragments wherever they are
//! used, which is exponential in their number. Here each fragment is counted once.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};

use crate::Settings;

/// Brackets inside brackets in the text of a query; the parser has 64 for fields alone.
const MAX_BRACKETS: usize = 100;

/// What is too much. Each tells its limit, by the name of the argument that sets it if there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    #[error("the query is longer than {limit} bytes, the limit graphql-max-query; values can be variables")]
    Text { limit: usize },
    #[error("the query has more than {limit} tokens, the limit graphql-max-tokens; values can be variables")]
    Tokens { limit: usize },
    #[error("brackets are more than {limit} deep inside each other")]
    Brackets { limit: usize },
    #[error("fields are more than {limit} deep inside each other, the limit graphql-max-depth")]
    Depth { limit: usize },
    #[error(
        "fields and fragments are more than {limit} deep inside each other, twice the limit graphql-max-depth"
    )]
    Fragments { limit: usize },
    #[error("the query has {found} fields, more than the limit graphql-max-complexity of {limit}")]
    Complexity { found: usize, limit: usize },
    #[error("the query calls endpoints {found} times, more than the limit graphql-max-calls of {limit}")]
    Calls { found: usize, limit: usize },
    #[error("the fragment `{fragment}` contains itself")]
    Endless { fragment: String },
}

/// What a part of a query comes to.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// All of its fields, those of fragments as often as they are used.
    fields: usize,
    /// Its fields that are inside no other.
    outermost: usize,
    /// Fields inside fields.
    depth: usize,
    /// Selections inside selections, those of fragments too.
    nesting: usize,
}

/// Refuses text that is too much to parse.
pub(crate) fn check_text(query: &str, settings: &Settings) -> Result<(), Excess> {
    if query.len() > settings.max_query {
        return Err(Excess::Text { limit: settings.max_query });
    }
    let mut rest = query.as_bytes();
    let (mut n_tokens, mut depth) = (0, 0_usize);
    while let Some(first) = rest.first() {
        let (len, is_token) = match first {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => (1, false),
            b'#' => (until(rest, |byte| matches!(byte, b'\n' | b'\r')), false),
            b'"' => (string(rest), true),
            byte if is_word(*byte) => (until(rest, |byte| !is_word(byte)), true),
            b'{' | b'[' | b'(' => {
                depth += 1;
                (1, true)
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                (1, true)
            }
            _ => (1, true),
        };
        n_tokens += usize::from(is_token);
        if n_tokens > settings.max_tokens {
            return Err(Excess::Tokens { limit: settings.max_tokens });
        }
        if depth > MAX_BRACKETS {
            return Err(Excess::Brackets { limit: MAX_BRACKETS });
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(())
}

/// Of names, numbers and the dots before fragments; whether they are valid is for the parser to say.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.')
}

fn until(text: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| is_end(*byte)).unwrap_or(text.len())
}

/// The length of the string that `text` begins with, of all of it if that has no end.
fn string(text: &[u8]) -> usize {
    const BLOCK: &[u8] = b"\"\"\"";
    let is_block = text.starts_with(BLOCK);
    let mut at = if is_block { BLOCK.len() } else { 1 };
    while let Some(byte) = text.get(at) {
        match (byte, is_block) {
            (b'\\', false) => at += 2,
            (b'\\', true) if text[at + 1..].starts_with(BLOCK) => at += 1 + BLOCK.len(),
            (b'"', true) if text[at..].starts_with(BLOCK) => return at + BLOCK.len(),
            (b'"' | b'\n' | b'\r', false) => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Refuses queries that are too much to validate and to run. All operations and fragments count, used or not.
pub(crate) fn check_document(document: &ExecutableDocument, settings: &Settings) -> Result<(), Excess> {
    let max_nesting = settings.max_depth.saturating_mul(2);
    let mut counter = Counter { document, settings, max_nesting, fragments: HashMap::new() };
    for fragment in document.fragments.keys() {
        counter.fragment(fragment, 0)?;
    }
    let mut fields = 0_usize;
    for (_, operation) in document.operations.iter() {
        fields = fields.saturating_add(counter.operation(&operation.node)?.fields);
    }
    counter.check(Cost { fields, ..Cost::default() })
}

struct Counter<'q> {
    document: &'q ExecutableDocument,
    settings: &'q Settings,
    max_nesting: usize,
    /// Those that were counted; without a cost those that are being counted.
    fragments: HashMap<&'q Name, Option<Cost>>,
}

impl<'q> Counter<'q> {
    fn operation(&mut self, operation: &'q OperationDefinition) -> Result<Cost, Excess> {
        let cost = self.selection(&operation.selection_set.node, 0)?;
        let limit = self.settings.max_calls;
        if cost.outermost > limit {
            return Err(Excess::Calls { found: cost.outermost, limit });
        }
        Ok(cost)
    }

    /// The cost of what stands `level` selections deep.
    fn selection(&mut self, selection: &'q SelectionSet, level: usize) -> Result<Cost, Excess> {
        if level > self.max_nesting {
            return Err(Excess::Fragments { limit: self.max_nesting });
        }
        let mut all = Cost::default();
        for item in &selection.items {
            let cost = match &item.node {
                Selection::Field(field) => {
                    let inside = self.selection(&field.node.selection_set.node, level + 1)?;
                    let is_of_schema = field.node.name.node.starts_with("__");
                    Cost {
                        fields: inside.fields.saturating_add(1),
                        outermost: usize::from(!is_of_schema),
                        depth: inside.depth + 1,
                        nesting: inside.nesting + 1,
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inside = self.selection(&fragment.node.selection_set.node, level + 1)?;
                    Cost { nesting: inside.nesting + 1, ..inside }
                }
                Selection::FragmentSpread(spread) => {
                    let inside = self.fragment(&spread.node.fragment_name.node, level + 1)?;
                    Cost { nesting: inside.nesting + 1, ..inside }
                }
            };
            all.fields = all.fields.saturating_add(cost.fields);
            all.outermost = all.outermost.saturating_add(cost.outermost);
            all.depth = all.depth.max(cost.depth);
            all.nesting = all.nesting.max(cost.nesting);
        }
        self.check(all)?;
        Ok(all)
    }

    /// One that is not there costs nothing; validation names it.
    fn fragment(&mut self, name: &'q Name, level: usize) -> Result<Cost, Excess> {
        match self.fragments.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(Excess::Endless { fragment: name.to_string() }),
            None => {}
        }
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Cost::default()) };
        self.fragments.insert(name, None);
        let cost = self.selection(&fragment.node.selection_set.node, level)?;
        self.fragments.insert(name, Some(cost));
        Ok(cost)
    }

    fn check(&self, cost: Cost) -> Result<(), Excess> {
        let Settings { max_depth, max_complexity, .. } = *self.settings;
        if cost.depth > max_depth {
            return Err(Excess::Depth { limit: max_depth });
        }
        if cost.nesting > self.max_nesting {
            return Err(Excess::Fragments { limit: self.max_nesting });
        }
        if cost.fields > max_complexity {
            return Err(Excess::Complexity { found: cost.fields, limit: max_complexity });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
