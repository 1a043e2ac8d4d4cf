//! The executors that a Flow runs itself, each watched by a task.

use std::io;
use std::process::{self, ExitStatus};
use std::time::Duration;

use server::{Outcome, tls};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::python::Child;

/// How long a process may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Executors that run. Dropping them ends all at once.
#[derive(Debug)]
pub(crate) struct Executors {
    watchers: JoinSet<()>,
    stop: CancellationToken,
    tell: mpsc::Sender<Ended>,
    ended: mpsc::Receiver<Ended>,
    /// The certificates of those that clients call.
    tls: Vec<tls::Acceptor>,
}

/// An executor that ended without being asked to.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// Its name, with the number of the replica.
    pub(crate) name: String,
    /// How its process ended, if it had one of its own.
    pub(crate) status: Option<ExitStatus>,
}

impl Executors {
    pub(crate) fn new() -> Self {
        // One is enough: watchers that wait to be heard have nothing else to do.
        let (tell, ended) = mpsc::channel(1);
        Self { watchers: JoinSet::new(), stop: CancellationToken::new(), tell, ended, tls: Vec::new() }
    }

    /// Takes on one of this process.
    pub(crate) fn add(&mut self, name: String, executor: executor::Running) {
        self.tls.extend(executor.tls().cloned());
        let span = server::log::named(&name);
        let watch = watch(name, executor, self.stop.clone(), self.tell.clone());
        self.watchers.spawn(watch.instrument(span));
    }

    /// Starts one as a process. `cleaning` removes what the process would leave behind if it had to be killed.
    pub(crate) fn start(
        &mut self,
        name: String,
        command: Command,
        cleaning: Option<process::Command>,
    ) -> io::Result<()> {
        let child = Child::start(name, command, cleaning)?;
        self.watchers.spawn(watch_process(child, self.stop.clone(), self.tell.clone()));
        Ok(())
    }

    /// The certificates that those of this process show to clients, to be reloaded when their files change.
    pub(crate) fn tls(&self) -> &[tls::Acceptor] {
        &self.tls
    }

    /// The next one that ends without being asked to. Cancel-safe.
    pub(crate) async fn next_ended(&mut self) -> Ended {
        match self.ended.recv().await {
            Some(ended) => ended,
            // Cannot be while there is a sender here.
            None => std::future::pending().await,
        }
    }

    /// Ends all, at the same time. What is in flight is finished.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        // Nobody listens any more.
        drop(self.ended);
        while self.watchers.join_next().await.is_some() {}
    }
}

async fn watch(
    name: String,
    executor: executor::Running,
    stop: CancellationToken,
    tell: mpsc::Sender<Ended>,
) {
    match executor.run(stop.cancelled()).await {
        Ok(Outcome::Clean) => {}
        Ok(Outcome::CutOff { tasks }) => tracing::warn!(executor = name, tasks, "an executor was cut off"),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(executor = name, error, "an executor did not end well");
        }
    }
    if !stop.is_cancelled() {
        tracing::error!(executor = name, "an executor ended");
        // Not heard while the Flow stops.
        let _unheard = tell.send(Ended { name, status: None }).await;
    }
}

async fn watch_process(mut child: Child, stop: CancellationToken, tell: mpsc::Sender<Ended>) {
    tokio::select! {
        () = stop.cancelled() => child.stop(GRACE).await,
        status = child.ended() => match status {
            Ok(status) => {
                let name = child.name().to_owned();
                tracing::error!(executor = name, %status, "the process of an executor ended");
                // Not heard while the Flow stops.
                let _unheard = tell.send(Ended { name, status: Some(status) }).await;
            }
            Err(error) => tracing::error!(executor = child.name(), %error, "a process cannot be watched"),
        },
    }
}
