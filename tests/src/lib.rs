//! Tests of the whole: real gateways and executors on real sockets, in one process.
//!
//! A [`Sandbox`] is a gateway before some executors, all on free ports of the loopback interface. Executors
//! are [`Stub`]s, whose answers a test makes itself, or those of the runtime. A [`Caller`] speaks gRPC on the
//! level of bytes, so that tests see exactly what is on the wire; a [`Web`] speaks HTTP/1.1.

mod caller;
pub mod documents;
pub mod executors;
pub mod golden;
mod sandbox;
mod stub;
mod web;
mod wire;

use std::time::Duration;

pub use caller::{Caller, Dialogue, Exchange};
pub use sandbox::{Builder, Sandbox};
pub use stub::{Served, Stub};
pub use web::{Answer, Web};
pub use wire::{Frame, Wire};

/// How long a test waits for what is due at once. Only a failure takes that long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that is due at once.
///
/// # Panics
///
/// If it takes too long.
pub async fn soon<T>(what: &str, due: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, due).await.expect(what)
}

/// Asks again and again until the answer is yes.
///
/// # Panics
///
/// If it takes too long.
pub async fn eventually(what: &str, mut state: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !state().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
