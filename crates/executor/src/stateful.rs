//! Executors whose replicas are kept consistent: between the executor and `consensus`.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use call::{Error, ErrorCode, Kind, Message, Metadata, Request};
use consensus::{Lost, Node, NotKept, Replicated, WriteError};
use executor_runtime::{Failure, Hosted, Replica, Replication};
use futures_util::future::BoxFuture;
use info::Health;
use proto::consensus::{Header, Request as Written};
use server::{DrainHandle, Workers};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::StartError;

/// Makes `hosted` one of several replicas. `restarts` counts how often its code began anew in other processes.
pub(crate) async fn replicate(
    hosted: Hosted,
    settings: consensus::Settings,
    workers: Arc<Workers>,
    restarts: Option<watch::Receiver<u64>>,
) -> Result<(Hosted, Node), StartError> {
    let executor = Executor { replica: hosted.replica(), workers, tasks: TaskTracker::new(), restarts };
    // Refused before a log is begun.
    let replication = Arc::new(Writes::default());
    let hosted = hosted.with_replication(replication.clone())?;
    let node = Node::start(settings, Arc::new(executor)).await.map_err(Box::new)?;
    replication.0.get_or_init(|| node.clone());
    Ok((hosted, node))
}

/// Keeps readiness in step with the replica.
pub(crate) fn follow(handle: &DrainHandle, health: &Health, node: &Node) {
    let (health, mut ready) = (health.clone(), node.ready());
    handle.spawn_until_stop(async move {
        let mut latch = None;
        loop {
            match (*ready.borrow_and_update(), latch.take()) {
                (true, Some(waiting)) => info::Latch::set(waiting),
                (false, None) => latch = Some(health.latch("the other replicas")),
                (_, unchanged) => latch = unchanged,
            }
            if ready.changed().await.is_err() {
                return;
            }
        }
    });
}

/// Sends writes to the log.
#[derive(Default)]
struct Writes(std::sync::OnceLock<Node>);

impl Replication for Writes {
    fn write(&self, request: Request) -> BoxFuture<'static, Result<Message, Error>> {
        let node = self.0.get().cloned();
        Box::pin(async move {
            // It is there before the first port opens.
            let node = node.ok_or(WriteError::Stopping)?;
            let written = node.write(&encoded(&request), request.context.deadline).await?;
            let answer = proto::message::read(written.into());
            answer.map_err(|malformed| Error::new(ErrorCode::Internal, malformed))
        })
    }
}

/// The executor as the log sees it.
struct Executor {
    replica: Replica,
    /// Where its code runs, so that code which computes does not keep the log from being kept.
    workers: Arc<Workers>,
    tasks: TaskTracker,
    restarts: Option<watch::Receiver<u64>>,
}

impl Replicated for Executor {
    fn apply(&self, write: Written) -> BoxFuture<'_, Result<Bytes, Lost>> {
        Box::pin(async move {
            // What is in the log was encoded by one of us.
            let request = decoded(write).unwrap_or_default();
            let replica = self.replica.clone();
            let runtime = self.workers.runtime(self.workers.count() - 1);
            let made = self.tasks.spawn_on(async move { replica.apply(request).await }, runtime).await;
            match made {
                Ok(Ok(answer)) => Ok(proto::message::write(&answer).into_bytes()),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a write met no executor");
                    Err(Lost)
                }
                Err(_ended) => Err(Lost),
            }
        })
    }

    fn save(&self, file: PathBuf) -> BoxFuture<'_, Result<(), NotKept>> {
        Box::pin(async move { self.replica.save(file).await.map_err(|failure| not_kept(&failure)) })
    }

    fn load(&self, file: PathBuf) -> BoxFuture<'_, Result<(), NotKept>> {
        Box::pin(async move { self.replica.load(file).await.map_err(|failure| not_kept(&failure)) })
    }

    fn generation(&self) -> u64 {
        self.restarts.as_ref().map_or(0, |restarts| *restarts.borrow())
    }

    fn revived(&self, lost: u64) -> BoxFuture<'_, bool> {
        let restarts = self.restarts.clone();
        Box::pin(async move {
            match restarts {
                Some(mut restarts) => restarts.wait_for(|restarts| *restarts != lost).await.is_ok(),
                // Code of this process does not begin anew.
                None => std::future::pending().await,
            }
        })
    }
}

fn not_kept(failure: &Failure) -> NotKept {
    match &*failure.name {
        "NotImplementedError" => NotKept::Unsupported(failure.to_string()),
        _ => NotKept::Failed(failure.to_string()),
    }
}

fn encoded(request: &Request) -> Written {
    let parts = std::iter::once(&request.message).chain(&request.parts);
    let headers = request.context.metadata.0.iter();
    Written {
        parts: parts.map(|part| proto::message::write(part).into_bytes()).collect(),
        headers: headers
            .map(|(name, value)| Header { name: name.to_string(), value: value.to_string() })
            .collect(),
    }
}

fn decoded(written: Written) -> Option<Request> {
    let parts = written.parts.into_iter().map(|part| proto::message::read(part.into()));
    let mut parts = parts.collect::<Result<Vec<_>, _>>().ok()?.into_iter();
    let mut request = Request { message: parts.next()?, parts: parts.collect(), ..Request::default() };
    let text = |text: String| ByteString::from(text);
    let headers = written.headers.into_iter().map(|Header { name, value }| (text(name), text(value)));
    request.kind = Kind::Documents;
    request.context.metadata = Metadata(headers.collect());
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_out_of_the_log_as_it_went_in() {
        let part = |id: &str| {
            let mut message = Message::default();
            message.header.request_id = id.into();
            message.header.endpoint = Some("/index".into());
            message.documents = Some(Bytes::from_static(b"documents").into());
            message
        };
        let mut request = Request { message: part("a"), parts: vec![part("b")], ..Request::default() };
        request.context.metadata = Metadata(vec![("traceparent".into(), "00-1".into())]);
        let got = decoded(encoded(&request)).unwrap();
        assert_eq!(got.message.header, request.message.header);
        assert_eq!(got.parts[0].header.request_id, "b");
        assert_eq!(got.message.documents.unwrap().into_bytes(), "documents");
        assert_eq!(got.context.metadata, request.context.metadata);
    }
}
