//! Where branches come together: dropping documents that an executor does not want, and merging the rest.
//!
//! Nothing is decoded that need not be: parts that hold the same documents, because executors on the way were
//! passed by, count once, and parts without documents not at all.

use call::wire::Malformed;
use call::{Message, Payload};
use docarray::discovery::Discovery;
use docarray::{Filter, merge, node};
use serde_json::Value;

use crate::asked::Asked;
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

/// Merges the parts of the join at `index` into one. There is at least one part, and none has failed.
pub(crate) fn reduce(
    mut parts: Vec<Output>,
    index: usize,
    asked: &Asked,
    graph: &Graph,
    endpoints: &Endpoints,
) -> Result<Output, Error> {
    let mut contents: Vec<(usize, Payload)> = Vec::with_capacity(parts.len());
    for part in &parts {
        let known = contents.iter().any(|(origin, _)| *origin == part.origin);
        if let Some(content) = part.message.documents.as_ref().filter(|content| !known && !content.is_empty())
        {
            contents.push((part.origin, content.clone()));
        }
    }
    let (documents, origin) = match contents.len() {
        0 => (parts[0].message.documents.take(), parts[0].origin),
        1 => contents.pop().map_or((None, index), |(origin, only)| (Some(only), origin)),
        _ => merge_contents(contents, index, asked, graph, endpoints)?,
    };
    // Header and routes are those of the first part that reports no error.
    let survivor = parts.iter().position(|part| !part.message.is_error()).unwrap_or(0);
    let message = Message { documents, ..parts.swap_remove(survivor).message };
    Ok(Output { message, origin, failed: false })
}

/// Merges the documents of at least two branches; who made the result is the second value.
fn merge_contents(
    contents: Vec<(usize, Payload)>,
    index: usize,
    asked: &Asked,
    graph: &Graph,
    endpoints: &Endpoints,
) -> Result<(Option<Payload>, usize), Error> {
    let mut lists: Vec<(usize, Payload)> = Vec::with_capacity(contents.len());
    for (origin, content) in &contents {
        let docs = node::doc_list(content.clone()).map_err(|source| malformed(*origin, source, graph))?;
        if !docs.is_empty() {
            lists.push((*origin, docs));
        }
    }
    if let [] | [_] = lists[..] {
        // Nothing to merge: the only branch with documents, or else the first one, as it is.
        let origin = lists.first().map_or(contents[0].0, |(origin, _)| *origin);
        let content = contents.into_iter().find(|(of, _)| *of == origin).map(|(_, content)| content);
        return Ok((content, origin));
    }
    let known = endpoints.all_of(lists.iter().map(|(origin, _)| *origin).chain([index]));
    let schema = schema(&known, asked.endpoint());
    let merged = merge::merge(lists.iter().map(|(_, docs)| docs.clone()), schema);
    let merged = merged.map_err(|source| culprit(&lists, index, source, graph))?;
    Ok((Some(node::content(merged)), index))
}

/// What is known of the documents: what the first branch whose executor tells it returns, or what the last of
/// the executors, the one after the join, takes.
fn schema<'a>(known: &'a [Option<std::sync::Arc<Discovery>>], endpoint: &str) -> Option<&'a Value> {
    let (join, branches) = known.split_last()?;
    let schema_of = |known: &'a Option<std::sync::Arc<Discovery>>| known.as_ref()?.schema(endpoint);
    let returned = branches.iter().find_map(schema_of).map(|schema| &schema.output.schema);
    returned.or_else(|| Some(&schema_of(join)?.input.schema))
}

/// Who is to blame for documents that cannot be merged.
fn culprit(lists: &[(usize, Payload)], index: usize, source: Malformed, graph: &Graph) -> Error {
    let broken = lists.iter().find(|(_, docs)| merge::ids(docs.clone()).is_err());
    match broken {
        Some((origin, _)) => malformed(*origin, source, graph),
        None => Error::Merge { executor: graph.name(index).clone(), source },
    }
}
