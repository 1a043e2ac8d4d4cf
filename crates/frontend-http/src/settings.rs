//! What the front end can be told.

use std::time::Duration;

use bytestring::ByteString;
use call::RootPath;
use http::{HeaderName, Method};
use serde_json::{Map, Value};

/// What the front end can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The title of the OpenAPI document.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The path under which a proxy shows the front end.
    pub root_path: RootPath,
    /// Whether any web page may call.
    pub cors: bool,
    /// Leaves out `/status` and `/dry_run`.
    pub no_debug_endpoints: bool,
    /// Routes of endpoints beside their own.
    pub exposed: Vec<Exposed>,
    /// The largest body of a request, after decompression.
    pub max_body: usize,
    /// How long a client may stop in the middle of a body.
    pub stall: Duration,
    /// Headers that travel on to executors beside the trace context.
    pub forward: Vec<HeaderName>,
}

/// A route of an endpoint beside its own.
#[derive(Debug, Clone)]
pub struct Exposed {
    /// The endpoint.
    pub endpoint: ByteString,
    /// The path, `/` first.
    pub path: String,
    /// The methods.
    pub methods: Vec<Method>,
    /// What the OpenAPI document says of it: `summary`, `tags` and the like.
    pub openapi: Map<String, Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: "My Jina Service".to_owned(),
            description: "The endpoints of a Flow. Documents are those of its executors.".to_owned(),
            root_path: RootPath::default(),
            cors: false,
            no_debug_endpoints: false,
            exposed: Vec::new(),
            max_body: usize::MAX,
            stall: Duration::from_secs(60),
            forward: Vec::new(),
        }
    }
}
