//! Pauses before a worker is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(30);

/// Doubling from 100 ms up to 30 s, each shortened at random by up to a fifth.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { next: FIRST }
    }

    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(MOST);
        pause.mul_f64(1.0 - 0.2 * fastrand::f64())
    }

    pub(crate) const fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_bound_and_begin_again() {
        let mut backoff = Backoff::new();
        for want in [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
            let (pause, want) = (backoff.pause(), Duration::from_millis(want));
            assert!(pause <= want && pause >= want.mul_f64(0.8), "{pause:?} instead of {want:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }
}
