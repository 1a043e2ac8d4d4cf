//! The graph in which near vectors are found.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use hnsw_rs::prelude::{DistL2, Hnsw};

/// What the authors of the method suggest for vectors of some hundred numbers.
const LINKS: usize = 16;
const LAYERS: usize = 16;
const CANDIDATES_INSERTING: usize = 200;
const CANDIDATES_SEARCHING: usize = 64;

/// A removed vector may still be the one that a search starts from.
const SPARE: usize = 8;

/// Fewer removed ones than that are not worth the work.
const FEW: usize = 1000;

/// Vectors of length 1 by their keys.
#[derive(Default)]
pub(super) struct Graph {
    inner: RwLock<Inner>,
}

struct Inner {
    links: Hnsw<'static, f32, DistL2>,
    live: HashSet<u64>,
    /// Those that were removed included.
    inserted: usize,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.read(|inner| inner.live.len())
    }

    pub(super) fn insert(&self, key: u64, vector: &[f32]) {
        self.change(|inner| {
            // Keys count up from 0: there are never more than a process can address.
            inner.links.insert((vector, key as usize));
            inner.live.insert(key);
            inner.inserted += 1;
        });
    }

    pub(super) fn remove(&self, keys: &[u64]) {
        self.change(|inner| keys.iter().for_each(|key| _ = inner.live.remove(key)));
    }

    /// Whether more was removed than is there.
    pub(super) fn is_mostly_dead(&self) -> bool {
        self.read(|inner| inner.inserted > 2 * inner.live.len() + FEW)
    }

    pub(super) fn replace_by(&self, other: Self) {
        let other = other.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.change(|inner| *inner = other);
    }

    /// The nearest first, each with its cosine.
    pub(super) fn nearest(&self, vector: &[f32], n: usize) -> Vec<(u64, f64)> {
        self.read(|inner| {
            let is_live = |key: &usize| inner.live.contains(&(*key as u64));
            let n_candidates = CANDIDATES_SEARCHING.max(2 * n);
            let found = inner.links.search_filter(vector, n + SPARE, n_candidates, Some(&is_live));
            let cosine = |distance: f32| 1.0 - f64::from(distance).powi(2) / 2.0;
            found.iter().take(n).map(|near| (near.d_id as u64, cosine(near.distance))).collect()
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for Inner {
    fn default() -> Self {
        let links = Hnsw::new(LINKS, FEW, LAYERS, CANDIDATES_INSERTING, DistL2);
        Self { links, live: HashSet::new(), inserted: 0 }
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("len", &self.len()).finish_non_exhaustive()
    }
}
