//! The log on disk: what was decided to be made, in which order.
//!
//! Two files in one directory, named as Jina's are (reference/executor.md §5.3) and of another format: `logs.dat` holds
//! entries, `stable.dat` the vote. Entries are kept in two tables, so that finding out what an entry is does not read
//! what is written in it.

mod files;
mod recent;

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{EntryPayload, RaftLogReader, Vote};

use self::files::Files;
use self::recent::Recent;
use crate::StartError;
use crate::types::{Entered, Entry, Index, NodeId, StorageError, Types};
use crate::wire::{unreadable, unwritable};

/// Bytes of entries that are sent to a replica at once; one entry may be larger.
const SENT_AT_ONCE: usize = 4 << 20;

/// The log. Clones are handles to the same.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    files: Arc<Files>,
    /// The last entries, which are on their way to the replicas and to the executor.
    recent: Arc<Mutex<Recent>>,
}

impl Log {
    /// Opens the log in `directory`, or begins one.
    pub(crate) fn open(directory: &Path) -> Result<Self, StartError> {
        Ok(Self { files: Arc::new(Files::open(directory)?), recent: Arc::default() })
    }

    /// The writes of an entry, encoded; `None` if the log does not reach back to it any more.
    pub(crate) async fn writes(&self, index: u64) -> Result<Option<Bytes>, StorageError> {
        if let Some(Entry { payload: EntryPayload::Normal(Entered(Some(writes))), .. }) =
            self.recent().get(index)
        {
            return Ok(Some(writes.clone()));
        }
        self.blocking(move |files| files.writes(index)).await.map_err(|error| unreadable(&error))
    }

    /// Entries from `first` on, with what is written in them: at least one if there is one, and not too many.
    async fn whole(&self, first: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        if let Some(entries) = self.recent().range(first, end, SENT_AT_ONCE) {
            return Ok(entries);
        }
        let whole = self.blocking(move |files| files.whole(first, end, SENT_AT_ONCE)).await;
        whole.map_err(|error| unreadable(&error))
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // Nothing that holds it panics.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the files on a thread that may wait for them.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, redb::Error> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.unwrap_or_else(|lost| Err(redb::Error::Io(std::io::Error::other(lost))))
    }
}

impl RaftLogReader<Types> for Log {
    /// Entries without what is written in them, unless that is in memory.
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let first = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        if let Some(entries) = self.recent().range(first, end, usize::MAX) {
            return Ok(entries);
        }
        self.blocking(move |files| files.heads(first, end)).await.map_err(|error| unreadable(&error))
    }

    /// What is sent to another replica.
    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        self.whole(start, end).await
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let (purged, last) = self.blocking(Files::ends).await.map_err(|error| unreadable(&error))?;
        Ok(LogState { last_purged_log_id: purged, last_log_id: last.or(purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote<NodeId>) -> Result<(), StorageError> {
        let vote = *vote;
        self.blocking(move |files| files.save_vote(&vote)).await.map_err(|error| unwritable(&error))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<NodeId>>, StorageError> {
        self.blocking(Files::vote).await.map_err(|error| unreadable(&error))
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Types>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<_> = entries.into_iter().collect();
        let written = entries.clone();
        let written = self.blocking(move |files| files.append(&written)).await;
        if written.is_ok() {
            self.recent().append(entries);
        }
        let told = match &written {
            Ok(()) => Ok(()),
            Err(error) => Err(std::io::Error::other(error.to_string())),
        };
        callback.log_io_completed(told);
        written.map_err(|error| unwritable(&error))
    }

    async fn truncate(&mut self, first: Index) -> Result<(), StorageError> {
        self.recent().truncate(first.index);
        self.blocking(move |files| files.truncate(first.index)).await.map_err(|error| unwritable(&error))
    }

    async fn purge(&mut self, last: Index) -> Result<(), StorageError> {
        self.recent().purge(last.index);
        self.blocking(move |files| files.purge(last)).await.map_err(|error| unwritable(&error))
    }
}
