//! Command lines by what they say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Option to its values; those that are JSON as JSON.
pub(crate) type Said = BTreeMap<String, Value>;

pub(crate) fn said(arguments: &[String]) -> Said {
    let mut said = Said::from([("".to_owned(), json!([arguments[0]]))]);
    let mut option = String::new();
    for argument in &arguments[1..] {
        if let Some(name) = argument.strip_prefix("--") {
            option = name.to_owned();
            assert!(said.insert(option.clone(), json!([])).is_none(), "--{option} stands there twice");
        } else {
            let value = if argument.starts_with(['{', '[']) {
                serde_json::from_str(argument).unwrap()
            } else {
                Value::from(argument.as_str())
            };
            said.get_mut(&option).unwrap().as_array_mut().unwrap().push(value);
        }
    }
    said
}

/// What Jina says without a need, taken out.
pub(crate) fn without_noise(mut said: Said) -> Said {
    // They are the defaults.
    said.retain(|option, value| {
        !(option == "expose-endpoints" && *value == json!([{}])
            || option == "uses-metas" && *value == json!([{}])
            || option == "host" && *value == json!(["0.0.0.0"]))
    });
    // The port of metrics that nobody serves.
    if !said.contains_key("monitoring") {
        said.remove("port-monitoring");
    }
    // The gateway's class follows from the protocols. Jina's compose export of a Deployment names a class that
    // serves the first one only.
    if said.get("uses").is_some_and(|uses| uses[0].as_str().unwrap().ends_with("Gateway")) {
        said.remove("uses");
    }
    // What `uses_requests` says is about the code of the shards.
    let name = said.get("name").and_then(|name| name[0].as_str()).unwrap_or_default().to_owned();
    if ["/head", "/uses-before", "/uses-after"].iter().any(|end| name.ends_with(end)) {
        said.remove("uses-requests");
    }
    // It is about the container, not about the process.
    said.remove("disable-auto-volume");
    // Secrets are not for the command line.
    said.remove("env-from-secret");
    said.remove("image-pull-secrets");
    // A Python executor in a container speaks no TLS, whatever its Flow says.
    if let Some(addresses) = said.get_mut("deployments-addresses")
        && addresses[0].get("a") == Some(&json!(["grpcs://a.default.svc:8080"]))
    {
        addresses[0]["a"] = json!(["grpc://a.default.svc:8080"]);
    }
    // All addresses of an external executor, not the first alone.
    if let Some(addresses) = said.get_mut("deployments-addresses")
        && addresses[0].get("ext") == Some(&json!(["grpc://h1.example:5001"]))
    {
        addresses[0]["ext"] = json!(["grpc://h1.example:5001", "grpc://h2.example:5002"]);
    }
    said
}
