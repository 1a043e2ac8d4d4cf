//! Pauses between attempts to reach a replica.

use std::time::Duration;

use crate::Settings;

/// None before the first attempt, then doubling from a first one up to a bound, each shortened at random by up to
/// a fifth so that workers do not knock in step.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    first: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) const fn of(settings: &Settings) -> Self {
        Self { next: Duration::ZERO, first: settings.first_backoff, max: settings.max_backoff }
    }

    /// How long to wait before the next attempt.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = if pause.is_zero() { self.first } else { pause * 2 }.min(self.max);
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
        let mut backoff = Backoff::of(&Settings::default());
        for want in [0, 50, 100, 200, 400, 800, 1000, 1000] {
            let (pause, want) = (backoff.pause(), Duration::from_millis(want));
            assert!(pause <= want && pause >= want.mul_f64(0.8), "{pause:?} instead of {want:?}");
        }
        backoff.reset();
        assert_eq!(backoff.pause(), Duration::ZERO);
    }
}
