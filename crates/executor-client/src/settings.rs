//! How executors are called.

mod from_config;

use std::time::Duration;

use grpc::Encoding;
use grpc::client::{Target, Tls};
use http::uri::Authority;
use rustls::pki_types::ServerName;

use crate::{Identity, Resolver, Roots};

/// How executors are called. The default is that of a gateway without any flag.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who calls, as errors say it.
    pub role: Role,
    /// How often a failed call is made again, where that is safe; negative for three times, or once on each
    /// replica if there are more.
    pub retries: i32,
    /// How long one attempt may take; `None` is no limit.
    pub timeout_send: Option<Duration>,
    /// How requests are compressed.
    pub encoding: Encoding,
    /// How a replica is chosen.
    pub balance: Balance,
    /// HTTP/2 connections per replica and worker, at most; the first is made at once, the others when those
    /// that are there are busy.
    pub connections_per_replica: usize,
    /// Calls in flight that make a connection count as busy.
    pub calls_per_connection: usize,
    /// How often names are resolved again.
    pub resolve_every: Duration,
    /// How long resolving a name may take.
    pub resolve_timeout: Duration,
    /// The first pause between attempts to reach a replica that is gone.
    pub first_backoff: Duration,
    /// The longest pause between attempts to reach a replica that is gone.
    pub max_backoff: Duration,
    /// How long an executor may take to tell its endpoints.
    pub discovery_timeout: Duration,
    /// How long a replica may take to answer a probe.
    pub probe_timeout: Duration,
    /// How names are resolved.
    pub resolver: Resolver,
    /// Who vouches for executors that are reached over TLS.
    pub roots: Roots,
    /// What shows them who calls, if they ask.
    pub identity: Option<Identity>,
    /// What executors are called.
    pub peer: Peer,
    /// How connections behave.
    pub options: grpc::client::Options,
}

/// How a replica is chosen among those that can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Balance {
    /// The one of two with fewer calls in flight; under little load this goes round, too.
    #[default]
    LeastLoaded,
    /// One after the other, whatever their load.
    RoundRobin,
}

/// What executors are called where that differs from their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// The host that requests name.
    pub authority: Option<Authority>,
    /// The name that certificates must bear.
    pub server_name: Option<ServerName<'static>>,
}

/// Who calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// A gateway calls heads and executors.
    #[default]
    Gateway,
    /// A head calls its shards.
    Head,
}

impl Peer {
    /// A target under the names that are wanted.
    pub(crate) fn rename(&self, target: &Target) -> Target {
        let Target { authority, tls } = target.clone();
        let name = self.server_name.clone();
        let tls = tls.map(|tls| Tls { server_name: name.unwrap_or(tls.server_name), config: tls.config });
        Target { authority: self.authority.clone().unwrap_or(authority), tls }
    }
}

impl Settings {
    /// `timeout_send` as Jina writes it: milliseconds, and no limit if it is not positive.
    #[must_use]
    pub fn timeout_from_millis(millis: i64) -> Option<Duration> {
        u64::try_from(millis).ok().filter(|millis| *millis > 0).map(Duration::from_millis)
    }

    /// How many calls may be made for one request towards an executor with that many replicas.
    pub(crate) fn attempts(&self, replicas: usize) -> usize {
        match usize::try_from(self.retries) {
            Ok(retries) => retries.saturating_add(1),
            Err(_negative) => replicas.max(3) + 1,
        }
    }
}

/// As the configuration is if nobody says anything.
impl Default for Settings {
    fn default() -> Self {
        Self::from(&config::Client::default())
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gateway => "Gateway",
            Self::Head => "Head",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_follow_retries_and_replicas() {
        let check = |replicas, retries, want| {
            let settings = Settings { retries, ..Settings::default() };
            assert_eq!(settings.attempts(replicas), want, "{replicas} replicas, {retries} retries");
        };
        check(1, -1, 4);
        check(3, -1, 4);
        check(5, -1, 6);
        check(1, 0, 1);
        check(3, 1, 2);
        check(3, 5, 6);
    }

    #[test]
    fn a_timeout_that_is_not_positive_is_none() {
        assert_eq!(Settings::timeout_from_millis(300), Some(Duration::from_millis(300)));
        assert_eq!(Settings::timeout_from_millis(0), None);
        assert_eq!(Settings::timeout_from_millis(-1), None);
    }
}
