//! What can go wrong with an index of vectors.

use std::path::PathBuf;

/// Why a call failed. It has changed nothing then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only one process can have it.
    #[error("the vectors in {} are in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The directory, or the file.
    #[error("the vectors in {} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What was in the way.
        source: Box<redb::Error>,
    },
    /// The disk is full, most likely, or the file was damaged by others.
    #[error("the vectors cannot be read or written")]
    Disk {
        /// What was in the way.
        source: Box<redb::Error>,
    },
    /// Something was kept that is no passage.
    #[error("a passage among the vectors is damaged")]
    Damaged,
    /// Vectors of different models cannot be compared.
    #[error("vectors here have {here} numbers, this one has {given}; one index is for one model")]
    Dimension {
        /// How many numbers those have that are kept.
        here: u64,
        /// How many this one has.
        given: usize,
    },
    /// It is a matrix, or of complex numbers.
    #[error("the embedding of {what} is no vector of real numbers")]
    NoVector {
        /// Whose embedding it is.
        what: String,
    },
    /// It has no angle to anything.
    #[error("the vector of {what} is zero, or not finite")]
    NoDirection {
        /// Whose vector it is.
        what: String,
    },
    /// There is no room.
    #[error("the index holds at most {most} passages and would have {wanted}; `max_passages` says so")]
    Full {
        /// How many there may be.
        most: usize,
        /// How many there would be.
        wanted: u64,
    },
    /// The search asks for too much.
    #[error("offset {offset} and limit {limit} reach beyond the first {most} passages")]
    Page {
        /// How many are left out.
        offset: usize,
        /// How many are asked for.
        limit: usize,
        /// How far a search can reach.
        most: usize,
    },
}

impl<E: Into<redb::Error>> From<E> for Error {
    fn from(source: E) -> Self {
        Self::Disk { source: Box::new(source.into()) }
    }
}
