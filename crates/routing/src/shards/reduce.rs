//! The answers of shards, put together.

use bytestring::ByteString;
use call::wire::Malformed;
use call::{Answer, Error, Message, Metadata, Parameters, Payload, Status};
use docarray::{merge, node};

use super::Shards;
use crate::{Endpoints, parameters};

/// Trailers of executors that count for each shard alone.
const OF_ONE: [&str; 3] = [IS_ERROR, TOTAL, FAILED];
const IS_ERROR: &str = "is-error";
const TOTAL: &str = "total_shards";
const FAILED: &str = "failed_shards";

/// What the executors of one node answered so far.
pub(super) struct Answers<'a> {
    shards: &'a Shards,
    endpoints: &'a Endpoints,
    endpoint: &'a str,
    /// Of the shards, in their order.
    messages: Vec<Message>,
    /// How the first executor failed that did.
    status: Option<Box<Status>>,
    /// Why the first shard gave no answer that gave none.
    unreached: Option<Error>,
    n_polled: usize,
    n_unreached: usize,
    /// What executors returned beside their documents.
    results: Vec<Parameters>,
    trailers: Metadata,
}

impl<'a> Answers<'a> {
    pub(super) fn new(shards: &'a Shards, endpoints: &'a Endpoints, endpoint: &'a str) -> Self {
        Self {
            shards,
            endpoints,
            endpoint,
            messages: Vec::new(),
            status: None,
            unreached: None,
            n_polled: 0,
            n_unreached: 0,
            results: Vec::new(),
            trailers: Metadata::default(),
        }
    }

    /// Adds what the next shard answered, or why it did not.
    pub(super) fn add(&mut self, answer: Result<(Message, bool), Error>) -> Result<(), Error> {
        self.n_polled += 1;
        match answer {
            Ok((message, failed)) => {
                self.note(&message)?;
                if failed && self.status.is_none() {
                    self.status = Some(self.status_of(&message));
                }
                self.messages.push(message);
            }
            Err(error) => {
                tracing::warn!(executor = %self.shards.name, %error, "a shard gave no answer");
                self.n_unreached += 1;
                self.unreached.get_or_insert(error);
            }
        }
        Ok(())
    }

    /// Notes what an executor answered beside its documents.
    pub(super) fn note(&mut self, message: &Message) -> Result<(), Error> {
        let results = parameters::results(&message.parameters, &Parameters::default());
        self.results.extend(results.map_err(|source| self.malformed(source))?);
        for (name, value) in &message.trailers.0 {
            let known = self.trailers.0.iter().any(|(known, _)| known == name);
            if !known && !OF_ONE.contains(&&**name) {
                self.trailers.0.push((name.clone(), value.clone()));
            }
        }
        Ok(())
    }

    /// Whether shards answered, and none failed.
    pub(super) const fn all_well(&self) -> bool {
        self.status.is_none() && !self.messages.is_empty()
    }

    /// The answers of the shards.
    pub(super) fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// The executor before the shards failed with `message`.
    pub(super) fn failed_before(&self, mut message: Message) -> Answer {
        message.header.status = Some(self.status_of(&message));
        Answer::One { message, failed: true }
    }

    /// The executor after the shards answered all of them with `message`.
    pub(super) fn finish(mut self, mut message: Message, failed: bool) -> Result<Answer, Error> {
        self.note(&message)?;
        if failed {
            self.status = Some(self.status_of(&message));
        }
        message.parameters = self.parameters(&message.parameters)?;
        Ok(self.complete(message))
    }

    /// Makes one answer of those of the shards. Of several, the first lends its header and its parameters, and
    /// where they disagree on a field of a document the last one has its way.
    pub(super) fn reduce(mut self) -> Result<Answer, Error> {
        let mut messages = self.take();
        let Some(first) = messages.first() else {
            let nobody = || crate::Error::NoShard { executor: self.shards.name.clone() }.into();
            return Err(self.unreached.take().unwrap_or_else(nobody));
        };
        if messages.len() > 1 {
            let with_results = parameters::with_place_for_results(&first.parameters);
            let parameters = self.parameters(&with_results.map_err(|source| self.malformed(source))?)?;
            let documents = messages.iter_mut().filter_map(|message| message.documents.take());
            let documents =
                self.documents(&documents.collect::<Vec<_>>()).map_err(|source| self.malformed(source))?;
            messages[0].parameters = parameters;
            messages[0].documents = documents;
        }
        Ok(self.complete(messages.swap_remove(0)))
    }

    fn complete(mut self, mut message: Message) -> Answer {
        let failed = self.status.is_some();
        if failed {
            message.header.status = self.status;
        }
        let count = |name, n: usize| (ByteString::from_static(name), ByteString::from(n.to_string()));
        self.trailers.0.push(count(TOTAL, self.n_polled));
        self.trailers.0.push(count(FAILED, self.n_unreached));
        message.trailers = self.trailers;
        Answer::One { message, failed }
    }

    /// Adds what all executors returned.
    fn parameters(&self, to: &Parameters) -> Result<Parameters, Error> {
        parameters::with_results(to, self.results.iter()).map_err(|source| self.malformed(source))
    }

    /// Puts documents together; those of only one shard are left as they are.
    fn documents(&self, contents: &[Payload]) -> Result<Option<Payload>, Malformed> {
        let mut lists = Vec::with_capacity(contents.len());
        for content in contents {
            let docs = node::doc_list(content.clone())?;
            if !docs.is_empty() {
                lists.push((content, docs));
            }
        }
        if let [] | [_] = lists[..] {
            return Ok(lists.first().map(|(content, _)| *content).or(contents.first()).cloned());
        }
        let lists = lists.into_iter().map(|(_, docs)| docs);
        if self.shards.no_reduce {
            let mut all = Payload::new();
            lists.for_each(|docs| all.append(docs));
            return Ok(Some(node::content(all)));
        }
        let known = self.shards.shards.iter().find_map(|shard| self.endpoints.get(*shard));
        let schema = known.as_ref().and_then(|known| known.schema(self.endpoint));
        merge::merge(lists, schema.map(|schema| &schema.output.schema)).map(node::content).map(Some)
    }

    /// The status that a message reports, or one for an executor that told of its failure beside it.
    fn status_of(&self, message: &Message) -> Box<Status> {
        let told = message.header.status.as_ref().filter(|status| status.is_error);
        told.cloned().unwrap_or_else(|| {
            let description = format!("executor `{}` failed in part", self.shards.name).into();
            Box::new(Status { is_error: true, description, exception: None })
        })
    }

    fn malformed(&self, source: Malformed) -> Error {
        crate::Error::Answer { executor: self.shards.name.clone(), source }.into()
    }
}
