//! Vectors with what they stand for: kept on disk, found by a graph in memory.
//!
//! The file ([redb](https://www.redb.org)) is the truth: what a call has changed is on disk when it returns, and a call
//! that fails has changed nothing. The graph (HNSW, by `hnsw_rs`) is made of it at start. It cannot forget, so that
//! what was removed is passed by, until there is as much of it as of the rest; then the graph is made anew.

mod error;
mod graph;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

pub use error::Error;
use graph::Graph;
use store::Store;

/// How far into the results a search can reach.
const MAX_REACH: usize = 1000;

/// An index of vectors. Vectors are compared by their angle, so that their lengths do not matter.
#[derive(Debug)]
pub struct Vectors {
    store: Store,
    graph: Graph,
    /// One change at a time: what the store and the graph hold is the same after each.
    changing: Mutex<()>,
    max_passages: usize,
}

/// A document and the vectors of its passages.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its name: another one of the same name takes its place.
    pub id: String,
    /// Its passages.
    pub passages: Vec<(Passage, Vec<f32>)>,
}

/// What a vector stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Its id.
    pub id: String,
    /// The id of its document.
    pub document: String,
    /// Where the document comes from.
    pub uri: Option<String>,
    /// What the document is called.
    pub title: Option<String>,
    /// The headings above it.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// Where it begins in the document's text, in bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// A passage that was found, and the cosine between it and what was asked for.
pub type Near = (Passage, f64);

impl Vectors {
    /// Opens the index of a directory, or makes one.
    ///
    /// # Errors
    ///
    /// If another process has it open, or it cannot be read.
    pub fn open(directory: &Path, max_passages: usize) -> Result<Self, Error> {
        let store = Store::open(directory)?;
        let graph = Graph::default();
        store.each_vector(|key, vector| graph.insert(key, &vector))?;
        Ok(Self { store, graph, changing: Mutex::new(()), max_passages })
    }

    /// How many passages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts documents in, in place of those of the same ids.
    ///
    /// # Errors
    ///
    /// If a vector does not fit, there is no room, or the disk fails.
    pub fn replace(&self, documents: Vec<Document>) -> Result<(), Error> {
        let mut documents = documents;
        for document in &mut documents {
            for (passage, vector) in &mut document.passages {
                normalize(vector).ok_or_else(|| Error::NoDirection { what: passage.id.clone() })?;
            }
        }
        let _alone = self.alone();
        let change = self.store.replace(&documents, self.max_passages)?;
        self.graph.remove(&change.removed);
        for (key, vector) in change.added {
            self.graph.insert(key, vector);
        }
        self.tidy()
    }

    /// Takes documents out. Tells of each how many passages it had.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn delete(&self, documents: &[String]) -> Result<Vec<u64>, Error> {
        let _alone = self.alone();
        let removed = self.store.delete(documents)?;
        let counts = removed.iter().map(|keys| keys.len() as u64).collect();
        self.graph.remove(&removed.concat());
        self.tidy()?;
        Ok(counts)
    }

    /// The passages nearest to a vector, the nearest first; `offset` of them are left out.
    ///
    /// # Errors
    ///
    /// If the vector does not fit, the search asks for too much, or the disk fails.
    pub fn search(&self, vector: &[f32], offset: usize, limit: usize) -> Result<Vec<Near>, Error> {
        let reach = offset.saturating_add(limit);
        if reach > MAX_REACH {
            return Err(Error::Page { offset, limit, most: MAX_REACH });
        }
        let mut vector = vector.to_vec();
        normalize(&mut vector).ok_or_else(|| Error::NoDirection { what: "the query".to_owned() })?;
        self.store.check_dimension(vector.len())?;
        let mut found = Vec::with_capacity(limit);
        for (key, similarity) in self.graph.nearest(&vector, reach).into_iter().skip(offset) {
            // It may have been removed since the graph was asked.
            if let Some(passage) = self.store.passage(key)? {
                found.push((passage, similarity));
            }
        }
        Ok(found)
    }

    /// Makes the graph anew if much of it is passed by.
    fn tidy(&self) -> Result<(), Error> {
        if self.graph.is_mostly_dead() {
            let graph = Graph::default();
            self.store.each_vector(|key, vector| graph.insert(key, &vector))?;
            self.graph.replace_by(graph);
        }
        Ok(())
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a vector as long as 1; none if it points nowhere.
fn normalize(vector: &mut [f32]) -> Option<()> {
    let length = vector.iter().map(|item| f64::from(*item).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return None;
    }
    vector.iter_mut().for_each(|item| *item = (f64::from(*item) / length) as f32);
    Some(())
}
