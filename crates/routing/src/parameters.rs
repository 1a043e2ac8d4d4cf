//! The parameters of a request on their way through the graph: each executor gets its own, and what executors
//! return under [`RESULTS_KEY`] is collected. Values are moved as the bytes they are.

use bytes::Bytes;
use bytestring::ByteString;
use call::wire::Malformed;
use call::{Entry, Parameters, RESULTS_KEY};
use indexmap::IndexMap;

use crate::Graph;

/// Between the name of an executor and the key of a parameter only for it.
const SEPARATOR: &str = "__";

/// Parameters that do not mean the same for all executors, taken apart once for a request.
#[derive(Debug, Clone)]
pub(crate) struct Scoped {
    /// For all executors.
    common: Vec<Entry>,
    /// For the executor of that name.
    specific: Vec<(String, Entry)>,
}

impl Scoped {
    /// Takes parameters apart; `None` if they mean the same for all executors, as those of most requests do.
    pub(crate) fn of(parameters: &Parameters, graph: &Graph) -> Result<Option<Self>, Malformed> {
        let mut any_is_scoped = false;
        for entry in parameters.entries() {
            let key = entry?.key;
            any_is_scoped |= specific(&key).is_some() || graph.has_name(&key);
        }
        if !any_is_scoped {
            return Ok(None);
        }
        let mut scoped = Self { common: Vec::new(), specific: Vec::new() };
        for entry in parameters.entries() {
            let Entry { key, value } = entry?;
            match specific(&key) {
                Some((executor, key)) => scoped.specific.push((executor, Entry { key: key.into(), value })),
                None => scoped.common.push(Entry { key, value }),
            }
        }
        Ok(Some(scoped))
    }

    /// The parameters for one executor: the common ones, over them those for it, and over them the object
    /// that is named like it.
    pub(crate) fn for_executor(&self, name: &str) -> Result<Parameters, Malformed> {
        let mut own = IndexMap::new();
        let common = self.common.iter();
        let specific = self.specific.iter().filter(|(executor, _)| executor == name).map(|(_, entry)| entry);
        for entry in common.chain(specific) {
            own.insert(entry.key.clone(), entry.value.clone());
        }
        let object = own.get(name).cloned().map(|value| Entry { key: name.into(), value }.object());
        if let Some(object) = object.transpose()?.flatten() {
            for entry in object.entries() {
                let Entry { key, value } = entry?;
                own.insert(key, value);
            }
        }
        Ok(from_map(own))
    }
}

/// Splits `executor__key`. Of several separators the last one counts; the others disappear, as they do in Jina.
fn specific(key: &str) -> Option<(String, &str)> {
    if key.starts_with(SEPARATOR) || key.ends_with(SEPARATOR) {
        return None;
    }
    let mut pieces: Vec<&str> = key.split(SEPARATOR).collect();
    let key = pieces.pop()?;
    (!pieces.is_empty()).then(|| (pieces.concat(), key))
}

/// What an executor returned beside its documents, if it is more than it was `sent`.
pub(crate) fn results(returned: &Parameters, sent: &Parameters) -> Result<Option<Parameters>, Malformed> {
    if returned == sent {
        return Ok(None);
    }
    let mut results = None;
    for entry in returned.entries() {
        let entry = entry?;
        if entry.key == RESULTS_KEY {
            results = Some(entry);
        }
    }
    let results = results.map(|entry| entry.object()).transpose()?.flatten();
    Ok(results.filter(|results| !results.is_empty()))
}

/// Adds what executors returned to the parameters; of equal keys the later one counts.
pub(crate) fn with_results<'a>(
    parameters: &Parameters,
    all: impl Iterator<Item = &'a Parameters>,
) -> Result<Parameters, Malformed> {
    let mut merged: IndexMap<ByteString, Bytes> = IndexMap::new();
    for results in all {
        for entry in results.entries() {
            let Entry { key, value } = entry?;
            merged.insert(key, value);
        }
    }
    if merged.is_empty() {
        return Ok(parameters.clone());
    }
    with_entry(parameters, Entry::from_object(RESULTS_KEY, &from_map(merged)))
}

/// Adds an empty object of results where there is none: what follows a merge finds one.
pub(crate) fn with_place_for_results(parameters: &Parameters) -> Result<Parameters, Malformed> {
    for entry in parameters.entries() {
        if entry?.key == RESULTS_KEY {
            return Ok(parameters.clone());
        }
    }
    with_entry(parameters, Entry::from_object(RESULTS_KEY, &Parameters::default()))
}

/// Sets one key.
fn with_entry(parameters: &Parameters, entry: Entry) -> Result<Parameters, Malformed> {
    let mut entries = Vec::new();
    for other in parameters.entries() {
        let other = other?;
        if other.key != entry.key {
            entries.push(other);
        }
    }
    entries.push(entry);
    Ok(Parameters::from_entries(entries))
}

fn from_map(map: IndexMap<ByteString, Bytes>) -> Parameters {
    Parameters::from_entries(map.into_iter().map(|(key, value)| Entry { key, value }))
}

#[cfg(test)]
mod tests;
