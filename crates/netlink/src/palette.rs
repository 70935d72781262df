//! Distinct routes, each once, by number.
//!
//! A kernel table of half a million prefixes has a handful of distinct
//! destinations; whoever remembers routes of prefixes remembers four octets.
//! Numbers are counted and given again when nobody holds them.

use crate::KernelRoute;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;
use std::num::NonZeroU32;

/// The number of a route in its [`Palette`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(NonZeroU32);

impl RouteId {
    const fn new(slot: usize) -> Self {
        // 2^32 distinct routes do not fit into memory.
        Self(NonZeroU32::MIN.saturating_add(slot as u32))
    }

    const fn slot(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[derive(Debug)]
struct Slot {
    route: KernelRoute,
    holders: u32,
}

/// Distinct routes, counted.
#[derive(Debug, Default)]
pub struct Palette {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// Held last; the next one is nearly always the same.
    last: Option<RouteId>,
}

impl Palette {
    /// The route of a number that somebody holds.
    pub fn get(&self, id: RouteId) -> Option<&KernelRoute> {
        Some(&self.slots.get(id.slot())?.as_ref()?.route)
    }

    /// The routes that somebody holds.
    pub fn iter(&self) -> impl Iterator<Item = &KernelRoute> {
        self.slots.iter().flatten().map(|s| &s.route)
    }

    /// The number of a route, held once more.
    pub(crate) fn hold(&mut self, route: &KernelRoute) -> RouteId {
        let id = match self.last.filter(|id| self.get(*id) == Some(route)) {
            Some(id) => {
                self.again(id);
                id
            }
            None => self.look_up(route),
        };
        self.last = Some(id);
        id
    }

    fn look_up(&mut self, route: &KernelRoute) -> RouteId {
        let hash = self.hasher.hash_one(route);
        let slots = &self.slots;
        let found = self.index.find(hash, |i| is(slots, *i, route)).copied();
        if let Some(at) = found {
            let id = RouteId::new(at as usize);
            self.again(id);
            return id;
        }
        let slot = Some(Slot { route: route.clone(), holders: 1 });
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.slots.push(None);
                self.slots.len() as u32 - 1
            }
        };
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = slot;
        }
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |i: &u32| slots.get(*i as usize).and_then(Option::as_ref).map_or(0, |s| hasher.hash_one(&s.route));
        self.index.insert_unique(hash, at, rehash);
        RouteId::new(at as usize)
    }

    /// One holder more.
    pub(crate) fn again(&mut self, id: RouteId) {
        if let Some(Some(slot)) = self.slots.get_mut(id.slot()) {
            slot.holders += 1;
        }
    }

    /// One holder less; the number is free when there is none.
    pub(crate) fn release(&mut self, id: RouteId) {
        let Some(place) = self.slots.get_mut(id.slot()) else {
            return;
        };
        let Some(slot) = place else { return };
        slot.holders -= 1;
        if slot.holders > 0 {
            return;
        }
        let hash = self.hasher.hash_one(&slot.route);
        *place = None;
        if let Ok(entry) = self.index.find_entry(hash, |i| *i as usize == id.slot()) {
            entry.remove();
        }
        self.free.push(id.slot() as u32);
    }

    /// How many distinct routes are held.
    pub fn count(&self) -> usize {
        self.index.len()
    }
}

fn is(slots: &[Option<Slot>], at: u32, route: &KernelRoute) -> bool {
    slots.get(at as usize).and_then(Option::as_ref).is_some_and(|s| s.route == *route)
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::Resolved;

    #[test]
    fn a_number_is_given_again_only_when_nobody_holds_it() {
        let (a, b) = (KernelRoute::new(Resolved::Blackhole), KernelRoute::new(Resolved::Prohibit));
        let mut p = Palette::default();
        let first = p.hold(&a);
        assert_eq!(p.hold(&a), first);
        p.release(first);
        assert_ne!(p.hold(&b), first);
        p.release(first);
        assert_eq!(p.get(first), None);
        assert_eq!(p.hold(&KernelRoute::new(Resolved::Unreachable)), first);
        assert_eq!(p.count(), 2);
    }
}
