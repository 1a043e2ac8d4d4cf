//! What a head is to do; and its way from the configuration there.

use call::Limits;
use config::{ExecutorSpec, Head};
use executor_client::{Address, Role};
use routing::{Polling, ShardsSpec};

use super::from_spec::{forward, max_answer, max_message};
use super::{InvalidSettings, Port, Protocol, Serving};

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

/// Before no shards yet.
impl Default for HeadSettings {
    fn default() -> Self {
        Self {
            serving: Serving::default(),
            deployment: "worker".to_owned(),
            shards: Vec::new(),
            uses_before: None,
            uses_after: None,
            polling: Polling::default(),
            no_reduce: false,
            client: executor_client::Settings { role: Role::Head, ..executor_client::Settings::default() },
            limits: Limits::default(),
            calls: grpc::server::Settings::default(),
        }
    }
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
            serving: serving(&spec.server)?,
            deployment: head.deployment.clone(),
            shards: shards.collect::<Result<_, _>>()?,
            uses_before: one(&head.uses_before)?,
            uses_after: one(&head.uses_after)?,
            polling: (&head.polling).into(),
            no_reduce: head.no_reduce,
            client: executor_client::Settings { role: Role::Head, ..(&spec.client).into() },
            limits: Limits { requests: spec.server.limits.requests, bytes: spec.server.limits.bytes },
            calls: grpc::server::Settings {
                max_message: max_message(&spec.server),
                stall: spec.server.limits.body_timeout,
                max_answer: max_answer(&spec.server),
                forward: forward(&spec.server),
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

/// Who calls a head speaks gRPC.
fn serving(server: &config::Server) -> Result<Serving, InvalidSettings> {
    let serving = Serving::from(server);
    match serving.ports[..] {
        [Port { protocol: Protocol::Grpc, .. }] => Ok(serving),
        _ => Err(InvalidSettings::PortsOfHead),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::{Command, Environment, Parsed, Role as Runs};
    use routing::Polls;

    use super::*;

    fn settings(arguments: &[&str]) -> HeadSettings {
        let argv: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let parsed = config::command(&argv, &Environment::new());
        let Ok(Parsed { command: Command::Executor(spec), .. }) = parsed else { panic!("{parsed:?}") };
        let Runs::Head(head) = &spec.role else { panic!("{spec:?}") };
        HeadSettings::new(&spec, head).unwrap()
    }

    #[test]
    fn what_an_exported_manifest_says_arrives() {
        let shards = r#"{"0": "index-0.svc:8080", "1": ["a:1", "grpcs://b:2"]}"#;
        let got = settings(&[
            "executor",
            "--name",
            "index_er/head",
            "--polling",
            r#"{"/index": "ALL", "/search": "ANY", "*": "ALL"}"#,
            "--shards",
            "2",
            "--host",
            "0.0.0.0",
            "--runtime-cls",
            "HeadRuntime",
            "--pod-role",
            "HEAD",
            "--port",
            "8080",
            "--retries",
            "2",
            "--compression",
            "Gzip",
            "--uses-before-address",
            "127.0.0.1:8078",
            "--uses-after-address",
            "127.0.0.1:8079",
            "--connection-list",
            shards,
            "--timeout-send",
            "20000",
            "--no-reduce",
            "--native",
        ]);
        let show = |addresses: &[Address]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(show(&got.shards[0]), ["index-0.svc:8080"]);
        assert_eq!(got.shards[1].iter().map(Address::tls).collect::<Vec<_>>(), [false, true]);
        let around = [got.uses_before.clone().unwrap(), got.uses_after.clone().unwrap()];
        assert_eq!(show(&around), ["127.0.0.1:8078", "127.0.0.1:8079"]);
        let spec = got.shards_spec();
        assert_eq!((spec.n, spec.no_reduce, spec.polling.fallback), (2, true, Polls::All));
        assert_eq!(spec.polling.endpoints["/search"], Polls::Any);
        assert_eq!(got.client.role, Role::Head);
        assert_eq!((got.client.retries, got.client.timeout_send), (2, Some(Duration::from_secs(20))));
        assert_eq!(got.client.encoding, grpc::Encoding::Gzip);
        assert_eq!(got.serving.ports[0].number, crate::PortNumber::Fixed(8080));
    }
}
