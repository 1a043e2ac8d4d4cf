//! How much memory the process may use.
//!
//! Nobody can take memory away from code that holds it. So past the limit new calls are refused and those that run
//! are ended: `async` code is dropped, other code is told through its context. Code that goes on in spite of that
//! meets the limit of the operating system, which the process sets above this one; then
//! the process ends.

use std::time::Duration;

use tokio::sync::watch;

use crate::calls::Cut;

/// How often the memory is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// The limit, and whether it is exceeded.
pub(crate) struct Memory {
    limit: Option<u64>,
    exceeded: watch::Sender<bool>,
}

impl Memory {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self { limit, exceeded: watch::Sender::new(false) }
    }

    pub(crate) const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Why a call is refused now, if it is.
    pub(crate) fn refusal(&self) -> Option<Cut> {
        let limit = self.limit?;
        self.exceeded.borrow().then_some(Cut::Memory { limit })
    }

    /// Ends when the limit is exceeded.
    pub(crate) async fn exceeded(&self) -> Cut {
        let Some(limit) = self.limit else { return std::future::pending().await };
        // The sender lives as long as this.
        let mut exceeded = self.exceeded.subscribe();
        let _open = exceeded.wait_for(|exceeded| *exceeded).await;
        Cut::Memory { limit }
    }

    /// Looks at the memory for ever. Does nothing without a limit, or where the system does not tell.
    pub(crate) async fn watch(&self) -> std::convert::Infallible {
        if self.limit.is_none() {
            return std::future::pending().await;
        }
        loop {
            match resident() {
                Some(used) => self.note(used),
                None => return std::future::pending().await,
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Takes note of what is used.
    pub(crate) fn note(&self, used: u64) {
        let Some(limit) = self.limit else { return };
        let is_exceeded = used > limit;
        self.exceeded.send_if_modified(|exceeded| {
            let changed = *exceeded != is_exceeded;
            *exceeded = is_exceeded;
            if changed && is_exceeded {
                tracing::error!(used, limit, "the memory limit is exceeded: calls are ended and refused");
            } else if changed {
                tracing::info!(used, limit, "the memory is below its limit again");
            }
            changed
        });
    }
}

/// The memory of the process, in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn calls_are_refused_while_the_limit_is_exceeded() {
        let memory = Memory::new(Some(100));
        assert_eq!((memory.refusal(), memory.exceeded().now_or_never()), (None, None));
        memory.note(101);
        let cut = Some(Cut::Memory { limit: 100 });
        assert_eq!((memory.refusal(), memory.exceeded().now_or_never()), (cut.clone(), cut));
        memory.note(100);
        assert_eq!((memory.refusal(), memory.exceeded().now_or_never()), (None, None));
    }

    #[test]
    fn the_system_tells_what_is_used() {
        let before = resident().unwrap();
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(resident().unwrap() >= before + (32 << 20));
        drop(held);
    }
}
