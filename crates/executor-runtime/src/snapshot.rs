//! Snapshots of an executor's state: the calls that begin one or go back to one, and those that ask how it goes.

use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use indexmap::IndexMap;
use proto::jina::jina_executor_restore_progress_server::{
    JinaExecutorRestoreProgress, JinaExecutorRestoreProgressServer,
};
use proto::jina::jina_executor_restore_server::{JinaExecutorRestore, JinaExecutorRestoreServer};
use proto::jina::jina_executor_snapshot_progress_server::{
    JinaExecutorSnapshotProgress, JinaExecutorSnapshotProgressServer,
};
use proto::jina::jina_executor_snapshot_server::{JinaExecutorSnapshot, JinaExecutorSnapshotServer};
use proto::jina::restore_snapshot_status_proto::Status as RestoreStatus;
use proto::jina::snapshot_status_proto::Status as SnapshotStatus;
use proto::jina::{
    RestoreId, RestoreSnapshotCommand, RestoreSnapshotStatusProto, SnapshotId, SnapshotStatusProto,
};
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::Failure;
use crate::state::State;

/// How many of each kind are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 64;

/// The name of the file in the directory of a snapshot.
const FILE: &str = "state.bin";

/// Makes snapshots and goes back to them, one at a time. Clones are handles to the same.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    state: State,
    /// Who ends the process waits for what runs here.
    tasks: TaskTracker,
    made: Arc<Mutex<Jobs>>,
    restored: Arc<Mutex<Jobs>>,
}

/// Jobs of one kind by their ids, the oldest first.
#[derive(Debug, Default)]
struct Jobs(IndexMap<String, Job>);

#[derive(Debug, Clone)]
struct Job {
    file: PathBuf,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Running,
    Succeeded,
    Failed,
}

impl Snapshots {
    pub(crate) fn new(state: State, tasks: TaskTracker) -> Self {
        Self { state, tasks, made: Arc::default(), restored: Arc::default() }
    }

    /// The calls beside those that are in `control`.
    pub(crate) fn add_to(&self, control: Routes) -> Routes {
        control
            .add_service(JinaExecutorSnapshotServer::new(self.clone()))
            .add_service(JinaExecutorSnapshotProgressServer::new(self.clone()))
            .add_service(JinaExecutorRestoreServer::new(self.clone()))
            .add_service(JinaExecutorRestoreProgressServer::new(self.clone()))
    }

    /// Runs `work`, and remembers how it ended under `id`.
    fn spawn(
        &self,
        what: &'static str,
        jobs: &Arc<Mutex<Jobs>>,
        id: String,
        work: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) {
        let jobs = jobs.clone();
        self.tasks.spawn(async move {
            let done = AssertUnwindSafe(work).catch_unwind().await;
            let done = done.unwrap_or_else(|panic| Err(Failure::panic(&*panic)));
            if let Err(error) = &done {
                tracing::warn!(%error, causes = ?error.causes, id, what, "the state was not kept or not restored");
            }
            let progress = if done.is_ok() { Progress::Succeeded } else { Progress::Failed };
            if let Some(job) = locked(&jobs).0.get_mut(&id) {
                job.progress = progress;
            }
        });
    }
}

impl Jobs {
    /// Begins a job, unless one runs.
    fn begin(&mut self, file: PathBuf) -> Result<String, Status> {
        if self.0.values().any(|job| job.progress == Progress::Running) {
            // The code is the one that peers know.
            return Err(Status::unknown("another one is running"));
        }
        let id = uuid::Uuid::new_v4().to_string();
        self.0.insert(id.clone(), Job { file, progress: Progress::Running });
        while self.0.len() > REMEMBERED {
            self.0.shift_remove_index(0);
        }
        Ok(id)
    }
}

/// Nothing that holds it panics.
fn locked(jobs: &Mutex<Jobs>) -> MutexGuard<'_, Jobs> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the snapshot `id` is kept.
fn file_of(id: &str) -> PathBuf {
    std::env::temp_dir().join(id).join(FILE)
}

/// Makes the directory of a snapshot, which nobody else may look into.
fn make_directory(file: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    file.parent().map_or(Ok(()), |directory| builder.create(directory))
}

/// Whether a snapshot was made there, by this process or by one before it: a file of the right name in the directory
/// of an id. Whoever may ask for a restore could have any other file removed.
fn is_snapshot(file: &Path) -> bool {
    let id = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let id = id.and_then(|id| id.parse::<uuid::Uuid>().ok());
    id.is_some_and(|id| file == file_of(&id.to_string()))
}

fn not_kept(error: &io::Error) -> Failure {
    Failure::new("OSError", error.to_string())
}

#[tonic::async_trait]
impl JinaExecutorSnapshot for Snapshots {
    async fn snapshot(&self, _: Request<()>) -> Result<Response<SnapshotStatusProto>, Status> {
        let (id, file) = {
            let mut jobs = locked(&self.made);
            let id = jobs.begin(PathBuf::new())?;
            let file = file_of(&id);
            if let Some(job) = jobs.0.get_mut(&id) {
                job.file.clone_from(&file);
            }
            (id, file)
        };
        let (state, target) = (self.state.clone(), file.clone());
        self.spawn("snapshot", &self.made, id.clone(), async move {
            make_directory(&target).map_err(|error| not_kept(&error))?;
            let saved = state.save(target.clone()).await;
            if saved.is_err() {
                // Nobody goes back to it. There may be no file yet, and what cannot be removed does no harm.
                let _left = target.parent().map(std::fs::remove_dir_all);
            }
            saved
        });
        Ok(Response::new(snapshot_status(id, SnapshotStatus::Running, &file)))
    }
}

#[tonic::async_trait]
impl JinaExecutorSnapshotProgress for Snapshots {
    async fn snapshot_status(
        &self,
        asked: Request<SnapshotId>,
    ) -> Result<Response<SnapshotStatusProto>, Status> {
        let id = asked.into_inner().value;
        let job = locked(&self.made).0.get(&id).cloned();
        let (status, file) = match job {
            Some(Job { progress: Progress::Running, file }) => (SnapshotStatus::Running, file),
            Some(Job { progress: Progress::Succeeded, file }) => (SnapshotStatus::Succeeded, file),
            Some(Job { progress: Progress::Failed, .. }) => (SnapshotStatus::Failed, PathBuf::new()),
            None => (SnapshotStatus::NotFound, PathBuf::new()),
        };
        Ok(Response::new(snapshot_status(id, status, &file)))
    }
}

#[tonic::async_trait]
impl JinaExecutorRestore for Snapshots {
    async fn restore(
        &self,
        asked: Request<RestoreSnapshotCommand>,
    ) -> Result<Response<RestoreSnapshotStatusProto>, Status> {
        let file = PathBuf::from(asked.into_inner().snapshot_file);
        let id = locked(&self.restored).begin(file.clone())?;
        let state = self.state.clone();
        self.spawn("restore", &self.restored, id.clone(), async move {
            let loaded = AssertUnwindSafe(state.load(file.clone())).catch_unwind().await;
            if is_snapshot(&file)
                && let Err(error) = remove(&file)
            {
                tracing::warn!(%error, file = %file.display(), "a snapshot was not removed");
            }
            loaded.unwrap_or_else(|panic| Err(Failure::panic(&*panic)))
        });
        Ok(Response::new(restore_status(id, RestoreStatus::Running)))
    }
}

#[tonic::async_trait]
impl JinaExecutorRestoreProgress for Snapshots {
    async fn restore_status(
        &self,
        asked: Request<RestoreId>,
    ) -> Result<Response<RestoreSnapshotStatusProto>, Status> {
        let id = asked.into_inner().value;
        let progress = locked(&self.restored).0.get(&id).map(|job| job.progress);
        let status = match progress {
            Some(Progress::Running) => RestoreStatus::Running,
            Some(Progress::Succeeded) => RestoreStatus::Succeeded,
            Some(Progress::Failed) => RestoreStatus::Failed,
            None => RestoreStatus::NotFound,
        };
        Ok(Response::new(restore_status(id, status)))
    }
}

/// Removes a snapshot and its directory.
fn remove(file: &Path) -> io::Result<()> {
    std::fs::remove_file(file)?;
    file.parent().map_or(Ok(()), std::fs::remove_dir)
}

fn snapshot_status(id: String, status: SnapshotStatus, file: &Path) -> SnapshotStatusProto {
    SnapshotStatusProto {
        id: Some(SnapshotId { value: id }),
        status: status.into(),
        snapshot_file: file.to_string_lossy().into_owned(),
    }
}

fn restore_status(id: String, status: RestoreStatus) -> RestoreSnapshotStatusProto {
    RestoreSnapshotStatusProto { id: Some(RestoreId { value: id }), status: status.into() }
}

#[cfg(test)]
mod tests;
