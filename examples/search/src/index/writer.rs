//! Writing: calls that come at the same time share a commit.
//!
//! A commit waits for the disk, however little there is to write. So whoever gets hold of the writer takes
//! along what others have brought while it was busy, and they find their work done.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, UserOperation};
use tantivy::{IndexWriter, TantivyError};

use super::Settings;

/// The one writer of an index.
pub(super) struct Writer {
    index: tantivy::Index,
    settings: Settings,
    /// What waits for the next commit, in the order it came. Each call waits for its own, so there are no more
    /// than there are threads.
    waiting: Mutex<Vec<Batch>>,
    /// None after a failed write: what the writer still held is gone with it, and the next write opens another.
    writer: Mutex<Option<IndexWriter>>,
}

/// The changes of one call.
struct Batch {
    operations: Vec<UserOperation>,
    outcome: Arc<OnceLock<Result<(), TantivyError>>>,
}

// === impl Writer ===

impl Writer {
    /// Takes the index for writing.
    pub(super) fn open(index: tantivy::Index, settings: Settings) -> Result<Self, TantivyError> {
        let writer = Mutex::new(Some(open(&index, settings)?));
        Ok(Self { index, settings, waiting: Mutex::default(), writer })
    }

    /// Makes changes, all or none of them; they are on disk when it returns.
    pub(super) fn write(&self, operations: Vec<UserOperation>) -> Result<(), TantivyError> {
        let outcome = Arc::new(OnceLock::new());
        hold(&self.waiting).push(Batch { operations, outcome: outcome.clone() });
        let mut slot = hold(&self.writer);
        if let Some(outcome) = outcome.get() {
            return outcome.clone();
        }
        let batches = std::mem::take(&mut *hold(&self.waiting));
        let (operations, outcomes): (Vec<_>, Vec<_>) =
            batches.into_iter().map(|batch| (batch.operations, batch.outcome)).unzip();
        let committed = self.commit(&mut slot, operations);
        for outcome in outcomes {
            outcome.get_or_init(|| committed.clone());
        }
        // One's own is not among them if whoever took it along panicked.
        outcome.get().cloned().unwrap_or(Err(TantivyError::Poisoned))
    }

    fn commit(
        &self,
        slot: &mut Option<IndexWriter>,
        batches: Vec<Vec<UserOperation>>,
    ) -> Result<(), TantivyError> {
        // The writer is put back only if all went well: dropped, it forgets what it has not committed.
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => open(&self.index, self.settings)?,
        };
        for operations in batches {
            writer.run(operations)?;
        }
        writer.commit()?;
        *slot = Some(writer);
        Ok(())
    }

    /// Drops the writer as a failure does.
    #[cfg(test)]
    pub(super) fn lose(&self) {
        hold(&self.writer).take();
    }

    /// Waits for the merges under way.
    #[cfg(test)]
    pub(super) fn finish_merges(&self) -> Result<(), TantivyError> {
        let writer = hold(&self.writer).take();
        writer.map_or(Ok(()), IndexWriter::wait_merging_threads)
    }
}

fn open(index: &tantivy::Index, settings: Settings) -> Result<IndexWriter, TantivyError> {
    let heap = usize::try_from(settings.writer_heap.as_u64()).unwrap_or(usize::MAX);
    // One thread keeps the passages of a call together and is faster than calls come in.
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(heap)
        .num_merge_threads(1)
        .build();
    let writer = index.writer_with_options(options)?;
    // Every commit makes a segment, so small ones are joined soon; documents that were replaced leave no more
    // than a third of a segment behind.
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(0.34);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

/// Whoever panicked with a lock left nothing half done behind it: the writer is taken out while it is used, and
/// the queue is only ever pushed to or emptied.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
