//! Whether a process is ready for requests.

use std::sync::Arc;

use tokio::sync::watch;

/// A set of latches, all of which must be set before the process is ready. Clones share them.
///
/// Readiness also ends with the drain: the process is ready while every latch is set and it still wants
/// clients.
#[derive(Debug, Clone)]
pub struct Health {
    latches: Arc<watch::Sender<Latches>>,
    accepting: watch::Receiver<bool>,
}

/// The names of the latches that are not set.
type Latches = Vec<Arc<str>>;

/// One condition of readiness.
#[derive(Debug)]
#[must_use = "the process is not ready before the latch is set"]
pub struct Latch {
    name: Arc<str>,
    latches: Arc<watch::Sender<Latches>>,
}

impl Health {
    /// Without latches. `accepting` turns false when the process drains.
    #[must_use]
    pub fn new(accepting: watch::Receiver<bool>) -> Self {
        Self { latches: Arc::new(watch::Sender::new(Vec::new())), accepting }
    }

    /// Adds a condition.
    pub fn latch(&self, name: impl Into<Arc<str>>) -> Latch {
        let name = name.into();
        self.latches.send_modify(|latches| latches.push(name.clone()));
        Latch { name, latches: self.latches.clone() }
    }

    /// Whether the process takes requests now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.accepting.borrow() && self.latches.borrow().is_empty()
    }

    /// What the process waits for.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<Arc<str>> {
        self.latches.borrow().clone()
    }

    /// Follows readiness.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { latches: self.latches.subscribe(), accepting: self.accepting.clone(), told: None }
    }
}

impl Latch {
    /// The condition is met.
    pub fn set(self) {
        self.latches.send_modify(|latches| {
            if let Some(at) = latches.iter().position(|name| Arc::ptr_eq(name, &self.name)) {
                latches.swap_remove(at);
            }
        });
    }
}

/// Follows readiness from one state to the next.
#[derive(Debug)]
pub struct Watch {
    latches: watch::Receiver<Latches>,
    accepting: watch::Receiver<bool>,
    told: Option<bool>,
}

impl Watch {
    /// Readiness now at the first call, at each further one the next change. `None` after the drain has begun:
    /// nothing changes any more then. Cancel-safe.
    pub async fn next(&mut self) -> Option<bool> {
        loop {
            let accepting = *self.accepting.borrow_and_update();
            let ready = self.latches.borrow_and_update().is_empty() && accepting;
            if self.told != Some(ready) {
                self.told = Some(ready);
                return self.told;
            }
            if !accepting {
                // A drain is never taken back, and watchers must not hold it up.
                return None;
            }
            tokio::select! {
                changed = self.accepting.changed() => changed.ok()?,
                changed = self.latches.changed() => changed.ok()?,
            }
        }
    }

    /// Waits until the process is ready; false if it never will be.
    pub async fn ready(&mut self) -> bool {
        while let Some(ready) = self.next().await {
            if ready {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_only_between_the_last_latch_and_the_drain() {
        let accepting = watch::Sender::new(true);
        let health = Health::new(accepting.subscribe());
        let (encoder, ranker) = (health.latch("encoder"), health.latch("ranker"));
        let mut watch = health.watch();
        assert_eq!(watch.next().await, Some(false));
        encoder.set();
        assert_eq!(health.waiting_for(), [Arc::from("ranker")]);
        assert!(!health.is_ready());
        ranker.set();
        assert_eq!(watch.next().await, Some(true));
        assert!(health.is_ready());
        accepting.send_replace(false);
        assert_eq!(watch.next().await, Some(false));
        assert!(!health.is_ready());
        assert_eq!(watch.next().await, None, "a drain is the last change");
    }

    #[tokio::test]
    async fn two_latches_of_one_name_are_two_conditions() {
        let accepting = watch::Sender::new(true);
        let health = Health::new(accepting.subscribe());
        let (first, second) = (health.latch("encoder"), health.latch("encoder"));
        first.set();
        assert!(!health.is_ready());
        second.set();
        assert!(health.watch().ready().await);
    }
}
