//! Attribute sets of a table: each once, by number, with what the decision reads beside it.
//!
//! A set comes with its hash (`AttrSet::hash_value`), so finding it touches the
//! index, one [`AttrSet`] pointer and, when the allocations differ, the octets.
//! Nobody interns a second time. The [`Facts`] are read once, when a set gets its
//! number, and lie densely: comparing two paths never parses octets.
//!
//! Uses are counted per path, here, by plain numbers: the set itself is shared
//! with the journal by reference counts, one per batch.

use crate::batch::ResolvedHop;
use crate::chunks::Chunks;
use crate::index::Index;
use crate::nexthop::{HopId, Hops};
use crate::path::AttrsId;
use route::aigp;
use route::attr::code;
use route::community::{LLGR_STALE, NO_LLGR, communities};
use route::{AsPath, AttrSet};

/// What the decision reads of an attribute set. What is absent is `None` in the getters of `decision`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// `preference`.
    pub(crate) preference: u32,
    local_pref: u32,
    med: u32,
    neighbor_as: u32,
    originator_id: u32,
    /// Its next hop.
    pub(crate) hop: HopId,
    path_length: u16,
    /// Entries of CLUSTER_LIST; 0 when absent.
    pub(crate) cluster_length: u16,
    /// ORIGIN; INCOMPLETE when absent.
    pub(crate) origin: u8,
    has: u8,
    uses: u32,
}

const HAS_LOCAL_PREF: u8 = 1;
const HAS_MED: u8 = 2;
const HAS_NEIGHBOR: u8 = 4;
const HAS_ORIGINATOR: u8 = 8;
const HAS_PATH: u8 = 16;
const HAS_LLGR_STALE: u8 = 32;
const HAS_NO_LLGR: u8 = 64;
const HAS_AIGP: u8 = 128;

impl Facts {
    pub(crate) fn of(set: &AttrSet, hop: HopId) -> Self {
        let mut facts = Self {
            preference: set.local().preference,
            local_pref: 0,
            med: 0,
            neighbor_as: 0,
            originator_id: 0,
            hop,
            path_length: 0,
            cluster_length: 0,
            origin: route::attr::origin::INCOMPLETE,
            has: 0,
            uses: 0,
        };
        for record in set.iter() {
            facts.read(record.code, record.value);
        }
        facts
    }

    fn read(&mut self, code: u8, value: &[u8]) {
        let number = || value.first_chunk().map(|v| u32::from_be_bytes(*v));
        let (place, bit, number) = match code {
            code::ORIGIN => {
                self.origin = value.first().copied().unwrap_or(self.origin);
                return;
            }
            code::AS_PATH => {
                let path = AsPath::new(value);
                self.path_length = path.hop_count().min(u32::from(u16::MAX)) as u16;
                self.has |= HAS_PATH;
                (&mut self.neighbor_as, HAS_NEIGHBOR, path.neighbor())
            }
            code::MED => (&mut self.med, HAS_MED, number()),
            code::LOCAL_PREF => (&mut self.local_pref, HAS_LOCAL_PREF, number()),
            code::ORIGINATOR_ID => (&mut self.originator_id, HAS_ORIGINATOR, number()),
            code::CLUSTER_LIST => {
                self.cluster_length = (value.len() / 4).min(usize::from(u16::MAX)) as u16;
                return;
            }
            code::AIGP => {
                self.has |= HAS_AIGP;
                return;
            }
            code::COMMUNITY => {
                for community in communities(value) {
                    self.has |= if community == LLGR_STALE { HAS_LLGR_STALE } else { 0 };
                    self.has |= if community == NO_LLGR { HAS_NO_LLGR } else { 0 };
                }
                return;
            }
            _ => return,
        };
        if let Some(number) = number {
            *place = number;
            self.has |= bit;
        }
    }

    const fn when(self, bit: u8, value: u32) -> Option<u32> {
        if self.has & bit != 0 { Some(value) } else { None }
    }

    /// LOCAL_PREF.
    pub(crate) const fn local_pref(self) -> Option<u32> {
        self.when(HAS_LOCAL_PREF, self.local_pref)
    }

    /// MULTI_EXIT_DISC.
    pub(crate) const fn med(self) -> Option<u32> {
        self.when(HAS_MED, self.med)
    }

    /// The first AS of AS_PATH outside our confederation; `None` where there is none, or a set is first.
    pub(crate) const fn neighbor_as(self) -> Option<u32> {
        self.when(HAS_NEIGHBOR, self.neighbor_as)
    }

    /// ORIGINATOR_ID.
    pub(crate) const fn originator_id(self) -> Option<u32> {
        self.when(HAS_ORIGINATOR, self.originator_id)
    }

    /// AS_PATH in hops.
    pub(crate) const fn path_length(self) -> Option<u32> {
        self.when(HAS_PATH, self.path_length as u32)
    }

    /// Carries an accumulated metric, which is rare: it is read from the set.
    pub(crate) const fn has_aigp(&self) -> bool {
        self.has & HAS_AIGP != 0
    }

    /// Carries LLGR_STALE.
    pub(crate) const fn is_llgr_stale(self) -> bool {
        self.has & HAS_LLGR_STALE != 0
    }

    /// Carries NO_LLGR.
    pub(crate) const fn is_no_llgr(self) -> bool {
        self.has & HAS_NO_LLGR != 0
    }
}

/// All attribute sets that a table's paths use.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    sets: Chunks<Option<AttrSet>>,
    facts: Chunks<Facts>,
    index: Index,
    free: Vec<AttrsId>,
    octets: usize,
}

impl Sets {
    /// Asks memory for what interning these sets will read.
    pub(crate) fn fetch(&self, sets: &[AttrSet]) {
        sets.iter().for_each(|set| self.index.fetch(set.hash_value()));
    }

    /// The number of a set, with one use more. A new set makes its next hop known to `hops`, unresolved yet.
    pub(crate) fn intern(&mut self, set: &AttrSet, hops: &mut Hops) -> AttrsId {
        let Self { sets, facts, index, free, octets } = self;
        let fresh = free.last().map_or(sets.len() as u32, |id| id.0);
        let is = |n: &u32| sets[*n].as_ref() == Some(set);
        let (id, is_new) = index.find_or_insert(set.hash_value(), fresh, is);
        if !is_new {
            facts[id].uses += 1;
            return AttrsId(id);
        }
        let mut read = Facts::of(set, hops.intern(&set.local().dest));
        read.uses = 1;
        match free.pop() {
            Some(AttrsId(id)) => {
                sets[id] = Some(set.clone());
                facts[id] = read;
            }
            None => {
                facts.push(read);
                sets.push(Some(set.clone()));
            }
        }
        *octets += weight(set);
        AttrsId(id)
    }

    /// One use more. Returns the next hop.
    #[inline]
    pub(crate) fn hold(&mut self, id: AttrsId) -> HopId {
        let facts = &mut self.facts[id.0];
        facts.uses += 1;
        facts.hop
    }

    /// One use less; the last one gives the number back.
    #[inline]
    pub(crate) fn drop(&mut self, id: AttrsId, hops: &mut Hops) {
        let facts = &mut self.facts[id.0];
        facts.uses -= 1;
        if facts.uses == 0 {
            hops.drop(facts.hop);
            self.forget(id);
        }
    }

    fn forget(&mut self, id: AttrsId) {
        let Self { sets, index, .. } = self;
        if let Some(set) = sets[id.0].take() {
            index.remove(set.hash_value(), id.0);
            self.octets -= weight(&set);
        }
        self.free.push(id);
    }

    /// Leaves out the numbers at the end that are free, when most are. Whether it did.
    pub(crate) fn shrink(&mut self) -> bool {
        let Some(len) = self.sets.shorter(self.free.len(), Option::is_none) else { return false };
        self.free.retain(|id| (id.0 as usize) < len);
        self.free.shrink_to_fit();
        self.sets.truncate(len);
        self.facts.truncate(len);
        true
    }

    /// The set of a number in use.
    pub(crate) fn set(&self, id: AttrsId) -> Option<&AttrSet> {
        self.sets.get(id.0)?.as_ref()
    }

    /// The facts of a number in use.
    pub(crate) fn facts(&self, id: AttrsId) -> &Facts {
        &self.facts[id.0]
    }

    /// What a path with this set and next hop costs (RFC 7311); [`aigp::METRIC_MAX`] where it does not say.
    ///
    /// `facts` are those of the set: whoever asks has them, and nearly always they say that there is no metric.
    pub(crate) fn total_metric(&self, id: AttrsId, facts: &Facts, hop: &ResolvedHop) -> u64 {
        if facts.has_aigp() { self.carried_metric(id, hop) } else { aigp::METRIC_MAX }
    }

    #[cold]
    fn carried_metric(&self, id: AttrsId, hop: &ResolvedHop) -> u64 {
        let metric = self.set(id).and_then(|set| aigp::metric(set.get(code::AIGP)?));
        metric.map_or(aigp::METRIC_MAX, |metric| aigp::total(metric, hop.distance()))
    }

    /// How many sets there are.
    pub(crate) fn len(&self) -> usize {
        self.sets.len() - self.free.len()
    }

    /// Octets in use, those of the sets included.
    pub(crate) fn octets(&self) -> usize {
        self.octets + self.sets.octets() + self.facts.octets() + self.index.octets()
    }
}

/// Octets of a set: what peers sent, and its header. The local part is shared by many.
fn weight(set: &AttrSet) -> usize {
    AttrSet::HEAD_OCTETS + set.octets().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::attrs::Local;
    use route::{AttrSetBuilder, Dest, SourceKind};

    fn set(med: u32) -> AttrSet {
        let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Blackhole));
        b.set_u32(code::MED, med);
        b.set(code::AS_PATH, &[2, 2, 0, 0, 0, 9, 0, 0, 0, 8]);
        b.set(code::COMMUNITY, &LLGR_STALE.0.to_be_bytes());
        b.build()
    }

    #[test]
    fn equal_sets_get_one_number_and_it_is_free_after_the_last_use() {
        let (mut sets, mut hops) = (Sets::default(), Hops::default());
        let a = sets.intern(&set(1), &mut hops);
        let b = sets.intern(&set(2), &mut hops);
        assert_ne!(a, b);
        assert_eq!(sets.intern(&set(1), &mut hops), a);
        sets.drop(a, &mut hops);
        assert_eq!((sets.len(), hops.len()), (2, 1));
        sets.drop(a, &mut hops);
        sets.drop(b, &mut hops);
        assert_eq!((sets.len(), hops.len(), sets.octets), (0, 0, 0));
        assert_eq!(sets.set(a), None);
        assert_eq!(sets.intern(&set(3), &mut hops), b);
    }

    #[test]
    fn the_decision_reads_what_the_octets_say() {
        let (mut sets, mut hops) = (Sets::default(), Hops::default());
        let id = sets.intern(&set(7), &mut hops);
        let facts = *sets.facts(id);
        assert_eq!((facts.med(), facts.local_pref()), (Some(7), None));
        assert_eq!((facts.path_length(), facts.neighbor_as()), (Some(2), Some(9)));
        assert_eq!((facts.origin, facts.is_llgr_stale(), facts.is_no_llgr()), (2, true, false));
    }
}
