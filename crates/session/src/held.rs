//! The batches of a table's journal that readers still hold, and how much the readers of all tables hold together.
//!
//! A batch goes with the last reader that holds it, whether its table has work by
//! then or not, so a table looks when it must know. What it saw last counts
//! towards what all tables have given out. While that is little a reader may be a
//! good deal behind; when it is much, as with hundreds of tables and pipes between
//! them, each may be behind by its share, and beyond that has one bit a prefix.

use rib::batch::{ChangeBatch, Reading};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// How many octets of batches a reader may hold before it is given bits instead.
const BEHIND_OCTETS_MAX: usize = 4 << 20;
/// The same for one who reads all paths: each path that comes is a change of its prefix to him, and what he is given
/// late he is given once. 200 members behind filters of their own, who hear of two paths to each prefix, were so told
/// 3 % less than with eight times as much, for 20 % less work.
const BEHIND_OCTETS_ALL: usize = 64 << 10;
/// One that has no more left than this part of it is given what it missed.
const CAUGHT_UP: usize = 4;
/// How many octets of batches the readers of all tables may hold before each may hold only its share.
const ALL_OCTETS_MAX: usize = 32 << 20;
/// The share of a reader.
const SHARE_OCTETS: usize = 128 << 10;
/// How many rows a reader is given at once of what it missed, and how many when all together hold much.
const MISSED_ROWS: usize = 4096;
const MISSED_ROWS_FEW: usize = 512;
/// How long the list may get before it is looked through for the first time.
const LEN_MIN: usize = 64;

/// The octets of batches that readers of all tables hold, as far as their owners have seen.
pub(crate) type Passing = Arc<AtomicUsize>;

/// A batch that was given to readers.
struct Sealed {
    batch: Weak<ChangeBatch>,
    seq: u64,
    octets: usize,
    /// Somebody has it who does not say how far he is.
    by_subscribers: bool,
}

impl Sealed {
    fn is_held(&self) -> bool {
        self.batch.strong_count() > 0
    }
}

/// See the head of this file.
pub(crate) struct Held {
    all: VecDeque<Sealed>,
    len_max: usize,
    octets: usize,
    by_subscribers: usize,
    passing: Passing,
}

impl Held {
    /// Nothing yet; `passing` is shared by all tables.
    pub(crate) fn new(passing: Passing) -> Self {
        Self { all: VecDeque::new(), len_max: LEN_MIN, octets: 0, by_subscribers: 0, passing }
    }

    /// A batch was given to readers.
    pub(crate) fn add(&mut self, batch: &Arc<ChangeBatch>, octets: usize, by_subscribers: bool) {
        self.all.push_back(Sealed { batch: Arc::downgrade(batch), seq: batch.seq, octets, by_subscribers });
        self.octets += octets;
        self.by_subscribers += if by_subscribers { octets } else { 0 };
        self.passing.fetch_add(octets, Ordering::Relaxed);
    }

    /// Looks what is held now. Batches mostly go in their order; all of them are looked at when it matters.
    pub(crate) fn look(&mut self) {
        let before = self.octets;
        while let Some(first) = self.all.front()
            && !first.is_held()
        {
            self.octets -= first.octets;
            self.by_subscribers -= if first.by_subscribers { first.octets } else { 0 };
            self.all.pop_front();
        }
        if self.by_subscribers > caught_up(Reading::Best) || self.is_much() || self.all.len() > self.len_max {
            self.all.retain(Sealed::is_held);
            self.len_max = LEN_MIN.max(2 * self.all.len());
            self.octets = self.all.iter().map(|s| s.octets).sum();
            self.by_subscribers = self.all.iter().filter(|s| s.by_subscribers).map(|s| s.octets).sum();
        }
        self.passing.fetch_sub(before - self.octets, Ordering::Relaxed);
    }

    /// What subscribers held when it was last looked.
    pub(crate) const fn by_subscribers(&self) -> usize {
        self.by_subscribers
    }

    /// The oldest batch that subscribers may hold.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.all.iter().find(|s| s.by_subscribers && s.is_held()).map(|s| s.seq)
    }

    fn is_much(&self) -> bool {
        self.passing.load(Ordering::Relaxed) > ALL_OCTETS_MAX / 2
    }

    /// Whether a reader that is so many octets behind is given a batch of so many, or bits instead. When all together
    /// hold much the batch itself counts: one of hundreds of tables may be large, and each table may have one.
    pub(crate) fn takes(&self, reading: Reading, behind: usize, octets: usize) -> bool {
        let is_over = self.passing.load(Ordering::Relaxed) + octets > ALL_OCTETS_MAX;
        behind <= alone_max(reading) && (!is_over || behind + octets <= SHARE_OCTETS)
    }

    /// How few octets a reader must hold to be given what it missed, and how many rows of that at once.
    pub(crate) fn missed(&self, reading: Reading) -> (usize, usize) {
        match self.is_much() {
            true => (caught_up(reading).min(SHARE_OCTETS / CAUGHT_UP), MISSED_ROWS_FEW),
            false => (caught_up(reading), MISSED_ROWS),
        }
    }
}

/// How many octets a reader may hold while others hold little.
const fn alone_max(reading: Reading) -> usize {
    match reading {
        Reading::All => BEHIND_OCTETS_ALL,
        Reading::Best | Reading::Each => BEHIND_OCTETS_MAX,
    }
}

/// How few octets a reader must hold then to be given what it missed.
pub(crate) const fn caught_up(reading: Reading) -> usize {
    alone_max(reading) / CAUGHT_UP
}

impl Drop for Held {
    fn drop(&mut self) {
        self.passing.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::TableId;

    fn batch(seq: u64) -> Arc<ChangeBatch> {
        Arc::new(ChangeBatch {
            table: TableId(1),
            seq,
            palette: Vec::new(),
            hops: Vec::new(),
            sources: Vec::new(),
            channels: Vec::new(),
            rows: Vec::new(),
            paths: Vec::new(),
            each: Vec::new(),
        })
    }

    #[test]
    fn a_reader_may_be_far_behind_while_others_are_not_and_has_its_share_when_all_are() {
        let passing = Passing::default();
        let (mut one, mut other) = (Held::new(passing.clone()), Held::new(passing.clone()));
        let (first, second) = (batch(1), batch(2));
        one.add(&first, ALL_OCTETS_MAX, true);
        assert!(one.oldest() == Some(1) && one.takes(Reading::Best, BEHIND_OCTETS_MAX, 0), "just as much as may be");
        other.add(&second, 1, false);
        assert_eq!(other.oldest(), None);
        for held in [&one, &other] {
            assert!(held.takes(Reading::Best, 1, SHARE_OCTETS - 1) && !held.takes(Reading::Best, 1, SHARE_OCTETS));
        }
        drop(first);
        assert!(!other.takes(Reading::Best, SHARE_OCTETS, 1), "nobody has looked");
        one.look();
        assert_eq!((one.oldest(), one.by_subscribers()), (None, 0));
        assert!(
            other.takes(Reading::Best, BEHIND_OCTETS_MAX, 1) && !other.takes(Reading::Best, BEHIND_OCTETS_MAX + 1, 1)
        );
        drop(other);
        assert_eq!(passing.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_goes_out_of_order_is_seen_when_there_is_much() {
        let mut held = Held::new(Passing::default());
        let (first, second) = (batch(1), batch(2));
        held.add(&first, 1, true);
        held.add(&second, 2 * caught_up(Reading::Best), true);
        drop(second);
        held.look();
        assert_eq!((held.oldest(), held.by_subscribers()), (Some(1), 1));
        let behind = BEHIND_OCTETS_ALL + 1;
        assert!(held.takes(Reading::Each, behind, 1) && !held.takes(Reading::All, behind, 1));
    }
}
