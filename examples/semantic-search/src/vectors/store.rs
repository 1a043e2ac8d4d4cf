//! The file with vectors and passages.

use std::path::Path;

use redb::{
    Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    TableDefinition, WriteTransaction,
};

use super::{Document, Error, Passage};

/// Passages as JSON, by their keys.
const PASSAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("passages");
/// 32-bit floats, little-endian, by the keys of their passages.
const VECTORS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("vectors");
/// The keys of each document's passages.
const DOCUMENTS: TableDefinition<'_, &str, Vec<u64>> = TableDefinition::new("documents");
/// What holds for all.
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");

/// How many numbers a vector has.
const DIMENSION: &str = "dimension";
/// The next key. Keys are never used again.
const NEXT: &str = "next";

#[derive(Debug)]
pub(super) struct Store {
    database: Database,
}

/// What a call has changed.
pub(super) struct Change<'a> {
    pub(super) removed: Vec<u64>,
    pub(super) added: Vec<(u64, &'a [f32])>,
}

impl Store {
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("vectors.redb");
        let failed = |source| Error::Open { path: path.clone(), source: Box::new(source) };
        std::fs::create_dir_all(directory).map_err(|error| failed(redb::Error::Io(error)))?;
        let database = Database::create(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Error::InUse { path: path.clone() },
            error => failed(error.into()),
        })?;
        let store = Self { database };
        // Tables exist from here on, so that reading finds them.
        let begun = store.database.begin_write()?;
        for table in [PASSAGES, VECTORS] {
            begun.open_table(table)?;
        }
        begun.open_table(DOCUMENTS)?;
        begun.open_table(FACTS)?;
        begun.commit()?;
        Ok(store)
    }

    pub(super) fn each_vector(&self, mut see: impl FnMut(u64, Vec<f32>)) -> Result<(), Error> {
        let begun = self.database.begin_read()?;
        for entry in begun.open_table(VECTORS)?.iter()? {
            let (key, vector) = entry?;
            see(key.value(), floats(vector.value()));
        }
        Ok(())
    }

    /// That there can be a vector of so many numbers.
    pub(super) fn check_dimension(&self, given: usize) -> Result<(), Error> {
        let begun = self.database.begin_read()?;
        let here = begun.open_table(FACTS)?.get(DIMENSION)?.map(|here| here.value());
        match here {
            Some(here) if here != given as u64 => Err(Error::Dimension { here, given }),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn passage(&self, key: u64) -> Result<Option<Passage>, Error> {
        let begun = self.database.begin_read()?;
        let passage = begun.open_table(PASSAGES)?.get(key)?;
        passage.map(|json| serde_json::from_slice(json.value()).map_err(|_| Error::Damaged)).transpose()
    }

    pub(super) fn replace<'a>(
        &self,
        documents: &'a [Document],
        max_passages: usize,
    ) -> Result<Change<'a>, Error> {
        let begun = self.database.begin_write()?;
        let mut change = Change { removed: Vec::new(), added: Vec::new() };
        for document in documents {
            // One that comes twice is kept as it came last.
            let replaced = remove(&begun, &document.id)?;
            change.added.retain(|(key, _)| !replaced.contains(key));
            change.removed.extend(replaced);
            add(&begun, document, &mut change.added)?;
        }
        let wanted = begun.open_table(PASSAGES)?.len()?;
        if wanted > max_passages as u64 {
            return Err(Error::Full { most: max_passages, wanted });
        }
        begun.commit()?;
        Ok(change)
    }

    /// Tells of each document the keys that it had.
    pub(super) fn delete(&self, documents: &[String]) -> Result<Vec<Vec<u64>>, Error> {
        let begun = self.database.begin_write()?;
        let removed = documents.iter().map(|id| remove(&begun, id)).collect::<Result<_, _>>()?;
        begun.commit()?;
        Ok(removed)
    }
}

fn remove(begun: &WriteTransaction, document: &str) -> Result<Vec<u64>, Error> {
    let keys = begun.open_table(DOCUMENTS)?.remove(document)?.map_or_else(Vec::new, |keys| keys.value());
    for table in [PASSAGES, VECTORS] {
        let mut table = begun.open_table(table)?;
        for key in &keys {
            table.remove(key)?;
        }
    }
    Ok(keys)
}

fn add<'a>(
    begun: &WriteTransaction,
    document: &'a Document,
    added: &mut Vec<(u64, &'a [f32])>,
) -> Result<(), Error> {
    let mut facts = begun.open_table(FACTS)?;
    let mut next = facts.get(NEXT)?.map_or(0, |next| next.value());
    let mut keys = Vec::with_capacity(document.passages.len());
    let (mut passages, mut vectors) = (begun.open_table(PASSAGES)?, begun.open_table(VECTORS)?);
    for (passage, vector) in &document.passages {
        let given = vector.len();
        let here = facts.get(DIMENSION)?.map(|here| here.value());
        match here {
            Some(here) if here != given as u64 => return Err(Error::Dimension { here, given }),
            Some(_) => {}
            None => _ = facts.insert(DIMENSION, given as u64)?,
        }
        let json = serde_json::to_vec(passage).map_err(|_| Error::Damaged)?;
        let bytes: Vec<u8> = vector.iter().flat_map(|item| item.to_le_bytes()).collect();
        passages.insert(next, &json[..])?;
        vectors.insert(next, &bytes[..])?;
        added.push((next, vector));
        keys.push(next);
        next += 1;
    }
    facts.insert(NEXT, next)?;
    begun.open_table(DOCUMENTS)?.insert(&*document.id, keys)?;
    Ok(())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|item| f32::from_le_bytes(*item)).collect()
}
