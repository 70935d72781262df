//! Who of a group does not hear which routes: nobody is told its own routes, nor routes whose next hop it is.
//!
//! A set of such members has a number, so that rows compare by it and runs are
//! folded by it. Which set belongs to a route depends on the protocol that gave
//! it and on its next hop; both are few, so the answer is found once for each pair
//! in a batch.

use super::group::Slot;
use super::outs::HopId;
use super::told::Entry;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use route::ProtocolId;
use std::net::IpAddr;

/// A set of members that do not hear a route: a number in [`Deafness`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Deaf(u32);

impl Deaf {
    pub(super) const NOBODY: Self = Self(0);
}

/// A route for the neighbours, and who of them does not hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) entry: Entry,
    pub(super) deaf: Deaf,
}

/// A set of members and whether one of them is there for being the next hop, of which a line is said.
type Set = (Vec<Slot>, bool);

/// What decides who does not hear a route.
type Reasons = (Option<ProtocolId>, HopId);

/// All such sets of a group.
#[derive(Debug)]
pub(super) struct Deafness {
    by_protocol: HashMap<ProtocolId, Vec<Slot>>,
    by_addr: HashMap<IpAddr, Vec<Slot>>,
    sets: Vec<Set>,
    numbers: HashMap<Set, Deaf>,
    /// Found in the running batch.
    found: HashMap<Reasons, Deaf, RandomState>,
    last: Option<(Reasons, Deaf)>,
}

impl Default for Deafness {
    fn default() -> Self {
        Self {
            by_protocol: HashMap::new(),
            by_addr: HashMap::new(),
            sets: vec![(Vec::new(), false)],
            numbers: HashMap::new(),
            found: HashMap::default(),
            last: None,
        }
    }
}

impl Deafness {
    /// A member has come.
    pub(super) fn join(&mut self, slot: Slot, protocol: ProtocolId, addr: IpAddr) {
        self.by_protocol.entry(protocol).or_default().push(slot);
        self.by_addr.entry(addr).or_default().push(slot);
        self.forget();
    }

    /// A member has gone.
    pub(super) fn leave(&mut self, slot: Slot) {
        for slots in self.by_protocol.values_mut().chain(self.by_addr.values_mut()) {
            slots.retain(|s| *s != slot);
        }
        self.by_protocol.retain(|_, s| !s.is_empty());
        self.by_addr.retain(|_, s| !s.is_empty());
        self.forget();
    }

    fn forget(&mut self) {
        self.sets.truncate(1);
        self.numbers.clear();
        self.begin();
    }

    /// A batch begins: next hops may have other numbers.
    pub(super) fn begin(&mut self) {
        self.found.clear();
        self.last = None;
    }

    /// Who does not hear a route: the protocol that gave it, and whoever is its next hop.
    pub(super) fn of(
        &mut self,
        protocol: Option<ProtocolId>,
        hop: HopId,
        addr: impl FnOnce() -> Option<IpAddr>,
    ) -> Deaf {
        let reasons = (protocol, hop);
        match self.last {
            Some((last, deaf)) if last == reasons => return deaf,
            _ => {}
        }
        let deaf = match self.found.get(&reasons) {
            Some(deaf) => *deaf,
            None => {
                let deaf = self.find(protocol, addr());
                self.found.insert(reasons, deaf);
                deaf
            }
        };
        self.last = Some((reasons, deaf));
        deaf
    }

    fn find(&mut self, protocol: Option<ProtocolId>, addr: Option<IpAddr>) -> Deaf {
        let slots = |of: Option<&Vec<Slot>>| of.cloned().unwrap_or_default();
        let givers = slots(protocol.and_then(|p| self.by_protocol.get(&p)));
        let mut hops = slots(addr.and_then(|a| self.by_addr.get(&a)));
        hops.retain(|s| !givers.contains(s));
        if givers.is_empty() && hops.is_empty() {
            return Deaf::NOBODY;
        }
        let is_said = !hops.is_empty();
        let mut all = givers;
        all.append(&mut hops);
        all.sort_unstable();
        let set = (all, is_said);
        let next = Deaf(self.sets.len() as u32);
        let deaf = *self.numbers.entry(set.clone()).or_insert(next);
        if deaf == next {
            self.sets.push(set);
        }
        deaf
    }

    /// The members of a set, in order.
    pub(super) fn slots(&self, deaf: Deaf) -> &[Slot] {
        self.sets.get(deaf.0 as usize).map_or(&[], |(slots, _)| slots)
    }

    /// Whether one of them is there for being the next hop.
    pub(super) fn is_said(&self, deaf: Deaf) -> bool {
        self.sets.get(deaf.0 as usize).is_some_and(|(_, said)| *said)
    }

    /// Whether a member is in a set.
    pub(super) fn has(&self, deaf: Deaf, slot: Slot) -> bool {
        deaf != Deaf::NOBODY && self.slots(deaf).contains(&slot)
    }
}
