//! How far the executor is, and which writes it made last.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::snapshots::Head;
use crate::types::{Answer, Index, Membership, WriteId};

/// Writes that are known again if they come again.
const REMEMBERED: usize = 8192;
/// Bytes of answers that are kept for them.
const ANSWERS: usize = 16 << 20;

/// How far the executor is.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// The last entry.
    pub(super) last: Option<Index>,
    /// Who the replicas are.
    pub(super) membership: Membership,
    /// The last writes, the oldest first.
    ids: VecDeque<WriteId>,
    /// What was answered, as long as that is remembered.
    answers: HashMap<WriteId, Option<Answer>>,
    /// The first of `ids` whose answer is still there.
    answered: VecDeque<(WriteId, usize)>,
    bytes: usize,
}

impl Applied {
    pub(super) fn of(head: &Head) -> Self {
        Self {
            last: head.last,
            membership: head.membership.clone(),
            ids: head.recent.iter().copied().collect(),
            answers: head.recent.iter().map(|id| (*id, None)).collect(),
            ..Self::default()
        }
    }

    pub(super) fn head(&self) -> Head {
        let recent = Arc::new(self.ids.iter().copied().collect());
        Head { last: self.last, membership: self.membership.clone(), recent }
    }

    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.last.map_or(0, |last| last.index + 1)
    }

    /// What was answered to a write that was made before.
    pub(super) fn answer(&self, id: WriteId) -> Option<Answer> {
        self.answers.get(&id).map(|answer| answer.clone().unwrap_or(Answer::Forgotten))
    }

    /// Notes writes as made.
    pub(super) fn remember(&mut self, ids: &[WriteId], answers: &[Answer]) {
        for (id, answer) in ids.iter().zip(answers) {
            if self.answers.contains_key(id) {
                continue;
            }
            let size = match answer {
                Answer::Given(given) => given.len(),
                Answer::Forgotten | Answer::Fatal => 0,
            };
            self.ids.push_back(*id);
            self.answers.insert(*id, Some(answer.clone()));
            self.answered.push_back((*id, size));
            self.bytes += size;
        }
        while self.bytes > ANSWERS
            && let Some((id, size)) = self.answered.pop_front()
        {
            self.bytes -= size;
            if let Some(answer) = self.answers.get_mut(&id) {
                *answer = None;
            }
        }
        while self.ids.len() > REMEMBERED
            && let Some(id) = self.ids.pop_front()
        {
            self.answers.remove(&id);
            if self.answered.front().is_some_and(|(first, _)| *first == id)
                && let Some((_, size)) = self.answered.pop_front()
            {
                self.bytes -= size;
            }
        }
    }
}
