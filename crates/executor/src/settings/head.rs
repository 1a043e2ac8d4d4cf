//! What a head is to do; and its way from the configuration there.

use call::Limits;
use config::{ExecutorSpec, Head, PollingRule};
use executor_client::{Address, Role};
use routing::{Polling, Polls, ShardsSpec};

use super::from_spec::max_message;
use super::{InvalidSettings, Serving};

/// What a head is to do.
#[derive(Debug, Clone)]
pub struct HeadSettings {
    /// How it serves.
    pub serving: Serving,
    /// The executor whose shards it stands before.
    pub deployment: String,
    /// Where the replicas of each shard are.
    pub shards: Vec<Vec<Address>>,
    /// Who is called before the shards.
    pub uses_before: Option<Address>,
    /// Who is called after them.
    pub uses_after: Option<Address>,
    /// Which shards get a call.
    pub polling: Polling,
    /// Whether their answers stay unmerged.
    pub no_reduce: bool,
    /// How they are called.
    pub client: executor_client::Settings,
    /// What is in flight at once.
    pub limits: Limits,
    /// The gRPC side.
    pub calls: grpc::server::Settings,
}

impl HeadSettings {
    /// What the configuration asks of a head.
    ///
    /// # Errors
    ///
    /// If no head can do that.
    pub fn new(spec: &ExecutorSpec, head: &Head) -> Result<Self, InvalidSettings> {
        let addresses = |addresses: &[config::Address]| addresses.iter().map(Address::try_from).collect();
        let one = |address: &Option<config::Address>| address.as_ref().map(Address::try_from).transpose();
        let shards = head.shards.iter().map(|shard| addresses(&shard.addresses));
        Ok(Self {
            serving: Serving::try_from(&spec.server)?,
            deployment: head.deployment.clone(),
            shards: shards.collect::<Result<_, _>>()?,
            uses_before: one(&head.uses_before)?,
            uses_after: one(&head.uses_after)?,
            polling: polling(&head.polling),
            no_reduce: head.no_reduce,
            client: executor_client::Settings { role: Role::Head, ..(&spec.client).into() },
            limits: Limits { requests: spec.server.limits.requests, bytes: spec.server.limits.bytes },
            calls: grpc::server::Settings {
                max_message: max_message(&spec.server),
                ..grpc::server::Settings::default()
            },
        })
    }

    /// How the shards are called.
    pub(crate) fn shards_spec(&self) -> ShardsSpec {
        ShardsSpec {
            n: self.shards.len(),
            polling: self.polling.clone(),
            no_reduce: self.no_reduce,
            uses_before: self.uses_before.is_some(),
            uses_after: self.uses_after.is_some(),
        }
    }
}

fn polling(polling: &config::Polling) -> Polling {
    let polls = |rule: PollingRule| match rule {
        PollingRule::Any => Polls::Any,
        PollingRule::All => Polls::All,
    };
    let endpoints = polling.endpoints.iter().map(|(endpoint, rule)| (endpoint.clone(), polls(*rule)));
    Polling { endpoints: endpoints.collect(), fallback: polls(polling.fallback) }
}
