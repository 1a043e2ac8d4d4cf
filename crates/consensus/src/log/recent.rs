//! The last entries of the log, in memory.

use std::collections::VecDeque;

use openraft::EntryPayload;

use crate::types::{Entered, Entry};

/// Bytes that are kept; the last entry always is.
const KEPT: usize = 32 << 20;

/// Entries without a gap, the last of the log among them.
#[derive(Debug, Default)]
pub(super) struct Recent {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Recent {
    /// The number of the first one.
    fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.log_id.index)
    }

    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        let place = usize::try_from(index.checked_sub(self.first()?)?).ok()?;
        self.entries.get(place)
    }

    /// Entries from `first` up to `end`, one at least, no more than `most` bytes; `None` if the first is not here.
    pub(super) fn range(&self, first: u64, end: u64, most: usize) -> Option<Vec<Entry>> {
        let place = usize::try_from(first.checked_sub(self.first()?)?).ok()?;
        let mut entries = Vec::new();
        let mut bytes = 0;
        let wanted = self.entries.iter().skip(place).take_while(|entry| entry.log_id.index < end);
        for entry in wanted {
            bytes += size(entry);
            if bytes > most && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        (!entries.is_empty()).then_some(entries)
    }

    pub(super) fn append(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let follows = self.entries.back().is_none_or(|last| last.log_id.index + 1 == entry.log_id.index);
            if !follows {
                *self = Self::default();
            }
            self.bytes += size(&entry);
            self.entries.push_back(entry);
        }
        while self.bytes > KEPT && self.entries.len() > 1 {
            self.pop();
        }
    }

    /// Forgets entries from `first` on.
    pub(super) fn truncate(&mut self, first: u64) {
        while self.entries.back().is_some_and(|last| last.log_id.index >= first) {
            let last = self.entries.pop_back();
            self.bytes -= last.as_ref().map_or(0, size);
        }
    }

    /// Forgets entries up to `last`.
    pub(super) fn purge(&mut self, last: u64) {
        while self.first().is_some_and(|first| first <= last) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let first = self.entries.pop_front();
        self.bytes -= first.as_ref().map_or(0, size);
    }
}

/// What an entry takes, with what is around it.
fn size(entry: &Entry) -> usize {
    let writes = match &entry.payload {
        EntryPayload::Normal(Entered(Some(writes))) => writes.len(),
        EntryPayload::Normal(Entered(None)) | EntryPayload::Blank | EntryPayload::Membership(_) => 0,
    };
    writes + 256
}
