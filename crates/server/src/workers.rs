//! The threads that carry the traffic.
//!
//! Each worker runs a runtime of its own, and a connection stays on the worker that it was given to, with
//! everything that is done for it. So calls wake no other thread and share no lock, which costs more than
//! the work that stealing would spread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Threads, or the runtime that is there already.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
}

/// A place on a worker, for the life of a connection.
#[derive(Debug)]
pub(crate) struct Place {
    /// The worker's number.
    pub(crate) worker: usize,
    /// Where to spawn.
    pub(crate) runtime: Handle,
    connections: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts `n` threads.
    ///
    /// # Errors
    ///
    /// If the system refuses them.
    pub fn start(n: usize) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let mut started = Self { workers: Vec::new(), stop, threads: Vec::new() };
        for worker in 0..n.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            started.workers.push(Worker { runtime: runtime.handle().clone(), connections: Arc::default() });
            let stopped = started.stop.clone();
            let thread = std::thread::Builder::new().name(format!("worker-{worker}"));
            let thread = thread.spawn(move || {
                runtime.block_on(stopped.cancelled());
                // Code that blocks for ever would keep the process from ending.
                runtime.shutdown_background();
            })?;
            started.threads.push(thread);
        }
        Ok(started)
    }

    /// One worker: the runtime of the caller. For processes that embed a gateway, and for tests.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn current() -> Self {
        let worker = Worker { runtime: Handle::current(), connections: Arc::default() };
        Self { workers: vec![worker], stop: CancellationToken::new(), threads: Vec::new() }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.workers.len()
    }

    /// The runtime of one of them.
    #[must_use]
    pub fn runtime(&self, worker: usize) -> &Handle {
        &self.workers[worker].runtime
    }

    /// A place on the worker with the fewest connections.
    pub(crate) fn place(&self) -> Place {
        let (worker, least) = self
            .workers
            .iter()
            .enumerate()
            .min_by_key(|(_, worker)| worker.connections.load(Ordering::Relaxed))
            .expect("there is always a worker");
        least.connections.fetch_add(1, Ordering::Relaxed);
        Place { worker, runtime: least.runtime.clone(), connections: least.connections.clone() }
    }
}

impl Drop for Workers {
    /// Ends the threads; what still runs on them is dropped.
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            // A worker that panicked outside a task has nothing left to drop.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_spread_evenly() {
        let workers = Workers::start(3).unwrap();
        let mut places: Vec<_> = (0..6).map(|_| workers.place()).collect();
        let mut on: Vec<_> = places.iter().map(|place| place.worker).collect();
        on.sort_unstable();
        assert_eq!(on, [0, 0, 1, 1, 2, 2]);
        let freed = places.remove(4).worker;
        assert_eq!(workers.place().worker, freed);
    }

    #[test]
    fn each_worker_runs_on_its_own_thread() {
        let workers = Workers::start(2).unwrap();
        let name = |worker| {
            let (send, receive) = std::sync::mpsc::channel();
            workers.runtime(worker).spawn(async move {
                send.send(std::thread::current().name().map(str::to_owned)).unwrap();
            });
            receive.recv().unwrap()
        };
        assert_eq!(name(0).as_deref(), Some("worker-0"));
        assert_eq!(name(1).as_deref(), Some("worker-1"));
    }
}
