//! The graph as a service: requests in, answers out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use call::{Answer, Error, Hop, HopInput, Kind, Request, Response};
use futures_util::stream;
use tower::Service;
use tower::util::ServiceExt as _;

use crate::asked::Asked;
use crate::run;
use crate::target::Targets;
use crate::{Endpoints, Graph, Tasks};

/// Whoever makes one call to one executor: a name for what [`Dispatch`] asks of the service below it.
pub trait Pool:
    Service<Hop, Response = Answer, Error = Error, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<P> Pool for P where
    P: Service<Hop, Response = Answer, Error = Error, Future: Send> + Clone + Send + Sync + 'static
{
}

/// Runs each request through the graph. Clones are cheap and share everything but the calls they make.
///
/// Dropping an answer's future cancels the calls it waits for. Only floating executors outlive it.
pub struct Dispatch<P> {
    core: Arc<Core<P>>,
}

/// What all requests share.
pub(crate) struct Core<P> {
    pub(crate) graph: Arc<Graph>,
    pub(crate) endpoints: Endpoints,
    pub(crate) targets: Targets,
    pub(crate) tasks: Tasks,
    pub(crate) pool: P,
}

impl<P: Pool> Dispatch<P> {
    /// A service for `graph` whose executors are called through `pool`. Floating calls run in `tasks`, for
    /// which a `TaskTracker` will do.
    pub fn new(graph: Arc<Graph>, endpoints: Endpoints, pool: P, tasks: impl Into<Tasks>) -> Self {
        let (targets, tasks) = (Targets::default(), tasks.into());
        Self { core: Arc::new(Core { graph, endpoints, targets, tasks, pool }) }
    }
}

impl<P: Pool> Service<Request> for Dispatch<P> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    /// Always ready: how much is let in is decided further out, how much an executor takes at each call.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let core = self.core.clone();
        Box::pin(async move { core.answer(request).await })
    }
}

impl<P: Pool> Core<P> {
    async fn answer(self: Arc<Self>, request: Request) -> Result<Response, Error> {
        let Request { message, parts, kind, context } = request;
        if !parts.is_empty() {
            return Err(crate::Error::Parts.into());
        }
        let asked = Asked::new(&message, context, &self.graph, &self.targets)?;
        match kind {
            Kind::Documents => run::answer(&self, &asked, message).await.map(Response::One),
            Kind::Stream => self.stream(&asked, message).await,
        }
    }

    /// Lets the first executor of the graph answer, and nobody else.
    async fn stream(&self, asked: &Asked, mut message: call::Message) -> Result<Response, Error> {
        message.routes.added.push(run::entry_route(&self.graph));
        asked.restore_header(&mut message);
        let Some(node) = self.graph.first() else {
            return Ok(Response::Stream(Box::pin(stream::once(std::future::ready(Ok(message))))));
        };
        if !self.endpoints.binds(node.0, asked.endpoint()) {
            return Err(crate::Error::UnknownEndpoint { endpoint: asked.endpoint().into() }.into());
        }
        let executor = self.graph.name(node.0);
        message.parameters = asked.parameters_for(executor.as_str())?;
        let hop = Hop { node, input: HopInput::Stream(message), context: asked.context.clone() };
        match self.pool.clone().oneshot(hop).await? {
            Answer::Stream(parts) => Ok(Response::Stream(parts)),
            Answer::One { .. } => {
                Err(crate::Error::Kind { executor: executor.clone(), asked: "a stream" }.into())
            }
        }
    }
}

impl<P> Clone for Dispatch<P> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

impl<P> fmt::Debug for Dispatch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch")
            .field("graph", &format_args!("{}", self.core.graph))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
