//! The ports of replicas, shard by shard.

use serde_json::{Value, json};

use super::{Object, expected, integer};
use crate::Reason;

const WHAT: &str = "ports, or an object: shard to its ports";

/// Makes an object of what is there: ports alone are those of shard 0.
pub(super) fn read(value: &Value) -> Result<Value, Reason> {
    let mut shards = Object::new();
    merge(&mut shards, value)?;
    Ok(Value::Object(shards))
}

fn merge(shards: &mut Object, value: &Value) -> Result<(), Reason> {
    match value {
        Value::Null => Ok(()),
        Value::Array(items) => items.iter().try_for_each(|item| merge(shards, item)),
        Value::Object(more) => more.iter().try_for_each(|(shard, ports)| {
            // Whatever has been said of it before.
            shards.insert(shard.clone(), json!([]));
            let ports = ports.as_array().cloned().unwrap_or_else(|| vec![ports.clone()]);
            ports.iter().try_for_each(|item| push(shards, shard, item))
        }),
        Value::Number(_) => push(shards, "0", value),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(Value::String(_) | Value::Bool(_) | Value::Null) => Err(expected(WHAT, value)),
            Ok(inner) => merge(shards, &inner),
            Err(_) => {
                let ports = text.split(',').map(|port| Value::from(port.trim()));
                ports.into_iter().try_for_each(|port| push(shards, "0", &port))
            }
        },
        Value::Bool(_) => Err(expected(WHAT, value)),
    }
}

fn push(shards: &mut Object, shard: &str, port: &Value) -> Result<(), Reason> {
    let port = integer(port, 1, 65535).ok_or_else(|| expected("ports from 1 to 65535", port))?;
    if let Value::Array(ports) = shards.entry(shard).or_insert_with(|| json!([])) {
        ports.push(port);
    }
    Ok(())
}
