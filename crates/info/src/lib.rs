//! What a process says of itself.
//!
//! [`Report`] tells versions and environment, [`Health`] whether the process is ready for requests,
//! [`control`] serves both over gRPC together with reflection, and [`ping`] asks another process.

mod control;
mod health;
mod ping;
mod report;
mod streamer;

pub use control::{JINA_SERVICES, control};
pub use health::{Health, Latch};
pub use ping::{Address, Credentials, InvalidAddress, Ping, PingError, Subject, ping};
pub use report::{Facts, Report, Sections, Traffic, name_allocator};
pub use streamer::StreamerArgs;
