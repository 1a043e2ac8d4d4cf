//! What is made of the log: the executor, and how far it is.

mod applied;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use openraft::EmptyNode;
use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftLogReader as _, RaftSnapshotBuilder, Snapshot, SnapshotMeta};
use prost::Message as _;
use proto::consensus::{Batch, Request, Write};
use tokio::sync::{Mutex, MutexGuard, watch};
use tracing::{info, warn};

use self::applied::Applied;
use crate::executor::{Lost, NotKept};
use crate::log::Log;
use crate::snapshots::{Head, Kept, Snapshots};
use crate::types::{
    Answer, Answers, Entered, Entry, Index, Membership, NodeId, SnapshotFile, StorageError, Types, WriteId,
};
use crate::wire::{no_snapshot, not_applied, unreadable};
use crate::{Replicated, StartError};

/// How often the executor's process may be lost over one write before that is left out.
const LOSSES: u32 = 2;

/// Entries that are read at once when the executor is brought up to date.
const AT_ONCE: u64 = 64;

/// The executor and how far it is. Clones are handles to the same.
#[derive(Debug, Clone)]
pub(crate) struct Machine(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    executor: Arc<dyn Replicated>,
    log: Log,
    snapshots: Snapshots,
    /// Whether the executor has the state of the last snapshot by itself when it begins.
    keeps_itself: bool,
    /// Held while a write is made, and while the state is written or taken as a whole.
    state: Mutex<State>,
    /// The number of the next entry to be applied.
    next: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    applied: Applied,
    /// Which life of the executor this is the state of.
    generation: u64,
    /// Writes over which the executor was lost.
    losses: HashMap<WriteId, u32>,
}

impl Machine {
    /// Brings a new executor to its last snapshot.
    pub(crate) async fn open(
        executor: Arc<dyn Replicated>,
        log: Log,
        snapshots: Snapshots,
        keeps_itself: bool,
    ) -> Result<Self, StartError> {
        let mut state = State { generation: executor.generation(), ..State::default() };
        let broken = |source| StartError::Directory { directory: "snapshots".into(), source };
        if let Some(kept) = snapshots.last().await.map_err(broken)? {
            let Kept { file, head } = kept;
            if !keeps_itself {
                let loaded = executor.load(file.clone()).await;
                loaded.map_err(|why| StartError::Restore { file, why: why.to_string() })?;
            }
            state.applied = Applied::of(&head);
        }
        let next = watch::Sender::new(state.applied.next());
        let state = Mutex::new(state);
        Ok(Self(Arc::new(Shared { executor, log, snapshots, keeps_itself, state, next })))
    }

    /// Follows the number of the next entry to be applied.
    pub(crate) fn next(&self) -> watch::Receiver<u64> {
        self.0.next.subscribe()
    }

    /// Entries applied since the last snapshot.
    pub(crate) async fn since_snapshot(&self) -> std::io::Result<u64> {
        let last = self.0.snapshots.last().await?;
        let kept = last.and_then(|kept| kept.head.last).map_or(0, |last| last.index + 1);
        Ok(self.next().borrow().saturating_sub(kept))
    }

    /// Has the executor write its state, and keeps that as the last snapshot.
    pub(crate) async fn keep(&self) -> Result<(), NotKept> {
        let Shared { executor, snapshots, .. } = &*self.0;
        let failed = |error: std::io::Error| NotKept::Failed(error.to_string());
        let file = snapshots.begin("made").await.map_err(failed)?;
        let state = self.0.state.lock().await;
        let head = state.applied.head();
        executor.save(file.clone()).await?;
        drop(state);
        snapshots.finish(&file, head).await.map_err(failed)?;
        Ok(())
    }

    /// Which life of the executor this is the state of.
    pub(crate) async fn generation(&self) -> u64 {
        self.0.state.lock().await.generation
    }

    /// Brings the executor up to date if it began anew.
    ///
    /// # Errors
    ///
    /// If it does not come back, or the log or the last snapshot cannot be read.
    pub(crate) async fn recover(&self) -> Result<(), StorageError> {
        let mut state = self.0.state.lock().await;
        if self.0.executor.generation() == state.generation {
            return Ok(());
        }
        self.0.rebuild(&mut state).await
    }

    /// Where a snapshot of another replica is to be written.
    pub(crate) async fn receive(&self) -> std::io::Result<PathBuf> {
        self.0.snapshots.begin("received").await
    }

    /// Keeps a snapshot that was written there. It is safe on disk before the log hears of it, which is shortened then.
    pub(crate) async fn received(&self, file: &Path, head: Head) -> std::io::Result<Snapshot<Types>> {
        Ok(self.0.snapshots.finish(file, head).await?.snapshot())
    }

    async fn install(
        &self,
        meta: &SnapshotMeta<NodeId, EmptyNode>,
        received: &SnapshotFile,
    ) -> Result<(), StorageError> {
        let Shared { executor, next, .. } = &*self.0;
        let mut state = self.0.state.lock().await;
        info!(
            entry = meta.last_log_id.map_or(0, |last| last.index),
            "the state is taken from another replica"
        );
        executor.load(received.path.clone()).await.map_err(not_applied)?;
        state.applied = Applied::of(&Head {
            last: meta.last_log_id,
            membership: meta.last_membership.clone(),
            recent: received.recent.clone(),
        });
        state.generation = executor.generation();
        next.send_replace(state.applied.next());
        Ok(())
    }
}

impl Shared {
    /// Applies one entry, whatever it takes.
    async fn apply(&self, state: &mut State, entry: Entry) -> Result<Answers, StorageError> {
        loop {
            match self.step(state, entry.clone()).await? {
                Ok(answers) => return Ok(answers),
                Err(Lost) => self.rebuild(state).await?,
            }
        }
    }

    /// Applies one entry, unless the executor is lost over it.
    async fn step(&self, state: &mut State, entry: Entry) -> Result<Result<Answers, Lost>, StorageError> {
        let Entry { log_id, payload } = entry;
        let mut answers = Answers::default();
        match payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                state.applied.membership = Membership::new(Some(log_id), membership);
            }
            EntryPayload::Normal(Entered(writes)) => {
                let writes = match writes {
                    Some(writes) => Some(writes),
                    None => self.log.writes(log_id.index).await?,
                };
                let Some(writes) = writes else {
                    // The log was shortened because a snapshot came in that has them: it is installed next.
                    state.applied.last = Some(log_id);
                    return Ok(Ok(answers));
                };
                let batch = Batch::decode(writes).map_err(|error| unreadable(&error))?;
                let Ok(made) = self.make(state, &batch).await else { return Ok(Err(Lost)) };
                let (ids, given): (Vec<_>, Vec<_>) = made.into_iter().unzip();
                state.applied.remember(&ids, &given);
                answers = Answers(given);
            }
        }
        state.applied.last = Some(log_id);
        Ok(Ok(answers))
    }

    /// Makes the writes of an entry, those excepted that were made before.
    async fn make(&self, state: &mut State, batch: &Batch) -> Result<Vec<(WriteId, Answer)>, Lost> {
        let mut made: Vec<(WriteId, Answer)> = Vec::with_capacity(batch.writes.len());
        for Write { id, request } in &batch.writes {
            if self.executor.generation() != state.generation {
                return Err(Lost);
            }
            let id = <[u8; 16]>::try_from(&**id).map_or(0, WriteId::from_be_bytes);
            let again = made.iter().find(|(before, _)| *before == id).map(|(_, answer)| answer.clone());
            let answer = match again.or_else(|| state.applied.answer(id)) {
                Some(answer) => answer,
                None if state.losses.get(&id).is_some_and(|losses| *losses >= LOSSES) => Answer::Fatal,
                None => self.write(state, id, request).await?,
            };
            made.push((id, answer));
        }
        Ok(made)
    }

    async fn write(&self, state: &mut State, id: WriteId, request: &Bytes) -> Result<Answer, Lost> {
        // What is in the log was encoded by one of us.
        let request = Request::decode(request.clone()).unwrap_or_default();
        match self.executor.apply(request).await {
            Ok(answer) => Ok(Answer::Given(answer)),
            Err(Lost) => {
                let losses = state.losses.entry(id).or_default();
                *losses += 1;
                warn!(losses, "the executor's process was lost over a write");
                Err(Lost)
            }
        }
    }

    /// Brings an executor that began anew, and empty, to where the lost one was.
    async fn rebuild(&self, state: &mut State) -> Result<(), StorageError> {
        let target = state.applied.next();
        loop {
            if !self.executor.revived(state.generation).await {
                return Err(not_applied("the executor does not come back"));
            }
            state.generation = self.executor.generation();
            info!(entries = target, "the executor began anew; its state is made again");
            let kept = self.snapshots.last().await.map_err(|error| no_snapshot(&error))?;
            state.applied = match kept {
                Some(kept) => {
                    if !self.keeps_itself {
                        self.executor.load(kept.file).await.map_err(not_applied)?;
                    }
                    Applied::of(&kept.head)
                }
                None => Applied::default(),
            };
            if self.replay(state, target).await?.is_ok() {
                return Ok(());
            }
        }
    }

    /// Makes all entries before `target` again.
    async fn replay(&self, state: &mut State, target: u64) -> Result<Result<(), Lost>, StorageError> {
        while state.applied.next() < target {
            let first = state.applied.next();
            let end = target.min(first + AT_ONCE);
            let entries = self.log.clone().try_get_log_entries(first..end).await?;
            if entries.is_empty() {
                return Err(not_applied("entries of the log are missing after the snapshot"));
            }
            for entry in entries {
                if let Err(Lost) = self.step(state, entry).await? {
                    return Ok(Err(Lost));
                }
            }
        }
        Ok(Ok(()))
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<Index>, Membership), StorageError> {
        let state: MutexGuard<'_, State> = self.0.state.lock().await;
        Ok((state.applied.last, state.applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answers>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut all = Vec::new();
        for entry in entries {
            let mut state = self.0.state.lock().await;
            all.push(self.0.apply(&mut state, entry).await?);
            self.0.next.send_replace(state.applied.next());
        }
        Ok(all)
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotFile>, StorageError> {
        // They come through `Machine::receive`.
        Err(no_snapshot(&std::io::Error::other("snapshots are received elsewhere")))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta<NodeId, EmptyNode>,
        snapshot: Box<SnapshotFile>,
    ) -> Result<(), StorageError> {
        self.install(meta, &snapshot).await
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let last = self.0.snapshots.last().await.map_err(|error| no_snapshot(&error))?;
        Ok(last.map(|kept| kept.snapshot()))
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    /// The one that was kept: the library is told of it after it was made.
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        let last = self.0.snapshots.last().await.map_err(|error| no_snapshot(&error))?;
        let none = || no_snapshot(&std::io::Error::other("no snapshot was made"));
        last.map(|kept| kept.snapshot()).ok_or_else(none)
    }
}
