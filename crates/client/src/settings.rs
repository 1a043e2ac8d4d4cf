//! How a client behaves.

use std::time::Duration;

use grpc::Encoding;
use grpc::client::Options;

use crate::Tls;

/// How a client behaves; single requests may differ.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long to go on trying to connect; zero tries once. The pauses between tries grow.
    pub patience: Duration,
    /// How long calls that ask for the state of the peer may take.
    pub control_timeout: Duration,
    /// How requests are compressed.
    pub compression: Encoding,
    /// Whom to trust on encrypted connections, and as whom to appear.
    pub tls: Tls,
    /// Windows, pings and limits of the connection.
    pub options: Options,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(3),
            control_timeout: Duration::from_secs(10),
            compression: Encoding::Identity,
            tls: Tls::default(),
            options: Options::default(),
        }
    }
}
