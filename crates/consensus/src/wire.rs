//! Messages of the library as bytes.

use std::io;

use openraft::{AnyError, StorageIOError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::types::StorageError;

/// Encodes a message. Fields have names, so that replicas of different versions understand each other.
pub(crate) fn pack<T: Serialize>(message: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    rmp_serde::to_vec_named(message)
}

pub(crate) fn unpack<T: DeserializeOwned>(wire: &[u8]) -> Result<T, rmp_serde::decode::Error> {
    rmp_serde::from_slice(wire)
}

/// An error of the log, for the library, which stops at it.
pub(crate) fn unwritable(error: &(impl std::error::Error + 'static)) -> StorageError {
    StorageIOError::write_logs(AnyError::new(error)).into()
}

pub(crate) fn unreadable(error: &(impl std::error::Error + 'static)) -> StorageError {
    StorageIOError::read_logs(AnyError::new(error)).into()
}

/// An error of what is made of the log, likewise.
pub(crate) fn not_applied(why: impl ToString) -> StorageError {
    StorageIOError::write_state_machine(AnyError::error(why)).into()
}

/// An error of a snapshot, likewise.
pub(crate) fn no_snapshot(error: &io::Error) -> StorageError {
    StorageIOError::read_snapshot(None, AnyError::new(error)).into()
}
