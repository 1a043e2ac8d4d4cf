//! Which crate may depend on which.

use super::metadata::Metadata;

/// What each package of the workspace may depend on directly. An edge that is not here needs a reason, and a
/// line here and in ARCHITECTURE.md.
const ALLOWED: &[(&str, &[&str])] = &[
    ("bench", &["call", "docarray", "executor", "executor-runtime", "grpc", "info", "proto", "server"]),
    ("call", &[]),
    ("client", &["call", "docarray", "grpc", "proto"]),
    ("config", &[]),
    ("consensus", &["call", "executor-client", "proto"]),
    ("docarray", &["call", "executor-macros"]),
    (
        "executor",
        &[
            "call",
            "config",
            "consensus",
            "docarray",
            "executor-client",
            "executor-python",
            "executor-runtime",
            "frontend-http",
            "frontend-websocket",
            "grpc",
            "info",
            "proto",
            "routing",
            "server",
        ],
    ),
    ("executor-client", &["call", "config", "docarray", "grpc", "proto"]),
    ("executor-macros", &[]),
    ("executor-python", &["call", "docarray", "executor-runtime", "proto"]),
    ("executor-runtime", &["call", "docarray", "executor-macros", "grpc", "info", "proto"]),
    ("export", &["config"]),
    (
        "flow",
        &[
            "call",
            "client",
            "config",
            "docarray",
            "executor",
            "executor-runtime",
            "export",
            "gateway",
            "info",
            "routing",
            "server",
        ],
    ),
    ("flowgate", &["executor-runtime", "flow", "info"]),
    ("frontend-graphql", &["call", "docarray"]),
    ("frontend-grpc", &["call", "docarray", "grpc", "info", "proto"]),
    ("frontend-http", &["call", "docarray", "info"]),
    ("frontend-websocket", &["call", "docarray", "info", "proto"]),
    (
        "gateway",
        &[
            "call",
            "config",
            "docarray",
            "executor-client",
            "frontend-graphql",
            "frontend-grpc",
            "frontend-http",
            "frontend-websocket",
            "grpc",
            "info",
            "routing",
            "server",
        ],
    ),
    ("grpc", &["call", "proto"]),
    ("info", &["call", "docarray", "grpc", "proto"]),
    ("proto", &["call"]),
    ("routing", &["call", "config", "docarray"]),
    ("server", &["config"]),
    ("xtask", &[]),
];

/// What a crate must never be built with, however indirectly.
const NEVER: &[(&str, &[&str])] = &[
    ("call", &["axum", "h2", "hyper", "tonic"]),
    ("client", &["executor-runtime", "gateway", "routing", "server"]),
    ("config", &["axum", "h2", "hyper", "tokio", "tonic"]),
    ("consensus", &["executor-runtime", "gateway", "routing", "server"]),
    ("docarray", &["axum", "h2", "hyper", "tonic"]),
    ("executor-client", &["routing"]),
    ("executor-python", &["executor-client", "frontend-grpc", "gateway", "routing", "server"]),
    ("export", &["axum", "h2", "hyper", "tokio", "tonic"]),
    ("executor-runtime", &["executor-client", "frontend-grpc", "gateway", "routing"]),
    (
        "frontend-graphql",
        &["executor-client", "frontend-grpc", "frontend-http", "frontend-websocket", "routing", "server"],
    ),
    ("frontend-grpc", &["executor-client", "routing"]),
    ("frontend-http", &["executor-client", "frontend-grpc", "routing"]),
    ("frontend-websocket", &["executor-client", "frontend-grpc", "frontend-http", "routing", "server"]),
    ("routing", &["axum", "grpc", "h2", "hyper", "proto", "server", "tonic"]),
];

/// Packages at the edge, which use what their readers would use: examples and tests.
const FREE: &[&str] = &["e2e", "interop-executor", "search", "semantic-search", "tests"];

pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for (package, uses) in &metadata.members {
        if FREE.contains(&&**package) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == package) else {
            problems.push(format!("{package}: xtask/src/tidy/edges.rs does not say what it may depend on"));
            continue;
        };
        for used in uses.iter().filter(|used| !allowed.contains(&&***used)) {
            problems.push(format!("{package}: must not depend on {used}"));
        }
    }
    for (package, banned) in NEVER {
        let Some(reached) = metadata.reaches.get(*package) else {
            problems.push(format!("{package}: is not a package of the workspace any more"));
            continue;
        };
        for banned in banned.iter().filter(|banned| reached.contains(**banned)) {
            problems.push(format!("{package}: must never reach {banned}, not even indirectly"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_are_not_listed_are_problems() {
        let mut metadata = Metadata::default();
        for (package, _) in NEVER {
            metadata.reaches.entry((*package).to_owned()).or_default();
        }
        assert!(check(&metadata).is_empty(), "nothing is wrong with nothing");
        metadata.members.insert("routing".into(), ["call", "grpc"].map(str::to_owned).into());
        metadata.members.insert("utils".into(), [].into());
        metadata.members.insert("search".into(), ["gateway".to_owned()].into());
        metadata.reaches.insert("routing".into(), ["h2".to_owned()].into());
        assert_eq!(
            check(&metadata),
            [
                "routing: must not depend on grpc",
                "utils: xtask/src/tidy/edges.rs does not say what it may depend on",
                "routing: must never reach h2, not even indirectly",
            ]
        );
    }
}
