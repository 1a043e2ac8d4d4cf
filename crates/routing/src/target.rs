//! `target_executor`: which executors a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytestring::ByteString;
use regex::RegexBuilder;

use crate::{Error, Graph};

/// Clients use a handful of expressions; one that sends ever new ones starts the memory over.
const REMEMBERED: usize = 64;

/// Compiled expressions are small; larger ones are attempts to keep us busy.
const MAX_COMPILED_BYTES: usize = 256 << 10;

/// For each expression seen, which executors it selects. Reading takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    known: ArcSwap<HashMap<ByteString, Selection>>,
}

/// One flag for each executor.
pub(crate) type Selection = Arc<[bool]>;

impl Targets {
    /// The executors whose names match `pattern` from their start; `None` means all.
    pub(crate) fn select(&self, graph: &Graph, pattern: &ByteString) -> Result<Option<Selection>, Error> {
        if pattern.is_empty() {
            return Ok(None);
        }
        if let Some(known) = self.known.load().get(pattern) {
            return Ok(Some(known.clone()));
        }
        let regex = RegexBuilder::new(pattern)
            .size_limit(MAX_COMPILED_BYTES)
            .build()
            .map_err(|source| Error::Target { pattern: pattern.clone(), source: Box::new(source) })?;
        // The first match is the leftmost: if it does not start at the start, none does.
        let matches = |name: &str| regex.find(name).is_some_and(|found| found.start() == 0);
        let selection: Selection = graph.nodes().map(|(_, name)| matches(name.as_str())).collect();
        self.known.rcu(|known| {
            let mut known = if known.len() < REMEMBERED { HashMap::clone(known) } else { HashMap::new() };
            known.insert(pattern.clone(), selection.clone());
            known
        });
        Ok(Some(selection))
    }
}
