//! The files of the log.

use std::io;
use std::path::Path;

use bytes::Bytes;
use openraft::{EntryPayload, Vote};
use redb::{Database, DatabaseError, Error, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::StartError;
use crate::types::{Entered, Entry, Index, NodeId};
use crate::wire::{pack, unpack};

/// What entries are: by number, all but what is written in them.
const HEADS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("heads");
/// What is written in them.
const WRITES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("writes");
/// Single values.
const SINGLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("single");

const PURGED: &str = "purged";
const VOTE: &str = "vote";

#[derive(Debug)]
pub(super) struct Files {
    log: Database,
    stable: Database,
}

impl Files {
    pub(super) fn open(directory: &Path) -> Result<Self, StartError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| StartError::Directory { directory: directory.to_owned(), source })?;
        let (log, stable) = (directory.join("logs.dat"), directory.join("stable.dat"));
        Ok(Self { log: database(&log)?, stable: database(&stable)? })
    }

    /// The last entry that was purged, and the last one there is.
    pub(super) fn ends(&self) -> Result<(Option<Index>, Option<Index>), Error> {
        let read = self.log.begin_read()?;
        let purged = read.open_table(SINGLE)?.get(PURGED)?.map(|value| decoded(value.value())).transpose()?;
        let last =
            read.open_table(HEADS)?.last()?.map(|(_, head)| decoded::<Entry>(head.value())).transpose()?;
        Ok((purged, last.map(|entry| entry.log_id)))
    }

    /// Entries without what is written in them.
    pub(super) fn heads(&self, first: u64, end: u64) -> Result<Vec<Entry>, Error> {
        let read = self.log.begin_read()?;
        let heads = read.open_table(HEADS)?;
        heads.range(first..end)?.map(|entry| decoded(entry?.1.value())).collect()
    }

    /// Entries as a whole.
    pub(super) fn whole(&self, first: u64, end: u64, most: usize) -> Result<Vec<Entry>, Error> {
        let read = self.log.begin_read()?;
        let (heads, all) = (read.open_table(HEADS)?, read.open_table(WRITES)?);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for head in heads.range(first..end)? {
            let mut entry: Entry = decoded(head?.1.value())?;
            if let EntryPayload::Normal(Entered(writes)) = &mut entry.payload {
                let found =
                    found(all.get(entry.log_id.index)?.map(|found| Bytes::copy_from_slice(found.value())))?;
                bytes += found.len();
                *writes = Some(found);
            }
            if bytes > most && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// What is written in an entry; `None` if it was purged.
    pub(super) fn writes(&self, index: u64) -> Result<Option<Bytes>, Error> {
        let read = self.log.begin_read()?;
        let written = read.open_table(WRITES)?.get(index)?;
        if let Some(written) = written {
            return Ok(Some(Bytes::copy_from_slice(written.value())));
        }
        let purged = read.open_table(SINGLE)?.get(PURGED)?.map(|value| decoded::<Index>(value.value()));
        match purged.transpose()? {
            Some(purged) if purged.index >= index => Ok(None),
            Some(_) | None => found(None).map(Some),
        }
    }

    pub(super) fn append(&self, entries: &[Entry]) -> Result<(), Error> {
        let write = self.log.begin_write()?;
        {
            let (mut heads, mut all) = (write.open_table(HEADS)?, write.open_table(WRITES)?);
            for entry in entries {
                let index = entry.log_id.index;
                let head = match &entry.payload {
                    EntryPayload::Normal(Entered(writes)) => {
                        all.insert(index, writes.as_deref().unwrap_or_default())?;
                        Entry { log_id: entry.log_id, payload: EntryPayload::Normal(Entered(None)) }
                    }
                    EntryPayload::Blank | EntryPayload::Membership(_) => entry.clone(),
                };
                heads.insert(index, &*encoded(&head)?)?;
            }
        }
        Ok(write.commit()?)
    }

    /// Removes entries from `first` on.
    pub(super) fn truncate(&self, first: u64) -> Result<(), Error> {
        let write = self.log.begin_write()?;
        write.open_table(HEADS)?.retain_in(first.., |_, _| false)?;
        write.open_table(WRITES)?.retain_in(first.., |_, _| false)?;
        Ok(write.commit()?)
    }

    /// Removes entries up to `last`.
    pub(super) fn purge(&self, last: Index) -> Result<(), Error> {
        let write = self.log.begin_write()?;
        write.open_table(HEADS)?.retain_in(..=last.index, |_, _| false)?;
        write.open_table(WRITES)?.retain_in(..=last.index, |_, _| false)?;
        write.open_table(SINGLE)?.insert(PURGED, &*encoded(&last)?)?;
        Ok(write.commit()?)
    }

    pub(super) fn vote(&self) -> Result<Option<Vote<NodeId>>, Error> {
        let read = self.stable.begin_read()?;
        read.open_table(SINGLE)?.get(VOTE)?.map(|value| decoded(value.value())).transpose()
    }

    pub(super) fn save_vote(&self, vote: &Vote<NodeId>) -> Result<(), Error> {
        let write = self.stable.begin_write()?;
        write.open_table(SINGLE)?.insert(VOTE, &*encoded(vote)?)?;
        Ok(write.commit()?)
    }
}

/// Opens a file, or makes it, with all tables.
fn database(file: &Path) -> Result<Database, StartError> {
    let broken = |error: Error| match error {
        Error::DatabaseAlreadyOpen => StartError::InUse { file: file.to_owned() },
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            StartError::Foreign { file: file.to_owned() }
        }
        error => StartError::Log { file: file.to_owned(), source: Box::new(error) },
    };
    let database = Database::create(file).map_err(|error: DatabaseError| broken(error.into()))?;
    let tables = || -> Result<(), Error> {
        let write = database.begin_write()?;
        write.open_table(HEADS)?;
        write.open_table(WRITES)?;
        write.open_table(SINGLE)?;
        Ok(write.commit()?)
    };
    tables().map_err(broken)?;
    Ok(database)
}

fn found(writes: Option<Bytes>) -> Result<Bytes, Error> {
    writes.ok_or_else(|| Error::Corrupted("an entry of the log has lost what was written in it".to_owned()))
}

fn encoded(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    pack(value).map_err(|error| Error::Io(io::Error::other(error)))
}

fn decoded<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, Error> {
    unpack(value).map_err(|error| Error::Corrupted(format!("an entry of the log cannot be read: {error}")))
}
