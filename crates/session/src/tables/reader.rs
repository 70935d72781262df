//! A reader of a table's journal, and what it has not been given.

use crate::held::caught_up;
use crate::link::{Delivery, Portion, Progress, ReaderId};
use rib::batch::{ChangeBatch, NetId, Reading};
use rib::export::Bits;
use std::collections::VecDeque;
use std::sync::Arc;

/// A reader of the journal.
pub(super) struct Reader {
    pub(super) id: ReaderId,
    pub(super) reading: Reading,
    pub(super) kind: Kind,
    /// It is behind: what changed since then.
    pub(super) fallen: Option<Missed>,
}

/// What a reader has not been given.
#[derive(Default)]
pub(super) struct Missed {
    pub(super) changed: Bits,
    /// How many paths in front of each stand as it knows them; for one who reads all paths.
    unmoved: Vec<u8>,
}

impl Missed {
    pub(super) fn add(&mut self, batch: &ChangeBatch, reading: Reading) {
        for row in &batch.rows {
            let again = self.changed.set(row.id, true);
            if reading == Reading::All {
                let at = row.id.0 as usize;
                if at >= self.unmoved.len() {
                    self.unmoved.resize(at + 1, 0);
                }
                if let Some(known) = self.unmoved.get_mut(at) {
                    *known = if again { row.unmoved.min(*known) } else { row.unmoved };
                }
            }
        }
        if reading == Reading::Each {
            for each in &batch.each {
                self.changed.set(each.id, true);
            }
        }
    }

    pub(super) fn unmoved(&self, id: NetId) -> u8 {
        self.unmoved.get(id.0 as usize).copied().unwrap_or(0)
    }
}

pub(super) enum Kind {
    /// Fed without asking.
    Subscriber {
        deliver: Box<dyn FnMut(Delivery) + Send>,
        /// The next number of its feed.
        feed: Option<NetId>,
        /// Pages that it may still hold.
        pages: Vec<Arc<ChangeBatch>>,
    },
    /// Asks for pages, says how far it is.
    Follower {
        deliver: Box<dyn FnMut(Portion) + Send>,
        /// The octets of each batch that it was given and has not used.
        given: VecDeque<usize>,
        /// The octets of all those.
        octets: usize,
        /// How far it says that it is.
        progress: Progress,
        /// It was told that more follows.
        expects: bool,
    },
}

impl Reader {
    pub(super) fn changes(&mut self, batch: &Arc<ChangeBatch>, size: usize, more: bool) {
        match &mut self.kind {
            Kind::Subscriber { deliver, .. } => deliver(Delivery::Changes(batch.clone())),
            Kind::Follower { deliver, given, octets, expects, .. } => {
                given.push_back(size);
                *octets += size;
                *expects = more;
                deliver(Portion::Changes { batch: batch.clone(), more });
            }
        }
    }

    /// The table has nothing more to say for now, but what the reader has missed.
    pub(super) fn rest(&mut self) {
        if let Kind::Follower { deliver, expects, .. } = &mut self.kind
            && self.fallen.is_none()
            && std::mem::take(expects)
        {
            deliver(Portion::Rest);
        }
    }

    /// A follower says how far it is.
    pub(super) fn has_come(&mut self, how_far: Progress) {
        let Kind::Follower { given, octets, progress, .. } = &mut self.kind else { return };
        let taken = how_far.taken.saturating_sub(progress.taken);
        for size in given.drain(..given.len().min(usize::try_from(taken).unwrap_or(usize::MAX))) {
            *octets -= size;
        }
        *progress = how_far;
    }

    /// How many octets of batches it holds; `held`: what all subscribers together do.
    pub(super) fn octets(&self, held: usize) -> usize {
        match &self.kind {
            Kind::Subscriber { .. } => held,
            Kind::Follower { octets, .. } => *octets,
        }
    }

    pub(super) fn portion(&mut self, portion: Portion) {
        if let Kind::Follower { deliver, .. } = &mut self.kind {
            deliver(portion);
        }
    }

    /// Whether it waits for nothing but changes, or will say itself that it can take more.
    pub(super) fn is_content(&self) -> bool {
        match &self.kind {
            Kind::Subscriber { feed, .. } => feed.is_none() && self.fallen.is_none(),
            Kind::Follower { octets, .. } => self.fallen.is_none() || *octets > caught_up(self.reading),
        }
    }
}
