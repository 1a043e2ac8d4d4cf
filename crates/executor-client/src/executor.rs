//! One executor, as all workers see it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use call::ExecutorName;
use http::HeaderMap;
use tokio::sync::{Notify, watch};

use crate::Address;
use crate::budget::Budget;
use crate::replica::Replica;

/// The replicas of an executor, in the order of the configuration.
pub(crate) type Members = Arc<[Arc<Replica>]>;

/// One executor.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) name: ExecutorName,
    pub(crate) addresses: Vec<Address>,
    /// The configured metadata.
    pub(crate) headers: HeaderMap,
    pub(crate) members: watch::Sender<Members>,
    /// Counts the rounds in which the names were resolved.
    pub(crate) resolutions: watch::Sender<u64>,
    /// Asks for the names to be resolved soon.
    pub(crate) resolve_now: Notify,
    /// Why names do not resolve, by address.
    unresolved: Mutex<Vec<Option<String>>>,
    /// Whose turn it is among the replicas.
    turn: AtomicUsize,
    pub(crate) budget: Budget,
    /// The replica that was reached last.
    pub(crate) reached: watch::Sender<Option<Arc<Replica>>>,
    /// Whether it offers `process_single_data`; otherwise requests go through `Call`.
    pub(crate) offers_single: AtomicBool,
    /// Why it could not be asked for its endpoints.
    pub(crate) undiscovered: ArcSwapOption<String>,
}

impl Executor {
    pub(crate) fn new(name: ExecutorName, addresses: Vec<Address>, headers: HeaderMap) -> Self {
        Self {
            name,
            unresolved: Mutex::new(vec![None; addresses.len()]),
            addresses,
            headers,
            members: watch::Sender::new(Arc::new([])),
            resolutions: watch::Sender::new(0),
            resolve_now: Notify::new(),
            // The first turn is the second replica's: a gateway asks the first one for its endpoints.
            turn: AtomicUsize::new(1),
            budget: Budget::new(),
            reached: watch::Sender::new(None),
            offers_single: AtomicBool::new(true),
            undiscovered: ArcSwapOption::empty(),
        }
    }

    /// The next turn.
    pub(crate) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Why each of the addresses does not resolve, if it does not.
    pub(crate) fn unresolved(&self) -> MutexGuard<'_, Vec<Option<String>>> {
        self.unresolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether some address is a name.
    pub(crate) fn has_names(&self) -> bool {
        self.addresses.iter().any(|address| address.literal().is_none())
    }
}
