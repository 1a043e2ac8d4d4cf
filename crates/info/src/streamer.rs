//! The gateway's settings as its status report shows them.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What a gateway puts into the report as `JINA_STREAMER_ARGS`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StreamerArgs {
    /// The graph as written.
    pub graph_representation: IndexMap<String, Vec<String>>,
    /// The addresses of each executor.
    pub executor_addresses: IndexMap<String, Vec<String>>,
    /// The condition of each node that has one.
    pub graph_conditions: IndexMap<String, Value>,
    /// Headers that each executor is sent. They often hold credentials, so values are masked in the report.
    #[serde(serialize_with = "masked")]
    pub deployments_metadata: IndexMap<String, IndexMap<String, String>>,
    /// Nodes whose inputs are not merged.
    pub deployments_no_reduce: Vec<String>,
    /// Seconds.
    pub timeout_send: Option<f64>,
    /// Negative for the default.
    pub retries: i32,
    /// `Gzip` or `Deflate`.
    pub compression: Option<String>,
    /// The gateway's name.
    pub runtime_name: String,
    /// Requests in flight per stream.
    pub prefetch: usize,
}

/// Stands for a value that nobody is shown.
const MASK: &str = "***";

fn masked<S: Serializer>(
    metadata: &IndexMap<String, IndexMap<String, String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let masked = metadata.iter().map(|(executor, headers)| {
        let headers: IndexMap<_, _> = headers.keys().map(|name| (name, MASK)).collect();
        (executor, headers)
    });
    serializer.collect_map(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_metadata_are_masked() {
        let headers = IndexMap::from([("authorization".to_owned(), "Bearer s3cret".to_owned())]);
        let args = StreamerArgs {
            deployments_metadata: IndexMap::from([("encoder".to_owned(), headers)]),
            ..StreamerArgs::default()
        };
        let json = serde_json::to_string(&args).unwrap();
        assert!(json.contains(r#""deployments_metadata":{"encoder":{"authorization":"***"}}"#), "{json}");
        assert!(!json.contains("s3cret"), "{json}");
    }
}
