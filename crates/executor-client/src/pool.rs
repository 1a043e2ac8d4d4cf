//! The service that sends one hop and returns its answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use call::{Answer, Deadline, ErrorCode, Hop, NodeIndex};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;
use tonic::Code;
use tracing::debug;

use crate::answer;
use crate::error::{Error, Failure, Tried};
use crate::link::Link;
use crate::node::Node;
use crate::outgoing::Prepared;
use crate::replica::Replica;

/// The way from one worker to all executors. Clones share the connections; so they stay on the worker.
#[derive(Debug, Clone)]
pub struct Pool {
    nodes: Arc<[Arc<Node>]>,
    /// Ends the tasks of a cluster that nobody holds any more.
    _alive: Arc<DropGuard>,
}

/// A time limit that passed counts against a replica only if it was not very short.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// How often a call may find its connection closed before it began, for each replica.
const STALE: usize = 2;

impl Pool {
    pub(crate) fn new(nodes: impl IntoIterator<Item = Arc<Node>>, alive: Arc<DropGuard>) -> Self {
        Self { nodes: nodes.into_iter().collect(), _alive: alive }
    }

    /// How many replicas are connected.
    #[cfg(test)]
    pub(crate) fn open_links(&self) -> usize {
        self.nodes.iter().map(|node| node.n_open().0).sum()
    }

    /// How many connections there are.
    #[cfg(test)]
    pub(crate) fn open_connections(&self) -> usize {
        self.nodes.iter().map(|node| node.n_open().1).sum()
    }
}

impl tower::Service<Hop> for Pool {
    type Response = Answer;
    type Error = call::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, call::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), call::Error>> {
        Poll::Ready(Ok(()))
    }

    /// Dropping the future, or the stream that it returns, cancels the call at the executor.
    fn call(&mut self, hop: Hop) -> Self::Future {
        match self.nodes.get(hop.node.0) {
            Some(node) => Box::pin(answer_of(node.clone(), hop)),
            None => Box::pin(std::future::ready(Err(no_such_node(hop.node)))),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the graph has no executor number {0}")]
struct NoSuchNode(usize);

fn no_such_node(node: NodeIndex) -> call::Error {
    call::Error::new(ErrorCode::Internal, NoSuchNode(node.0))
}

async fn answer_of(node: Arc<Node>, hop: Hop) -> Result<Answer, call::Error> {
    let call = Prepared::new(node.executor.clone(), hop, node.worker.settings.encoding);
    node.executor.budget.earn();
    let mut tries = Tries::default();
    loop {
        let Some(link) = node.choose(|replica| tries.failures(replica)) else {
            match tries.last.take() {
                Some(failure) => return Err(tries.error(&node, failure).into()),
                None => match node.populated(call.deadline()).await {
                    Ok(()) => continue,
                    Err(failure) => return Err(tries.error(&node, failure).into()),
                },
            }
        };
        let failure = match attempt(&node, &link, &call).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        debug!(executor = %node.executor.name, replica = link.replica.label, %failure, "call failed");
        if !tries.may_go_on(&node, &link, &failure) {
            return Err(tries.error(&node, failure).into());
        }
        tries.last = Some(failure);
    }
}

/// Makes the call once.
async fn attempt(node: &Arc<Node>, link: &Arc<Link>, call: &Prepared) -> Result<Answer, Failure> {
    let allowed = node.worker.settings.timeout_send;
    let began = Instant::now();
    let limit = allowed.map_or(Deadline::NEVER, Deadline::after);
    let deadline = call.deadline().min(limit);
    let timed_out = || Failure::TimedOut { allowed: allowed.filter(|_| deadline == limit) };
    let connection = deadline.bound(link.connection()).await.ok_or_else(timed_out)?;
    let connection = connection.map_err(Failure::Connect)?;
    let in_flight = link.replica.begin();
    let answer = async {
        let reply = connection.call(call.outgoing(deadline)).await?;
        if !call.is_stream() {
            return answer::one(reply).await;
        }
        let (node, replica) = (node.clone(), link.replica.clone());
        let failed = move |failure| Tries::of(replica.clone()).error(&node, failure).into();
        answer::documents(reply, in_flight, deadline, failed).await
    };
    match deadline.bound(answer).await {
        Some(Ok(answer)) => {
            link.replica.answered();
            Ok(answer)
        }
        Some(Err(failure)) => {
            match &failure {
                Failure::Call(error) if error.never_began() && !error.is_reset() => link.retire(&connection),
                // Connections that broke speak for themselves when they are made again.
                Failure::Call(grpc::client::CallError::Lost(_)) => {}
                _ if failure.code() == Code::Unavailable => link.replica.strike(&failure.to_string()),
                _ => link.replica.answered(),
            }
            Err(failure)
        }
        None => {
            if began.elapsed() >= allowed.unwrap_or(LONG_ENOUGH).min(LONG_ENOUGH) {
                link.replica.strike("it does not answer in time");
            }
            Err(timed_out())
        }
    }
}

/// What became of the attempts of one call.
#[derive(Default)]
struct Tries {
    /// How often the executor may have begun.
    made: usize,
    replicas: Vec<Try>,
    last: Option<Failure>,
}

/// What became of them at one replica.
struct Try {
    replica: Arc<Replica>,
    failures: usize,
    stale: usize,
    useless: bool,
}

/// What a failure means for the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The executor has not begun, and the connection was an old one: the same replica may do.
    Stale,
    /// The executor has not begun: another replica may do.
    Elsewhere,
    /// The executor may have begun, or refuses: another replica first, then this one again.
    Again,
    /// Another replica may do, this one will not.
    OtherReplica,
    /// It cannot be made again, or would fail again.
    Never,
}

impl Next {
    fn after(failure: &Failure) -> Self {
        match failure {
            Failure::Unresolved { .. } | Failure::Connect(_) => Self::Elsewhere,
            Failure::Call(error) if error.never_began() && !error.is_reset() => Self::Stale,
            _ => match failure.code() {
                Code::Unavailable => Self::Again,
                Code::NotFound => Self::OtherReplica,
                _ => Self::Never,
            },
        }
    }
}

impl Tries {
    fn of(replica: Arc<Replica>) -> Self {
        let only = Try { replica, failures: 1, stale: 0, useless: false };
        Self { replicas: vec![only], ..Self::default() }
    }

    /// How often the call failed at a replica; `None` if there is no use in trying again.
    fn failures(&self, replica: &Arc<Replica>) -> Option<usize> {
        match self.replicas.iter().find(|tried| Arc::ptr_eq(&tried.replica, replica)) {
            None => Some(0),
            Some(tried) => Some(tried.failures).filter(|_| !tried.useless),
        }
    }

    /// Notes a failure and says whether the call may be made again.
    fn may_go_on(&mut self, node: &Node, link: &Link, failure: &Failure) -> bool {
        let known = self.replicas.iter().position(|tried| Arc::ptr_eq(&tried.replica, &link.replica));
        let known = known.unwrap_or_else(|| {
            let replica = link.replica.clone();
            self.replicas.push(Try { replica, failures: 0, stale: 0, useless: false });
            self.replicas.len() - 1
        });
        let tried = &mut self.replicas[known];
        let next = Next::after(failure);
        match next {
            Next::Stale => {
                tried.stale += 1;
                tried.useless = tried.stale > STALE;
            }
            Next::Elsewhere | Next::OtherReplica => tried.useless = true,
            Next::Again | Next::Never => tried.failures += 1,
        }
        match next {
            Next::Stale | Next::Elsewhere => true,
            Next::Never => false,
            Next::Again | Next::OtherReplica => {
                self.made += 1;
                self.made < node.worker.settings.attempts(node.n_replicas()) && node.executor.budget.spend()
            }
        }
    }

    fn error(&self, node: &Node, failure: Failure) -> Error {
        let mut tried: Vec<_> = self.replicas.iter().map(|tried| tried.replica.label.clone()).collect();
        if tried.is_empty() {
            tried = node.executor.addresses.iter().map(ToString::to_string).collect();
        }
        let (role, executor) = (node.worker.settings.role, node.executor.name.clone());
        Error { role, executor, tried: Tried(tried), failure }
    }
}

#[cfg(test)]
mod tests {
    use grpc::Status;
    use grpc::client::{CallError, ConnectError};

    use super::*;

    #[test]
    fn only_what_is_safe_is_tried_again() {
        let status = |code| Failure::Call(CallError::Status(Status { code, message: "x".into() }));
        let check = |failure: Failure, want| assert_eq!(Next::after(&failure), want, "{failure:?}");
        check(Failure::Connect(Arc::new(ConnectError::Closed)), Next::Elsewhere);
        check(status(Code::Unavailable), Next::Again);
        check(status(Code::NotFound), Next::OtherReplica);
        check(Failure::Call(CallError::Http(http::StatusCode::BAD_GATEWAY)), Next::Again);
        check(Failure::TimedOut { allowed: None }, Next::Never);
        for code in [
            Code::DeadlineExceeded,
            Code::Cancelled,
            Code::Unknown,
            Code::Internal,
            Code::InvalidArgument,
            Code::ResourceExhausted,
            Code::Aborted,
            Code::Unimplemented,
            Code::DataLoss,
        ] {
            check(status(code), Next::Never);
        }
    }
}
