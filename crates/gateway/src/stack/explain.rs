//! A dry run that fails says of every executor what was tried and what failed, not only of the first that was in the
//! way.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use call::{
    Answer, DRY_RUN_ENDPOINT, Deadline, Error, ErrorCode, Hop, HopInput, Metadata, NodeIndex, Request,
    Response,
};
use executor_client::{Cluster, Report, State};
use futures_util::future::{Either, join_all};
use tower::{Layer, Service, ServiceExt as _};

/// Asks every executor by itself when a dry run through the graph fails.
#[derive(Debug, Clone)]
pub(crate) struct ExplainLayer<P> {
    /// The way to the executors.
    pub(crate) pool: P,
    /// What is known of them.
    pub(crate) cluster: Cluster,
    /// How many there are.
    pub(crate) executors: usize,
}

/// See [`ExplainLayer`].
#[derive(Debug, Clone)]
pub(crate) struct Explain<S, P> {
    inner: S,
    layer: ExplainLayer<P>,
}

/// How long a dry run may take if the client sets no time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The part of a dry run's time that is for the way through the graph; the rest is for asking everybody.
const FOR_THE_GRAPH: f64 = 0.6;

/// How long everybody may take to answer, at most.
const FOR_EVERYBODY: Duration = Duration::from_secs(5);

impl<S, P: Clone> Layer<S> for ExplainLayer<P> {
    type Service = Explain<S, P>;

    fn layer(&self, inner: S) -> Explain<S, P> {
        Explain { inner, layer: self.clone() }
    }
}

type BoxFuture = std::pin::Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

impl<S, P> Service<Request> for Explain<S, P>
where
    S: Service<Request, Response = Response, Error = Error, Future: Send + 'static>,
    P: Service<Hop, Response = Answer, Error = Error, Future: Send> + Clone + Send + Sync + 'static,
{
    type Response = Response;
    type Error = Error;
    type Future = Either<S::Future, BoxFuture>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if request.message.header.endpoint.as_deref() != Some(DRY_RUN_ENDPOINT) {
            return Either::Left(self.inner.call(request));
        }
        let allowed = request.context.deadline.remaining().unwrap_or(PATIENCE).min(PATIENCE);
        let end = Deadline::after(allowed);
        request.context.deadline = Deadline::after(allowed.mul_f64(FOR_THE_GRAPH));
        let metadata = request.context.metadata.clone();
        let (run, layer) = (self.inner.call(request), self.layer.clone());
        Either::Right(Box::pin(async move {
            let error = match run.await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let deadline = end.min(Deadline::after(FOR_EVERYBODY));
            // A little earlier than the client gives up, so that it learns why.
            let deadline = deadline.remaining().map_or(deadline, |left| Deadline::after(left.mul_f64(0.8)));
            Err(layer.explained(error, deadline, metadata).await)
        }))
    }
}

impl<P> ExplainLayer<P>
where
    P: Service<Hop, Response = Answer, Error = Error, Future: Send> + Clone + Send + Sync + 'static,
{
    /// What a dry run failed of, with everybody who does not answer.
    async fn explained(self, error: Error, deadline: Deadline, metadata: Metadata) -> Error {
        let asked = join_all((0..self.executors).map(|index| self.ask(index, deadline, &metadata))).await;
        let reports = self.cluster.report();
        let troubles = reports.into_iter().zip(asked);
        let troubles = troubles.filter_map(|(report, answer)| Some(Trouble { report, error: answer.err()? }));
        let troubles: Vec<_> = troubles.collect();
        // All is well again, or the failure is none of the executors'.
        if troubles.is_empty() {
            return error;
        }
        let Error { code, grpc_code, retry_after, .. } = error;
        let not_ready = NotReady { executors: self.executors, troubles };
        let mut explained = Error::new(code, not_ready);
        (explained.grpc_code, explained.retry_after) = (grpc_code, retry_after);
        explained
    }

    /// Whether one executor answers at all; what it answers does not matter.
    async fn ask(&self, index: usize, deadline: Deadline, metadata: &Metadata) -> Result<(), Error> {
        let context = call::Context { deadline, metadata: metadata.clone() };
        let hop = Hop { node: NodeIndex(index), input: HopInput::One(docarray::dry_run()), context };
        let answer = deadline.bound(self.pool.clone().oneshot(hop)).await;
        let late = || Error::new(ErrorCode::DeadlineExceeded, Silent);
        answer.unwrap_or_else(|| Err(late())).map(drop)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it does not answer")]
struct Silent;

/// Executors that a dry run failed at.
#[derive(Debug)]
struct NotReady {
    executors: usize,
    troubles: Vec<Trouble>,
}

/// One of them.
#[derive(Debug)]
struct Trouble {
    report: Report,
    error: Error,
}

impl std::error::Error for NotReady {}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} executors fail the dry run", self.troubles.len(), self.executors)?;
        self.troubles.iter().try_for_each(|trouble| write!(f, "; {trouble}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, error } = self;
        write!(f, "executor `{}`: {error}", report.executor)?;
        // Of a single replica the error has said it all.
        let conspicuous = report.addresses.iter().filter(|address| address.state != State::Serving);
        let mut separator = " [";
        for address in conspicuous.filter(|_| report.addresses.len() > 1) {
            write!(f, "{separator}{address}")?;
            separator = ", ";
        }
        if separator == ", " { f.write_str("]") } else { Ok(()) }
    }
}
