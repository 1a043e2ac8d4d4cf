//! Where deployments are, as far as a Flow file says it.

use serde_json::Value;

use crate::check::{Context, address};
use crate::layers::Values;
use crate::{Address, Deployment, External, Place, Port, Reason};

/// The replicas of an external deployment: every host with its port.
///
/// A host may carry a port or a scheme of its own; what it carries counts more than `port` and `tls`.
pub(super) fn external(values: &Values, base: &Place, context: &mut Context<'_>) -> External {
    let list = |name: &str| match values.get(name) {
        Some((Value::Array(items), _)) => items.clone(),
        Some((Value::String(text), _)) => text.split(',').map(|host| host.trim().into()).collect(),
        Some(_) | None => Vec::new(),
    };
    let place = |name: &str| values.get(name).map_or_else(|| base.clone(), |(_, place)| place.clone());
    let tls = values.get("tls").is_some_and(|(value, _)| *value == Value::Bool(true));
    let (mut hosts, ports) = (list("host"), list("port"));
    if hosts.is_empty() {
        hosts.push("127.0.0.1".into());
    }
    let n_bare = hosts.iter().filter(|host| host.as_str().is_some_and(|host| !has_port(host))).count();
    if n_bare == 0 && ports.is_empty() || n_bare > 0 {
        return External { addresses: pair(&hosts, &ports, n_bare, tls, &place, context) };
    }
    // All hosts have ports of their own.
    External { addresses: pair(&hosts, &[], 0, tls, &place, context) }
}

fn pair(
    hosts: &[Value],
    ports: &[Value],
    n_bare: usize,
    tls: bool,
    place: &impl Fn(&str) -> Place,
    context: &mut Context<'_>,
) -> Vec<Address> {
    let mut hosts: Vec<&str> = hosts.iter().filter_map(Value::as_str).collect();
    let mut ports: Vec<Option<u64>> = ports.iter().map(Value::as_u64).collect();
    if hosts.len() == 1 && n_bare == 1 && ports.len() > 1 {
        hosts = vec![hosts[0]; ports.len()];
    } else if ports.len() == 1 {
        ports = vec![ports[0]; n_bare];
    } else if !ports.is_empty() && ports.len() != n_bare {
        let message =
            format!("{n_bare} hosts and {} ports: expected as many of both, or one of one", ports.len());
        context.conflict(place("port"), message);
        return Vec::new();
    }
    let mut ports = ports.into_iter().flatten();
    let mut addresses = Vec::with_capacity(hosts.len());
    for host in hosts {
        let (scheme, bare) = match host.split_once("://") {
            Some((scheme, bare)) => (scheme, bare),
            None => (if tls { "grpcs" } else { "grpc" }, host),
        };
        let bare = bare.split('/').next().unwrap_or(bare);
        let port = if has_port(host) { None } else { ports.next() };
        let secure = ["grpcs", "https", "wss"].contains(&scheme);
        let text = match port {
            Some(port) => format!("{scheme}://{bare}:{port}"),
            None if !has_port(host) && secure => format!("{scheme}://{bare}:443"),
            None if !has_port(host) => {
                let what = format!("the port of the external executor at `{host}`");
                context.problem(place("host"), Reason::Missing { what });
                continue;
            }
            None => format!("{scheme}://{bare}"),
        };
        addresses.extend(address(&text, place("host"), context));
    }
    addresses
}

fn has_port(host: &str) -> bool {
    let authority = host.split_once("://").map_or(host, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or(authority);
    authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The addresses that are known before anything runs: those of external deployments, and those of a single
/// process with a port of its own.
pub(super) fn addresses(deployment: &Deployment) -> Vec<Address> {
    if let Some(external) = &deployment.external {
        return external.addresses.clone();
    }
    let executor = &deployment.executor;
    if executor.shards > 1 {
        return Vec::new();
    }
    let ports = deployment.options.get("port").and_then(Value::as_array);
    let ports: Vec<u16> = match (ports, executor.server.listeners.first().map(|listener| listener.port)) {
        (Some(ports), _) if executor.replicas > 1 => {
            let ports = ports.iter().filter_map(Value::as_u64).filter_map(|port| u16::try_from(port).ok());
            let ports: Vec<u16> = ports.filter(|port| *port != 0).collect();
            if u32::try_from(ports.len()) == Ok(executor.replicas) { ports } else { Vec::new() }
        }
        (_, Some(Port::Fixed(port))) if executor.replicas == 1 => vec![port],
        _ => Vec::new(),
    };
    let host = match executor.server.host.as_str() {
        "0.0.0.0" => "127.0.0.1",
        "::" | "[::]" => "[::1]",
        host => host,
    };
    let secure = executor.server.tls.is_some();
    ports.into_iter().map(|port| Address { secure, host: host.to_owned(), port }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(case: &str, keys: &Value, want: &str) {
        let env = crate::Environment::new();
        let mut context = Context::new(&env, true);
        let mut values = Values::new();
        for (name, value) in keys.as_object().unwrap() {
            let argument = crate::table::by_key(crate::table::Program::Deployment, name).unwrap();
            crate::layers::insert(&mut values, argument, value, Place::Default, &mut context.problems);
        }
        let external = external(&values, &Place::Default, &mut context);
        let addresses = external.addresses.iter().map(ToString::to_string);
        let problems = context.problems.iter().map(ToString::to_string);
        assert_eq!(addresses.chain(problems).collect::<Vec<_>>().join(" "), want, "{case}");
    }

    #[test]
    fn hosts_and_ports_make_addresses() {
        check("separate", &json!({"host": "foo.bar", "port": 50051}), "grpc://foo.bar:50051");
        check("tls", &json!({"host": "foo.bar", "port": 443, "tls": true}), "grpcs://foo.bar:443");
        check("joined, tls", &json!({"host": "127.0.0.1:5", "tls": true}), "grpcs://127.0.0.1:5");
        check("a scheme counts more", &json!({"host": "grpc://a:5", "port": 7, "tls": true}), "grpc://a:5");
        check("a secure scheme has a port", &json!({"host": "https://foo.bar"}), "grpcs://foo.bar:443");
        check("two hosts", &json!({"host": ["a", "b"], "port": [1, 2]}), "grpc://a:1 grpc://b:2");
        check("two hosts, one port", &json!({"host": "a,b", "port": 1}), "grpc://a:1 grpc://b:1");
        check("one host, two ports", &json!({"host": "a", "port": [1, 2]}), "grpc://a:1 grpc://a:2");
        check("mixed", &json!({"host": ["a:9", "b"], "port": 1}), "grpc://a:9 grpc://b:1");
        check(
            "uneven",
            &json!({"host": ["a", "b", "c"], "port": [1, 2]}),
            "default: 3 hosts and 2 ports: expected as many of both, or one of one",
        );
        check(
            "no port",
            &json!({"host": "a"}),
            "default: the port of the external executor at `a` is missing",
        );
    }
}
