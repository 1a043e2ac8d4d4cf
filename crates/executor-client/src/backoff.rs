//! Pauses between attempts to reach a replica.

use std::time::Duration;

/// The first pause that is not zero.
const FIRST: Duration = Duration::from_millis(50);

/// None before the first attempt, then doubling from 50 ms up to a bound, each shortened at random by up to
/// a fifth so that workers do not knock in step.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) const fn new(max: Duration) -> Self {
        Self { next: Duration::ZERO, max }
    }

    /// How long to wait before the next attempt.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = if pause.is_zero() { FIRST } else { pause * 2 }.min(self.max);
        pause.mul_f64(1.0 - 0.2 * fastrand::f64())
    }

    /// The replica was reached.
    pub(crate) const fn reset(&mut self) {
        self.next = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_bound() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        for want in [0, 50, 100, 200, 400, 800, 1000, 1000] {
            let (pause, want) = (backoff.pause(), Duration::from_millis(want));
            assert!(pause <= want && pause >= want.mul_f64(0.8), "{pause:?} instead of {want:?}");
        }
        backoff.reset();
        assert_eq!(backoff.pause(), Duration::ZERO);
    }
}
