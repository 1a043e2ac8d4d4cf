//! From the configuration to how replicas are kept consistent.

use std::path::PathBuf;

use config::{ExecutorSpec, Peers, Stateful};
use executor_client::Address;

use super::InvalidSettings;

/// What the configuration asks for; `None` if replicas are to know nothing of each other.
///
/// # Errors
///
/// If it is not known which replica this is, or it cannot be one.
pub(super) fn stateful(spec: &ExecutorSpec) -> Result<Option<consensus::Settings>, InvalidSettings> {
    let Some(stateful) = &spec.stateful else { return Ok(None) };
    if spec.python.as_ref().is_some_and(|python| python.workers.get() > 1) {
        let what = "a stateful executor with several Python workers, each of which has a state of its own,";
        return Err(InvalidSettings::Unsupported { what });
    }
    let peers = peers(spec, stateful)?;
    let replica = match stateful.replica {
        Some(replica) => replica,
        None => by_host(&peers)?,
    };
    let raft = &stateful.raft;
    Ok(Some(consensus::Settings {
        replica,
        peers,
        client: (&spec.client).into(),
        directory: directory(spec, replica),
        heartbeat_timeout: raft.heartbeat_timeout,
        election_timeout: raft.election_timeout,
        max_append_entries: raft.max_append_entries,
        trailing_logs: raft.trailing_logs,
        snapshot_interval: raft.snapshot_interval,
        snapshot_threshold: raft.snapshot_threshold,
        keeps_itself: raft.no_snapshot_restore_on_start,
        replicas_timeout: raft.replicas_timeout,
        max_waiting: spec.max_waiting,
    }))
}

/// All replicas of this shard.
fn peers(spec: &ExecutorSpec, stateful: &Stateful) -> Result<Vec<Address>, InvalidSettings> {
    let addresses = match &stateful.peers {
        Peers::Addresses(addresses) => addresses.clone(),
        Peers::Ports(ports) => {
            let (secure, host) = (spec.server.tls.is_some(), "127.0.0.1".to_owned());
            let address = |port: &u16| config::Address { secure, host: host.clone(), port: *port };
            ports.get(&spec.shard_id).into_iter().flatten().map(address).collect()
        }
    };
    Ok(addresses.iter().map(Address::try_from).collect::<Result<_, _>>()?)
}

/// The replica that has the name of this machine, as a pod of a set has.
fn by_host(peers: &[Address]) -> Result<u32, InvalidSettings> {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let is_here = |peer: &Address| peer.host() == host || peer.host().split('.').next() == Some(&host);
    let found = (0..).zip(peers).find(|(_, peer)| is_here(peer)).map(|(number, _)| number);
    match found {
        Some(number) => Ok(number),
        None if peers.len() == 1 => Ok(0),
        None => Err(InvalidSettings::WhichReplica { host }),
    }
}

/// As Jina names it: reference/executor.md §5.3.
fn directory(spec: &ExecutorSpec, replica: u32) -> PathBuf {
    let of_metas = spec.uses_metas.get("workspace").and_then(|workspace| workspace.as_str());
    let workspace = spec.workspace.clone().or_else(|| of_metas.map(PathBuf::from)).unwrap_or_default();
    let raft = workspace.join("raft");
    let shard = if spec.shards > 1 { raft.join(spec.shard_id.to_string()) } else { raft };
    shard.join(replica.to_string())
}
