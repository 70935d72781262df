//! What is known of each prefix, one beside the other, and the three ways to find it.
//!
//! By its spot, at once: whoever has looked for a prefix keeps the spot for as
//! long as it speaks of it. By the number that the prefix has in a table of ours,
//! nearly at once: where it was found last, looked at again, since numbers are
//! given anew. By the prefix itself, through an index of hashes, when a dump of
//! the kernel shows it or a number is new.

use crate::palette::RouteId;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use route::Prefix;
use std::hash::BuildHasher;

/// Where the entry of a prefix is; good until the next prefix is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot(u32);

impl Spot {
    /// Nowhere.
    pub const NONE: Self = Self(u32::MAX);
}

/// A prefix.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub net: Prefix,
    pub wanted: Option<RouteId>,
    pub present: Option<RouteId>,
    /// The running scan has seen a route of ours.
    pub seen: bool,
    /// The running scan has seen another program's route with the metric that we want.
    pub contested_now: bool,
    /// The last whole scan had.
    pub contested: bool,
    /// It waits in the queue.
    pub queued: bool,
    /// The last request for it failed: until the next scan nothing is added.
    pub failed: bool,
    /// Installed by us since the last scan: the next one shows in which form.
    pub fresh: bool,
    /// The place is free.
    forgotten: bool,
}

impl Entry {
    const fn new(net: Prefix) -> Self {
        Self {
            net,
            wanted: None,
            present: None,
            seen: false,
            contested_now: false,
            contested: false,
            queued: false,
            failed: false,
            fresh: false,
            forgotten: false,
        }
    }

    /// Nothing is wanted or there, and nobody will ask for it.
    pub const fn is_idle(&self) -> bool {
        self.wanted.is_none() && self.present.is_none() && !self.queued
    }
}

/// See the head of the module.
#[derive(Debug, Default)]
pub struct Entries {
    all: Vec<Entry>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// The spot of a prefix by its number in a table of ours, or where it once was.
    numbered: Vec<Spot>,
}

impl Entries {
    /// How many prefixes there are.
    pub fn count(&self) -> usize {
        self.index.len()
    }

    /// The entry at a spot.
    pub fn at(&mut self, spot: Spot) -> Option<&mut Entry> {
        self.all.get_mut(spot.0 as usize).filter(|e| !e.forgotten)
    }

    /// The entry at a spot, to read.
    pub fn look(&self, spot: Spot) -> Option<&Entry> {
        self.all.get(spot.0 as usize).filter(|e| !e.forgotten)
    }

    /// All of them.
    pub fn spots(&self) -> impl Iterator<Item = Spot> + use<> {
        (0..self.all.len() as u32).map(Spot)
    }

    /// The spot of a prefix that is known.
    pub fn find(&self, net: &Prefix) -> Option<Spot> {
        let is = |at: &u32| self.all.get(*at as usize).is_some_and(|e| e.net == *net);
        self.index.find(hash(&self.hasher, net), is).copied().map(Spot)
    }

    /// The entry of a prefix that is known.
    pub fn known(&mut self, net: &Prefix) -> Option<&mut Entry> {
        let spot = self.find(net)?;
        self.at(spot)
    }

    /// The spot of a prefix, known or new.
    pub fn spot(&mut self, net: Prefix) -> Spot {
        let Self { all, free, index, hasher, .. } = self;
        let hashed = hash(hasher, &net);
        if let Some(at) = index.find(hashed, |at| all.get(*at as usize).is_some_and(|e| e.net == net)) {
            return Spot(*at);
        }
        let at = free.pop().unwrap_or(all.len() as u32);
        match all.get_mut(at as usize) {
            Some(place) => *place = Entry::new(net),
            None => all.push(Entry::new(net)),
        }
        index.insert_unique(hashed, at, |at| all.get(*at as usize).map_or(0, |e| hash(hasher, &e.net)));
        Spot(at)
    }

    /// The same for a prefix with this number, which is one of few more than there are prefixes.
    pub fn spot_numbered(&mut self, net: Prefix, number: u32) -> Spot {
        let number = number as usize;
        if let Some(spot) = self.numbered.get(number)
            && self.look(*spot).is_some_and(|e| e.net == net)
        {
            return *spot;
        }
        let spot = self.spot(net);
        if self.numbered.len() <= number {
            self.numbered.resize(number + 1, Spot::NONE);
        }
        if let Some(place) = self.numbered.get_mut(number) {
            *place = spot;
        }
        spot
    }

    /// Forgets a prefix. With the last one goes the memory.
    pub fn forget(&mut self, spot: Spot) {
        let Some(entry) = self.all.get_mut(spot.0 as usize).filter(|e| !e.forgotten) else { return };
        entry.forgotten = true;
        if let Ok(found) = self.index.find_entry(hash(&self.hasher, &entry.net), |at| *at == spot.0) {
            found.remove();
        }
        self.free.push(spot.0);
        if self.index.is_empty() {
            *self = Self::default();
        }
    }
}

/// A prefix as one number is hashed in a third of the time that its fields take.
fn hash(hasher: &RandomState, net: &Prefix) -> u64 {
    match net {
        Prefix::V4(p) => hasher.hash_one(u64::from(p.addr) << 8 | u64::from(p.len)),
        Prefix::V6(p) => hasher.hash_one(u128::from_be_bytes(p.addr) ^ u128::from(p.len)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(n: u8) -> Prefix {
        format!("20.0.{n}.0/24").parse().unwrap()
    }

    #[test]
    fn a_number_that_was_given_anew_leads_to_its_new_prefix() {
        let mut entries = Entries::default();
        let first = entries.spot_numbered(net(1), 7);
        assert_eq!(entries.spot_numbered(net(1), 7), first);
        let other = entries.spot_numbered(net(2), 7);
        assert_ne!(other, first);
        assert_eq!((entries.find(&net(1)), entries.find(&net(2))), (Some(first), Some(other)));
        assert_eq!(entries.spot_numbered(net(1), 9), first);
    }

    #[test]
    fn a_prefix_that_is_forgotten_is_found_no_more_and_its_place_is_given_again() {
        let mut entries = Entries::default();
        let first = entries.spot_numbered(net(1), 0);
        entries.spot_numbered(net(2), 1);
        entries.forget(first);
        assert!(entries.find(&net(1)).is_none() && entries.at(first).is_none());
        assert_eq!(entries.spot(net(3)), first);
        assert_ne!(entries.spot_numbered(net(1), 0), first);
        assert_eq!(entries.count(), 3);
        for n in 1..4 {
            let spot = entries.find(&net(n)).unwrap();
            entries.forget(spot);
        }
        assert_eq!((entries.count(), entries.spots().count()), (0, 0));
    }
}
