//! Replicas of an executor that keeps texts.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use call::Deadline;
use futures_util::future::BoxFuture;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proto::consensus::{Header, Request};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use super::LONG;
use crate::{Lost, Node, NotKept, Replicated, Settings, WriteError};

/// A write of one text.
pub(super) fn value(key: &str, value: &str) -> Request {
    Request {
        parts: vec![Bytes::copy_from_slice(value.as_bytes())],
        headers: vec![Header { name: key.to_owned(), value: String::new() }],
    }
}

/// Writes one text.
pub(super) async fn write(node: &Node, key: &str, text: &str) -> Result<String, WriteError> {
    let answer = node.write(&value(key, text), Deadline::after(LONG)).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Keeps texts by their keys, in the order in which they came.
#[derive(Debug)]
struct Texts {
    kept: Mutex<Vec<(String, String)>>,
    generation: watch::Sender<u64>,
    restored: AtomicU64,
}

impl Texts {
    fn lose(&self) {
        self.kept.lock().unwrap().clear();
        self.generation.send_modify(|generation| *generation += 1);
    }
}

impl Replicated for Texts {
    fn apply(&self, write: Request) -> BoxFuture<'_, Result<Bytes, Lost>> {
        Box::pin(async move {
            let (key, text) = (&write.headers[0].name, &write.parts[0]);
            if key == "kill" {
                self.lose();
                return Err(Lost);
            }
            let mut kept = self.kept.lock().unwrap();
            kept.push((key.clone(), String::from_utf8_lossy(text).into_owned()));
            Ok(format!("{} writes", kept.len()).into())
        })
    }

    fn save(&self, file: PathBuf) -> BoxFuture<'_, Result<(), NotKept>> {
        Box::pin(async move {
            let lines: Vec<_> =
                self.kept.lock().unwrap().iter().map(|(key, text)| format!("{key} {text}\n")).collect();
            std::fs::write(file, lines.concat()).map_err(|error| NotKept::Failed(error.to_string()))
        })
    }

    fn load(&self, file: PathBuf) -> BoxFuture<'_, Result<(), NotKept>> {
        Box::pin(async move {
            let lines = std::fs::read_to_string(file).map_err(|error| NotKept::Failed(error.to_string()))?;
            let kept = lines.lines().filter_map(|line| line.split_once(' '));
            *self.kept.lock().unwrap() = kept.map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
            self.restored.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }

    fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    fn revived(&self, lost: u64) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let mut generation = self.generation.subscribe();
            generation.wait_for(|generation| *generation != lost).await.is_ok()
        })
    }
}

struct Running {
    node: Node,
    texts: Arc<Texts>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

pub(super) struct Cluster {
    directory: tempfile::TempDir,
    ports: Vec<u16>,
    running: Vec<Option<Running>>,
    change: fn(&mut Settings),
}

impl Cluster {
    pub(super) async fn start(n: usize) -> Self {
        Self::with(n, |_| {}).await
    }

    /// Starts replicas and waits until all are ready.
    pub(super) async fn with(n: usize, change: fn(&mut Settings)) -> Self {
        let mut cluster =
            Self { directory: tempfile::tempdir().unwrap(), ports: Vec::new(), running: Vec::new(), change };
        cluster.grow(n);
        for replica in 0..n {
            cluster.restart(replica).await;
        }
        for replica in 0..n {
            cluster.until_ready(replica).await;
        }
        cluster
    }

    /// Makes room for more replicas.
    pub(super) fn grow(&mut self, n: usize) {
        // Kept until all are known, so that none comes twice.
        let bound: Vec<_> =
            (self.ports.len()..n).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        self.ports.extend(bound.iter().map(|listener| listener.local_addr().unwrap().port()));
        self.running.resize_with(n, || None);
    }

    pub(super) fn directory(&self, replica: usize) -> PathBuf {
        self.directory.path().join(replica.to_string())
    }

    /// Starts a replica, with an executor that knows nothing.
    pub(super) async fn restart(&mut self, replica: usize) {
        let mut settings = Settings {
            replica: replica.try_into().unwrap(),
            peers: self.ports.iter().map(|port| format!("127.0.0.1:{port}").parse().unwrap()).collect(),
            client: executor_client::Settings::default(),
            directory: self.directory(replica),
            heartbeat_timeout: Duration::from_millis(500),
            election_timeout: Duration::from_millis(500),
            max_append_entries: 64,
            trailing_logs: 1000,
            snapshot_interval: Duration::from_secs(600),
            snapshot_threshold: 1000,
            keeps_itself: false,
            replicas_timeout: Duration::from_secs(20),
            max_waiting: 1000,
        };
        (self.change)(&mut settings);
        let texts = Arc::new(Texts {
            kept: Mutex::default(),
            generation: watch::Sender::new(0),
            restored: AtomicU64::new(0),
        });
        let node = Node::start(settings, texts.clone()).await.unwrap();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let listener = TcpListener::bind(("127.0.0.1", self.ports[replica])).await.unwrap();
        let routes = Routes::new(node.service());
        tasks.spawn(serve(listener, routes, tasks.clone(), stop.clone()));
        self.running[replica] = Some(Running { node, texts, stop, tasks });
    }

    /// Stops a replica, and forgets its executor.
    pub(super) async fn stop(&mut self, replica: usize) {
        let running = self.running[replica].take().unwrap();
        running.stop.cancel();
        running.tasks.close();
        running.tasks.wait().await;
        running.node.close().await;
    }

    fn running(&self, replica: usize) -> &Running {
        self.running[replica].as_ref().unwrap()
    }

    pub(super) fn node(&self, replica: usize) -> Node {
        self.running(replica).node.clone()
    }

    pub(super) async fn write(&self, replica: usize, key: &str, text: &str) -> Result<String, WriteError> {
        write(&self.running(replica).node, key, text).await
    }

    pub(super) fn read(&self, replica: usize, key: &str) -> Option<String> {
        let kept = self.running(replica).texts.kept.lock().unwrap();
        kept.iter().rev().find(|(found, _)| found == key).map(|(_, text)| text.clone())
    }

    /// Everything that was written, in its order.
    pub(super) fn history(&self, replica: usize) -> Vec<(String, String)> {
        self.running(replica).texts.kept.lock().unwrap().clone()
    }

    pub(super) fn leader(&self) -> usize {
        let leader = self.running.iter().flatten().find_map(|running| running.node.leader());
        leader.unwrap().try_into().unwrap()
    }

    pub(super) async fn until_ready(&self, replica: usize) {
        let mut ready = self.running(replica).node.ready();
        tokio::time::timeout(LONG, ready.wait_for(|ready| *ready)).await.unwrap().unwrap();
    }

    pub(super) async fn wait_for_writes(&self, replica: usize, n: u64) {
        let mut next = self.running(replica).node.next();
        tokio::time::timeout(LONG, next.wait_for(|next| *next > n)).await.unwrap().unwrap();
    }

    pub(super) async fn until_it_has(&self, replica: usize, key: &str) {
        let mut next = self.running(replica).node.next();
        let made = async {
            while self.read(replica, key).is_none() {
                next.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LONG, made).await.unwrap();
    }

    pub(super) async fn until_voters(&self, n: usize) {
        for running in self.running.iter().flatten() {
            let mut metrics = running.node.raft().metrics();
            let changed =
                metrics.wait_for(|metrics| metrics.membership_config.membership().voter_ids().count() == n);
            tokio::time::timeout(LONG, changed).await.unwrap().unwrap();
        }
    }

    /// The executor begins anew, as a process does that was killed.
    pub(super) fn lose_executor(&self, replica: usize) {
        self.running(replica).texts.lose();
    }

    /// How often the executor took a state as a whole.
    pub(super) fn restored(&self, replica: usize) -> u64 {
        self.running(replica).texts.restored.load(Ordering::Relaxed)
    }

    pub(super) fn has_shortened_its_log(&self, replica: usize) -> bool {
        let raft = self.running(replica).node.raft();
        raft.metrics().borrow().purged.is_some()
    }
}

async fn serve(listener: TcpListener, routes: Routes, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            () = stop.cancelled() => return,
        };
        stream.set_nodelay(true).unwrap();
        let (routes, stop) = (routes.clone(), stop.clone());
        tasks.spawn(async move {
            let service = hyper_util::service::TowerToHyperService::new(routes);
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new()).http2_only();
            tokio::select! {
                // Those who leave say so by leaving.
                _left = server.serve_connection(TokioIo::new(stream), service) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}
