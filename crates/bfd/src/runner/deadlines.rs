//! When which session is due next: a heap that forgets lazily.
//!
//! An entry may be too early, because a packet has moved the deadline of its
//! session since; the session is then asked and put back. So a packet costs no work
//! on the heap. A neighbour could move a deadline to and fro, and each earlier one
//! leaves the later one behind, for days at the slowest pace that BFD knows: when
//! most entries mean nothing any more, the heap is made anew.

use crate::session::Micros;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// So many entries may mean nothing for each that does, and a few more.
const IDLE_MAX: usize = 3;
const SLACK: usize = 64;

/// See the head of this file. Sessions go by their discriminators.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Micros, u32)>>,
    /// The earliest entry of each session.
    armed: HashMap<u32, Micros>,
}

impl Deadlines {
    /// When to ask [`take_due`](Self::take_due) next; perhaps too early.
    pub(super) fn next(&self) -> Option<Micros> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// A session is due then, or a little earlier.
    pub(super) fn arm(&mut self, session: u32, at: Micros) {
        if self.armed.get(&session).is_some_and(|armed| *armed <= at) {
            return;
        }
        self.armed.insert(session, at);
        self.heap.push(Reverse((at, session)));
        if self.heap.len() > (1 + IDLE_MAX) * self.armed.len() + SLACK {
            self.heap = self.armed.iter().map(|(session, at)| Reverse((*at, *session))).collect();
        }
    }

    /// A session that may be due, which is then not awaited any more.
    pub(super) fn take_due(&mut self, now: Micros) -> Option<u32> {
        while let Some(Reverse((at, session))) = self.heap.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.heap.pop();
            if self.armed.get(&session) == Some(&at) {
                self.armed.remove(&session);
                return Some(session);
            }
        }
        None
    }

    /// A session is gone.
    pub(super) fn forget(&mut self, session: u32) {
        self.armed.remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_due_at_the_earliest_of_its_deadlines_and_once() {
        let mut deadlines = Deadlines::default();
        [(1, 50), (2, 30), (1, 20), (1, 40)].into_iter().for_each(|(session, at)| deadlines.arm(session, at));
        assert_eq!(deadlines.next(), Some(20));
        assert_eq!(deadlines.take_due(19), None);
        assert_eq!([25, 35, 60].map(|now| deadlines.take_due(now)), [Some(1), Some(2), None]);
        deadlines.arm(1, 70);
        deadlines.forget(1);
        assert_eq!(deadlines.take_due(80), None);
    }

    #[test]
    fn a_neighbour_that_moves_its_deadline_to_and_fro_takes_no_memory() {
        let mut deadlines = Deadlines::default();
        for now in 0..100_000 {
            // Heard for days to come; then something is due at once.
            deadlines.arm(1, now + 1_000_000_000_000);
            deadlines.arm(1, now);
            assert_eq!(deadlines.take_due(now), Some(1));
        }
        assert!(deadlines.heap.len() <= SLACK + 4, "{}", deadlines.heap.len());
    }
}
