//! What an executor keeps between requests: who changes it, and its way into a file and back.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::RwLock;

use crate::endpoint::{Called, Code};
use crate::{Executor, Failure, Invocation};

/// The state of one executor. Clones are handles to the same.
#[derive(Clone)]
pub(crate) struct State {
    /// Held alone while the state is read or replaced as a whole, together by functions that change it: those take
    /// care of each other themselves.
    lock: Arc<RwLock<()>>,
    save: Hook,
    load: Hook,
}

type Hook = Arc<dyn Fn(PathBuf) -> Called<()> + Send + Sync>;

impl State {
    pub(crate) fn of<E: Executor>(executor: &Arc<E>) -> Self {
        let (saved, loaded) = (executor.clone(), executor.clone());
        Self {
            lock: Arc::default(),
            save: Arc::new(move |file| saved.clone().snapshot(file)),
            load: Arc::new(move |file| loaded.clone().restore(file)),
        }
    }

    /// Of code in other processes, which cannot be saved from here.
    pub(crate) fn elsewhere() -> Self {
        let refused: Hook = Arc::new(|_| {
            let message = "snapshots of executors in other processes are not offered";
            Box::pin(async move { Err(Failure::new("NotImplementedError", message)) })
        });
        Self { lock: Arc::default(), save: refused.clone(), load: refused }
    }

    /// Lets `code` run only while the state is neither saved nor loaded.
    pub(crate) fn guard(&self, code: Code) -> Code {
        let lock = self.lock.clone();
        match code {
            Code::Async(run) => Code::Async(Box::new(move |invocation| {
                let (lock, call) = (lock.clone(), run(invocation));
                Box::pin(async move {
                    let _changes = lock.read().await;
                    call.await
                })
            })),
            Code::Blocking(run) => Code::Blocking(Arc::new(move |invocation: Invocation| {
                // Such code has a thread for itself.
                let _changes = lock.blocking_read();
                run(invocation)
            })),
            // Its process has a lock of its own.
            Code::Foreign { run, blocking } => Code::Foreign { run, blocking },
            Code::Stream(run) => Code::Stream(Box::new(move |invocation, items| {
                let (lock, call) = (lock.clone(), run(invocation, items));
                Box::pin(async move {
                    let _changes = lock.read().await;
                    call.await
                })
            })),
        }
    }

    /// Writes the state to `file`, which must not exist.
    pub(crate) async fn save(&self, file: PathBuf) -> Result<(), Failure> {
        let _alone = self.lock.write().await;
        (self.save)(file).await
    }

    /// Takes the state from `file`.
    pub(crate) async fn load(&self, file: PathBuf) -> Result<(), Failure> {
        let _alone = self.lock.write().await;
        (self.load)(file).await
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
