//! Snapshots on disk: `snapshots/<number of the last entry>/` holds what the executor wrote, and what it is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openraft::{Snapshot, SnapshotMeta};
use serde::{Deserialize, Serialize};
use tokio::fs;

use crate::types::{Index, Membership, NodeId, SnapshotFile, Types, WriteId};
use crate::wire::{pack, unpack};

/// What the executor wrote.
const STATE: &str = "state.bin";
/// What it is; written last.
const HEAD: &str = "head";
/// Where a snapshot is while it is made or received.
const UNFINISHED: &str = "unfinished";

/// The snapshots of a replica.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    directory: PathBuf,
}

/// What a snapshot is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The last entry in it.
    pub(crate) last: Option<Index>,
    /// Who the replicas were.
    pub(crate) membership: Membership,
    /// Names of the last writes in it.
    pub(crate) recent: Arc<Vec<WriteId>>,
}

/// A snapshot that is there.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) file: PathBuf,
    pub(crate) head: Head,
}

impl Snapshots {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.join("snapshots") }
    }

    /// A file that is not there yet, for the next snapshot. What was begun there before and not finished is removed.
    pub(crate) async fn begin(&self, name: &str) -> io::Result<PathBuf> {
        let directory = self.directory.join(format!("{UNFINISHED}-{name}"));
        removed(&directory).await?;
        fs::create_dir_all(&directory).await?;
        Ok(directory.join(STATE))
    }

    /// Makes `file`, of [`Snapshots::begin`], a snapshot that is there whatever happens; older ones are removed.
    pub(crate) async fn finish(&self, file: &Path, head: Head) -> io::Result<Kept> {
        let unfinished = file.parent().unwrap_or(&self.directory);
        let packed = pack(&head).map_err(io::Error::other)?;
        let sync = async |path: &Path| fs::File::open(path).await?.sync_all().await;
        sync(file).await?;
        let told = unfinished.join(HEAD);
        fs::write(&told, packed).await?;
        sync(&told).await?;
        let index = head.last.map_or(0, |last| last.index);
        let directory = self.directory.join(index.to_string());
        removed(&directory).await?;
        fs::rename(unfinished, &directory).await?;
        sync(&self.directory).await?;
        for older in self.numbers().await?.into_iter().filter(|number| *number < index) {
            removed(&self.directory.join(older.to_string())).await?;
        }
        Ok(Kept { file: directory.join(STATE), head })
    }

    /// The last snapshot.
    pub(crate) async fn last(&self) -> io::Result<Option<Kept>> {
        let Some(last) = self.numbers().await?.into_iter().max() else { return Ok(None) };
        let directory = self.directory.join(last.to_string());
        let head = fs::read(directory.join(HEAD)).await?;
        let head = unpack(&head).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Some(Kept { file: directory.join(STATE), head }))
    }

    async fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut entries = match fs::read_dir(&self.directory).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut numbers = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            numbers.extend(entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        Ok(numbers)
    }
}

impl Kept {
    /// For the library.
    pub(crate) fn snapshot(&self) -> Snapshot<Types> {
        let meta = SnapshotMeta::<NodeId, _> {
            last_log_id: self.head.last,
            last_membership: self.head.membership.clone(),
            snapshot_id: self.head.last.map_or_else(String::new, |last| last.to_string()),
        };
        let file = SnapshotFile { path: self.file.clone(), recent: self.head.recent.clone() };
        Snapshot { meta, snapshot: Box::new(file) }
    }
}

async fn removed(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
