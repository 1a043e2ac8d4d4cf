//! Where branches come together: dropping documents that an executor does not want, and merging the rest.
//!
//! Nothing is decoded that need not be: parts that hold the same documents, because executors on the way were
//! passed by, count once, and parts without documents not at all.

use std::sync::Arc;

use call::wire::Malformed;
use call::{Message, NodeIndex, Payload};
use docarray::discovery::Discovery;
use docarray::{Filter, merge, node};
use serde_json::Value;

use crate::{Endpoints, Error, Graph};

/// What an executor, or the gateway itself, hands on.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) message: Message,
    /// Who made the documents: an executor that was passed by hands on those of another one.
    pub(crate) origin: usize,
    /// Whether what follows must not be called.
    pub(crate) failed: bool,
}

/// The documents of `content` that meet a condition; as they are, if all do.
pub(crate) fn retain(content: Option<Payload>, condition: &Filter) -> Result<Option<Payload>, Malformed> {
    let Some(content) = content else { return Ok(None) };
    let docs = node::doc_list(content.clone())?;
    let len = docs.len();
    let kept = condition.retain(docs)?;
    Ok(Some(if kept.len() == len { content } else { node::content(kept) }))
}

/// Who made malformed documents.
pub(crate) fn malformed(origin: usize, source: Malformed, graph: &Graph) -> Error {
    if origin == graph.gateway() {
        Error::Documents { source }
    } else {
        Error::Answer { executor: graph.name(origin).clone(), source }
    }
}

/// A node where branches come together.
pub(crate) struct Join<'a> {
    pub(crate) index: usize,
    /// What the request is for.
    pub(crate) endpoint: &'a str,
    pub(crate) graph: &'a Graph,
    pub(crate) endpoints: &'a Endpoints,
}

impl Join<'_> {
    /// Merges all parts into one. There is at least one, and none has failed.
    pub(crate) fn reduce(&self, mut parts: Vec<Output>) -> Result<Output, Error> {
        let mut contents: Vec<(usize, Payload)> = Vec::with_capacity(parts.len());
        for part in &parts {
            let known = contents.iter().any(|(origin, _)| *origin == part.origin);
            let documents = part.message.documents.as_ref();
            if let Some(content) = documents.filter(|content| !known && !content.is_empty()) {
                contents.push((part.origin, content.clone()));
            }
        }
        // By who made them, not by who handed them on: what executors made follows what they made it of.
        contents.sort_by_key(|(origin, _)| self.graph.all_nodes()[*origin].rank);
        let (origin, documents) = match contents.len() {
            0 => (parts[0].origin, parts[0].message.documents.take()),
            1 => contents.pop().map_or((self.index, None), |(origin, only)| (origin, Some(only))),
            _ => self.merge(contents)?,
        };
        // Header and routes are those of the first part that reports no error.
        let survivor = parts.iter().position(|part| !part.message.is_error()).unwrap_or(0);
        let message = Message { documents, ..parts.swap_remove(survivor).message };
        Ok(Output { message, origin, failed: false })
    }

    /// Merges the documents of at least two branches, and tells who made the result.
    fn merge(&self, contents: Vec<(usize, Payload)>) -> Result<(usize, Option<Payload>), Error> {
        let mut lists: Vec<(usize, Payload)> = Vec::with_capacity(contents.len());
        for (origin, content) in &contents {
            let docs = node::doc_list(content.clone());
            let docs = docs.map_err(|source| malformed(*origin, source, self.graph))?;
            if !docs.is_empty() {
                lists.push((*origin, docs));
            }
        }
        if let [] | [_] = lists[..] {
            // Nothing to merge: the only branch with documents, or else the first one, as it is.
            let origin = lists.first().map_or(contents[0].0, |(origin, _)| *origin);
            let content = contents.into_iter().find(|(of, _)| *of == origin).map(|(_, content)| content);
            return Ok((origin, content));
        }
        let known = self.discoveries(&lists);
        let merged = merge::merge(lists.iter().map(|(_, docs)| docs.clone()), self.schema(&known));
        let merged = merged.map_err(|source| self.culprit(&lists, source))?;
        Ok((self.index, Some(node::content(merged))))
    }

    /// What the executors before the join say of themselves, and as the last one the executor at the join.
    fn discoveries(&self, lists: &[(usize, Payload)]) -> Vec<Option<Arc<Discovery>>> {
        let nodes = lists.iter().map(|(origin, _)| *origin).chain([self.index]);
        nodes.map(|node| self.endpoints.get(NodeIndex(node))).collect()
    }

    /// The schema of the documents: of what the first branch returns that tells it, or else of what the
    /// executor at the join takes.
    fn schema<'a>(&self, known: &'a [Option<Arc<Discovery>>]) -> Option<&'a Value> {
        let (join, branches) = known.split_last()?;
        let schema_of = |known: &'a Option<Arc<Discovery>>| known.as_ref()?.schema(self.endpoint);
        let returned = branches.iter().find_map(schema_of).map(|schema| &schema.output.schema);
        returned.or_else(|| Some(&schema_of(join)?.input.schema))
    }

    /// Who is to blame for documents that cannot be merged.
    fn culprit(&self, lists: &[(usize, Payload)], source: Malformed) -> Error {
        match lists.iter().find(|(_, docs)| merge::ids(docs.clone()).is_err()) {
            Some((origin, _)) => malformed(*origin, source, self.graph),
            None => Error::Merge { executor: self.graph.name(self.index).clone(), source },
        }
    }
}

#[cfg(test)]
mod tests;
