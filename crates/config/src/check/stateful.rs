//! What is said about replicas that are kept consistent.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::{Context, Settings};
use crate::nearest::nearest;
use crate::table::Program;
use crate::{Peers, Place, Protocol, RaftOptions, Reason, Stateful};

/// Settings of Jina's library for which there is nothing here.
const WITHOUT_EFFECT: [(&str, &str); 5] = [
    ("commit_timeout", "what is committed is told at once"),
    ("batch_apply_ch", "writes are handed over in batches always"),
    ("shutdown_on_remove", "a replica that is no member any more refuses writes"),
    ("leader_lease_timeout", "a leader without a majority steps down with the heartbeat timeout"),
    ("log_level", "the log of consensus is that of the process, see JINA_LOG_LEVEL"),
];

const KNOWN: [&str; 8] = [
    "heartbeat_timeout",
    "election_timeout",
    "max_append_entries",
    "trailing_logs",
    "snapshot_interval",
    "snapshot_threshold",
    "no_snapshot_restore_on_start",
    "replicas_timeout",
];

/// `None` for executors whose replicas know nothing of each other.
pub(super) fn stateful(
    settings: &Settings,
    context: &mut Context<'_>,
    program: Program,
    workspace: bool,
) -> Option<Stateful> {
    if !settings.flag("stateful") {
        return None;
    }
    if !workspace {
        let place = settings.place("stateful");
        context.conflict(place, "a stateful executor keeps its log in a directory: it needs `workspace`");
    }
    check_protocol(settings, context, program);
    let replica = settings.is_said("replica-id").then(|| settings.small("replica-id"));
    let peers = match program {
        Program::Executor if settings.is_said("peers") => addresses(settings, context),
        Program::Deployment | Program::Gateway | Program::Executor => Peers::Ports(ports(settings, context)),
    };
    if program == Program::Executor {
        check_replica(settings, context, &peers, replica);
    }
    Some(Stateful { peers, replica, raft: raft(settings, context) })
}

/// Replicas call each other over gRPC. In a Flow each has the first port alone.
fn check_protocol(settings: &Settings, context: &mut Context<'_>, program: Program) {
    let protocols = super::network::protocols(settings);
    let is_grpc = |protocol: &Protocol| *protocol == Protocol::Grpc;
    let reached = match program {
        Program::Deployment => protocols.first().is_none_or(is_grpc),
        Program::Executor | Program::Gateway => protocols.is_empty() || protocols.iter().any(is_grpc),
    };
    if !reached {
        let message = "replicas of a stateful executor call each other over gRPC: GRPC comes first here";
        context.conflict(settings.place("protocol"), message);
    }
}

/// A process of its own must know who it is, and find the others.
fn check_replica(settings: &Settings, context: &mut Context<'_>, peers: &Peers, replica: Option<u32>) {
    let (n, name) = match peers {
        Peers::Addresses(addresses) => (addresses.len(), "peers"),
        Peers::Ports(ports) => (ports.get(&settings.small("shard-id")).map_or(0, Vec::len), "peer-ports"),
    };
    if n == 0 {
        let what =
            "--peers HOST:PORT..., or --peer-ports, for each replica of a stateful executor".to_owned();
        context.problem(settings.place("stateful"), Reason::Missing { what });
    } else if replica.is_some_and(|replica| usize::try_from(replica).is_ok_and(|replica| replica >= n)) {
        let message = format!("there is no such replica: --{name} has {n} of them, the first is number 0");
        context.conflict(settings.place("replica-id"), message);
    }
}

fn addresses(settings: &Settings, context: &mut Context<'_>) -> Peers {
    let place = settings.place("peers");
    if settings.is_said("peer-ports") {
        context.conflict(place.clone(), "--peers says it all: leave out --peer-ports");
    }
    let texts = settings.texts("peers");
    let addresses = texts.iter().filter_map(|text| super::address(text, place.clone(), context));
    Peers::Addresses(addresses.collect())
}

/// The form has made sure that there are lists of ports by shard.
fn ports(settings: &Settings, context: &mut Context<'_>) -> IndexMap<u32, Vec<u16>> {
    let place = settings.place("peer-ports");
    let (shards, replicas) = (settings.small("shards").max(1), settings.small("replicas").max(1));
    let mut all = IndexMap::new();
    for (shard, ports) in settings.object("peer-ports") {
        let ports: Vec<u16> = ports
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|port| u16::try_from(port.as_u64()?).ok())
            .collect();
        let Some(shard) = shard.parse::<u32>().ok().filter(|shard| *shard < shards) else {
            let message = format!("there is no shard {shard}: `shards` is {shards}, the first is number 0");
            context.conflict(place.within(&shard), message);
            continue;
        };
        if settings.is_said("replicas") && ports.len() as u64 != u64::from(replicas) && !ports.is_empty() {
            let message = format!("{} ports for {replicas} replicas", ports.len());
            context.conflict(place.within(&shard.to_string()), message);
        }
        all.insert(shard, ports);
    }
    all
}

fn raft(settings: &Settings, context: &mut Context<'_>) -> RaftOptions {
    let mut options = RaftOptions::default();
    let place = settings.place("raft-configuration");
    for (key, value) in &settings.object("raft-configuration") {
        let place = place.within(key);
        if let Some((_, why)) = WITHOUT_EFFECT.iter().find(|(name, _)| name == key) {
            context.doubt(place, format!("this has no effect: {why}"));
            continue;
        }
        match key.as_str() {
            "heartbeat_timeout" => set(&mut options.heartbeat_timeout, 10, millis, value, place, context),
            "election_timeout" => set(&mut options.election_timeout, 10, millis, value, place, context),
            "replicas_timeout" => set(&mut options.replicas_timeout, 0, millis, value, place, context),
            "snapshot_interval" => {
                set(&mut options.snapshot_interval, 1, Duration::from_secs, value, place, context);
            }
            "snapshot_threshold" => set(&mut options.snapshot_threshold, 1, same, value, place, context),
            "trailing_logs" => set(&mut options.trailing_logs, 0, same, value, place, context),
            "max_append_entries" => set(&mut options.max_append_entries, 1, same, value, place, context),
            "no_snapshot_restore_on_start" => match flag(value) {
                Some(flag) => options.no_snapshot_restore_on_start = flag,
                None => context.expected(place, "true or false", value),
            },
            _ => {
                let nearest = nearest(key, KNOWN).map(str::to_owned);
                context.problem(place, Reason::UnknownKey { key: key.clone(), nearest });
            }
        }
    }
    options
}

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

const fn same(number: u64) -> u64 {
    number
}

fn set<T>(to: &mut T, min: u64, make: fn(u64) -> T, value: &Value, place: Place, context: &mut Context<'_>) {
    /// Longer than anybody waits, and short enough to be added to any time.
    const MOST: u64 = 1 << 40;
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    match number.filter(|number| (min..=MOST).contains(number)) {
        Some(number) => *to = make(number),
        None => context.expected(place, &format!("a whole number from {min}"), value),
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
