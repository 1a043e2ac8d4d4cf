//! Executors in shards: several executors, each with its own documents, that stand at one node of the graph.
//!
//! A [`Layout`] says which executors stand at each node. [`Sharding`] is a service between the graph and the
//! pool: one call to a node becomes calls to one shard or to all of them, before and after which other executors
//! may be called, and their answers become one again. Gateways and heads use the same.

mod calling;
mod reduce;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use call::{Answer, Error, ExecutorName, Hop, NodeIndex};
use docarray::discovery::{Discovery, Participant};
use futures_util::future::Either;
use indexmap::IndexMap;
use tower::Service;

use crate::Endpoints;
use crate::dispatch::Pool;

/// How an executor in shards is called.
#[derive(Debug, Clone, Default)]
pub struct ShardsSpec {
    /// How many there are.
    pub n: usize,
    /// Which of them get a call.
    pub polling: Polling,
    /// Whether the documents that several shards answer stand one after the other instead of being merged.
    pub no_reduce: bool,
    /// Whether there is an executor that is called before them.
    pub uses_before: bool,
    /// Whether there is an executor that is called after them, with all their answers.
    pub uses_after: bool,
}

/// Which shards get a call, by endpoint. The default asks all of them on `/search` and one otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polling {
    /// Endpoints with a rule of their own.
    pub endpoints: IndexMap<String, Polls>,
    /// All others.
    pub fallback: Polls,
}

/// As gateways and heads are told.
impl From<&config::Polling> for Polling {
    fn from(polling: &config::Polling) -> Self {
        let polls = |rule| match rule {
            config::PollingRule::Any => Polls::Any,
            config::PollingRule::All => Polls::All,
        };
        let endpoints = polling.endpoints.iter().map(|(endpoint, rule)| (endpoint.clone(), polls(*rule)));
        Self { endpoints: endpoints.collect(), fallback: polls(polling.fallback) }
    }
}

/// Which shards get a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polls {
    /// One of them, each in its turn.
    Any,
    /// All of them, at the same time.
    All,
}

impl Default for Polling {
    fn default() -> Self {
        Self { endpoints: IndexMap::from([("/search".to_owned(), Polls::All)]), fallback: Polls::Any }
    }
}

/// Which executors stand at each node of a graph. Clones share what is known of them.
#[derive(Debug, Clone)]
pub struct Layout {
    nodes: Arc<[Place]>,
    members: Arc<[Member]>,
    endpoints: Endpoints,
}

/// An executor that the pool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Where in the graph it stands.
    pub node: NodeIndex,
    /// What it does there.
    pub part: Part,
}

/// What an executor does at its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    Whole,
    /// It is called before the shards.
    Before,
    /// It is the shard of this number.
    Shard(usize),
    /// It is called after the shards.
    After,
}

/// Who stands at a node.
#[derive(Debug, Clone)]
enum Place {
    Whole(NodeIndex),
    Sharded(Arc<Shards>),
}

/// An executor in shards. The indices are those of the pool.
#[derive(Debug)]
pub(crate) struct Shards {
    name: ExecutorName,
    before: Option<NodeIndex>,
    /// At least one.
    shards: Vec<NodeIndex>,
    after: Option<NodeIndex>,
    polling: Polling,
    no_reduce: bool,
    /// Calls to one of the shards so far.
    turn: AtomicUsize,
}

impl Layout {
    /// Lays out the nodes of a graph, in their order: executors as a whole, or in so many shards.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = (ExecutorName, Option<ShardsSpec>)>) -> Self {
        let mut members = Vec::new();
        let mut places = Vec::new();
        for (index, (name, spec)) in nodes.into_iter().enumerate() {
            let mut add = |part| {
                members.push(Member { node: NodeIndex(index), part });
                NodeIndex(members.len() - 1)
            };
            places.push(match spec {
                None => Place::Whole(add(Part::Whole)),
                Some(ShardsSpec { n, polling, no_reduce, uses_before, uses_after }) => {
                    Place::Sharded(Arc::new(Shards {
                        name,
                        before: uses_before.then(|| add(Part::Before)),
                        shards: (0..n.max(1)).map(|shard| add(Part::Shard(shard))).collect(),
                        after: uses_after.then(|| add(Part::After)),
                        polling,
                        no_reduce,
                        turn: AtomicUsize::new(0),
                    }))
                }
            });
        }
        Self { nodes: places.into(), endpoints: Endpoints::of(members.len()), members: members.into() }
    }

    /// The executors, in the order in which the pool numbers them.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Takes over what the executors say of themselves, in the order of [`Layout::members`], and tells what the
    /// nodes of the graph say by that: a node in shards binds what any of its executors binds, takes what the
    /// first of them takes, and returns what the last of them returns. It is known when one of its shards is,
    /// and whoever stands before and after them.
    #[must_use]
    pub fn update(&self, found: &[Option<Arc<Discovery>>]) -> Vec<Option<Arc<Discovery>>> {
        for (index, discovery) in found.iter().enumerate() {
            if let Some(discovery) = discovery {
                self.endpoints.set(NodeIndex(index), discovery.clone());
            }
        }
        let of_place = |place: &Place| match place {
            Place::Whole(index) => self.endpoints.get(*index),
            Place::Sharded(shards) => shards.discovery(&self.endpoints).map(Arc::new),
        };
        self.nodes.iter().map(of_place).collect()
    }
}

impl Shards {
    fn discovery(&self, endpoints: &Endpoints) -> Option<Discovery> {
        let shard = self.shards.iter().find_map(|shard| endpoints.get(*shard))?;
        let mut chain = Vec::with_capacity(3);
        if let Some(before) = self.before {
            chain.push(endpoints.get(before)?);
        }
        chain.push(shard);
        if let Some(after) = self.after {
            chain.push(endpoints.get(after)?);
        }
        let participant = |discovery| Participant { discovery, answers: true };
        let chain: Vec<_> = chain.iter().map(|discovery| participant(&**discovery)).collect();
        Some(Discovery::of_flow(&chain))
    }

    /// The shards that get a call to `endpoint`.
    fn polled(&self, endpoint: &str) -> &[NodeIndex] {
        match self.polling.endpoints.get(endpoint).unwrap_or(&self.polling.fallback) {
            Polls::All => &self.shards,
            Polls::Any => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.shards.len();
                &self.shards[turn..=turn]
            }
        }
    }
}

/// Calls the executors that stand at the node of a hop. For nodes that are whole it adds nothing to the call.
#[derive(Debug, Clone)]
pub struct Sharding<P> {
    layout: Layout,
    pool: P,
}

type BoxFuture = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

impl<P: Pool> Sharding<P> {
    /// Calls through `pool`, whose executors are those of [`Layout::members`].
    pub const fn new(layout: Layout, pool: P) -> Self {
        Self { layout, pool }
    }

    /// Makes a call; shards are polled by the rule for `endpoint`, whatever the message says.
    pub fn call_for(&mut self, endpoint: &str, mut hop: Hop) -> Either<P::Future, BoxFuture> {
        match self.layout.nodes.get(hop.node.0) {
            Some(Place::Sharded(shards)) => {
                let calling = calling::Calling {
                    shards: shards.clone(),
                    endpoints: self.layout.endpoints.clone(),
                    pool: self.pool.clone(),
                    endpoint: endpoint.into(),
                };
                Either::Right(Box::pin(calling.answer(hop)))
            }
            Some(Place::Whole(index)) => {
                hop.node = *index;
                Either::Left(self.pool.call(hop))
            }
            // The pool says that there is no such executor.
            None => Either::Left(self.pool.call(hop)),
        }
    }
}

impl<P: Pool> Service<Hop> for Sharding<P> {
    type Response = Answer;
    type Error = Error;
    type Future = Either<P::Future, BoxFuture>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.pool.poll_ready(cx)
    }

    fn call(&mut self, hop: Hop) -> Self::Future {
        let endpoint = hop.input.first().and_then(|message| message.header.endpoint.clone());
        self.call_for(endpoint.as_deref().unwrap_or_default(), hop)
    }
}

#[cfg(test)]
mod tests;
