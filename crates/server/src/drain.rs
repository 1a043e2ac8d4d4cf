//! Bringing a process down in order: not ready → linger → stop accepting → finish calls → cut off.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Owns every task of the process.
#[derive(Debug)]
pub struct Drain {
    handle: DrainHandle,
}

/// A handle to the process's [`Drain`] for those who spawn tasks or must know when to stop.
#[derive(Debug, Clone)]
pub struct DrainHandle {
    stop: CancellationToken,
    tasks: TaskTracker,
    accepting: watch::Sender<bool>,
}

/// How long the steps of a drain may take. `linger + grace` stays below the orchestrator's kill delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between the end of readiness and the end of accepting: load balancers need a moment to notice.
    pub linger: Duration,
    /// For calls in flight.
    pub grace: Duration,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was finished.
    Clean,
    /// Some tasks were still running.
    CutOff {
        /// How many.
        tasks: usize,
    },
}

impl Default for Timing {
    fn default() -> Self {
        Self { linger: Duration::ZERO, grace: Duration::from_secs(25) }
    }
}

impl Drain {
    /// A drain that owns nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let accepting = watch::Sender::new(true);
        Self { handle: DrainHandle { stop: CancellationToken::new(), tasks: TaskTracker::new(), accepting } }
    }

    /// A handle to it.
    #[must_use]
    pub fn handle(&self) -> DrainHandle {
        self.handle.clone()
    }

    /// Waits for `signal`, or for a critical task to end, and brings the process down.
    pub async fn run(self, signal: impl Future<Output = ()>, timing: Timing) -> Outcome {
        let DrainHandle { stop, tasks, accepting } = self.handle;
        tokio::select! {
            () = signal => {
                accepting.send_replace(false);
                tokio::time::sleep(timing.linger).await;
            }
            // Something that the process cannot do without has ended: there is nobody to linger for.
            () = stop.cancelled() => {
                accepting.send_replace(false);
            }
        }
        stop.cancel();
        tasks.close();
        match tokio::time::timeout(timing.grace, tasks.wait()).await {
            Ok(()) => Outcome::Clean,
            Err(_) => Outcome::CutOff { tasks: tasks.len() },
        }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl DrainHandle {
    /// Cancelled when no new work is taken on and what runs should finish.
    #[must_use]
    pub const fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// The tasks that the drain waits for.
    #[must_use]
    pub const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Whether the process still wants new clients; false from the first step of a drain on.
    #[must_use]
    pub fn accepting(&self) -> watch::Receiver<bool> {
        self.accepting.subscribe()
    }

    /// Runs `task` on the current runtime; the drain waits for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs `task` on `runtime`; the drain waits for it.
    pub fn spawn_on(&self, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
        self.tasks.spawn_on(task, runtime);
    }

    /// Runs `task` until the process drains, and drops it then. For tasks that never end by themselves.
    pub fn spawn_until_stop(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Runs `task` for the life of the process: when it ends, even by panic, the process drains.
    pub fn spawn_critical(&self, task: impl Future<Output = ()> + Send + 'static) {
        let guard = self.stop.clone().drop_guard();
        self.tasks.spawn(async move {
            let _guard = guard;
            task.await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { linger: Duration::from_secs(2), grace: Duration::from_secs(10) };

    #[tokio::test(start_paused = true)]
    async fn calls_in_flight_are_finished() {
        let drain = Drain::new();
        let handle = drain.handle();
        let (mut accepting, stop) = (handle.accepting(), handle.token().clone());
        handle.spawn(async move {
            accepting.wait_for(|accepting| !accepting).await.unwrap();
            assert!(!stop.is_cancelled(), "it lingers before it stops");
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        });
        assert_eq!(drain.run(std::future::ready(()), TIMING).await, Outcome::Clean);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_end_is_cut_off() {
        let drain = Drain::new();
        drain.handle().spawn(std::future::pending());
        let outcome = drain.run(std::future::ready(()), TIMING).await;
        assert_eq!(outcome, Outcome::CutOff { tasks: 1 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_critical_task_drains_the_process() {
        let drain = Drain::new();
        drain.handle().spawn_critical(async { panic!("dead") });
        drain.handle().spawn_until_stop(std::future::pending());
        assert_eq!(drain.run(std::future::pending(), TIMING).await, Outcome::Clean);
    }
}
