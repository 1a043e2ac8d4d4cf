//! One call to an executor in shards.

use std::sync::Arc;

use bytestring::ByteString;
use call::{Answer, Context, Error, Header, Hop, HopInput, Message, NodeIndex};
use futures_util::future::join_all;
use tower::util::ServiceExt as _;

use super::Shards;
use super::reduce::Answers;
use crate::Endpoints;
use crate::dispatch::Pool;

/// A call to an executor in shards. Dropping its future cancels the calls that it became.
pub(super) struct Calling<P> {
    pub(super) shards: Arc<Shards>,
    pub(super) endpoints: Endpoints,
    pub(super) pool: P,
    /// Whose rule says which shards are polled.
    pub(super) endpoint: ByteString,
}

impl<P: Pool> Calling<P> {
    /// Makes it.
    ///
    /// A shard that cannot be reached is left out of the answer, which counts such shards in its trailers; only
    /// if none can be reached that is an error. If an executor fails, so does the answer, and who comes after
    /// it is not called.
    pub(super) async fn answer(self, hop: Hop) -> Result<Answer, Error> {
        let Hop { mut input, context, .. } = hop;
        if matches!(input, HopInput::Stream(_)) {
            return self.stream(input, context).await;
        }
        // Executors may answer with a header of their own; the next one is told what the first was.
        let header = input.first().map(|message| message.header.clone()).unwrap_or_default();
        let mut answers = Answers::new(&self.shards, &self.endpoints, &self.endpoint);
        if let Some(before) = self.bound(self.shards.before) {
            let (message, failed) = self.one(before, input, &context).await?;
            if failed {
                return Ok(answers.failed_before(message));
            }
            answers.note(&message)?;
            input = HopInput::One(with_header(message, &header));
        }

        let polled = self.shards.polled(&self.endpoint);
        let calls = polled.iter().map(|shard| self.one(*shard, input.clone(), &context));
        for answer in join_all(calls).await {
            answers.add(answer)?;
        }
        match self.bound(self.shards.after) {
            Some(after) if answers.all_well() => {
                let parts = answers.take().into_iter().map(|message| with_header(message, &header));
                let parts = HopInput::Many(parts.collect());
                let (message, failed) = self.one(after, parts, &context).await?;
                answers.finish(message, failed)
            }
            _ => answers.reduce(),
        }
    }

    /// Documents of one shard, straight from it.
    async fn stream(self, input: HopInput, context: Context) -> Result<Answer, Error> {
        match self.shards.polled(&self.endpoint) {
            [only] => self.pool.oneshot(Hop { node: *only, input, context }).await,
            _ => Err(crate::Error::StreamOfShards { executor: self.shards.name.clone() }.into()),
        }
    }

    /// The executor of that index if it is to be called: not if it does not bind the endpoint.
    fn bound(&self, executor: Option<NodeIndex>) -> Option<NodeIndex> {
        executor.filter(|executor| self.endpoints.binds(executor.0, &self.endpoint))
    }

    async fn one(
        &self,
        node: NodeIndex,
        input: HopInput,
        context: &Context,
    ) -> Result<(Message, bool), Error> {
        let hop = Hop { node, input, context: context.clone() };
        match self.pool.clone().oneshot(hop).await? {
            Answer::One { message, failed } => {
                let failed = failed || message.is_error();
                Ok((message, failed))
            }
            Answer::Stream(_) => {
                let executor = self.shards.name.clone();
                Err(crate::Error::Kind { executor, asked: "one message" }.into())
            }
        }
    }
}

fn with_header(mut message: Message, header: &Header) -> Message {
    message.header.clone_from(header);
    message.trailers.0.clear();
    message
}
