//! What the front end can be told.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the front end can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Fields inside fields.
    pub max_depth: usize,
    /// Fields of a query, each as often as it is asked for.
    pub max_complexity: usize,
    /// Fields of a query that call an endpoint.
    pub max_calls: usize,
    /// Bytes of the text of a query; variables do not count.
    pub max_query: usize,
    /// Names, values and punctuators in the text of a query; variables do not count.
    pub max_tokens: usize,
    /// The largest message over WebSocket.
    pub max_message: usize,
    /// Operations of one WebSocket connection in flight.
    pub max_operations: usize,
    /// How long a client may take to begin a conversation over WebSocket.
    pub patience: Duration,
    /// How often clients of WebSocket are pinged; those that are silent for as long again are given up.
    pub keepalive: Duration,
    /// Owns the WebSocket connections.
    pub tasks: TaskTracker,
    /// Cancelled when the process drains: WebSocket connections take nothing new then, and close when what is in
    /// flight is over.
    pub stop: CancellationToken,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // An introspection of GraphiQL needs 15.
            max_depth: 24,
            max_complexity: 1000,
            // Each takes the documents that it is given by a variable once more.
            max_calls: 32,
            max_query: 1 << 20,
            max_tokens: 15_000,
            max_message: 64 << 20,
            max_operations: 100,
            patience: Duration::from_secs(10),
            keepalive: Duration::from_secs(20),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }
}
