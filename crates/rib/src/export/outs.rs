//! The attribute sets that a group sends, numbered.
//!
//! A number lives while a row of what was told names it, and for the batch in
//! which it was made. Numbers are given again.
//!
//! What was told is compared, never said again: a row that must be said again is
//! judged again. So a set itself is kept only for the batch that uses it. After
//! that 20 octets are left: its hash, seeded and of 64 bits, by which it is known
//! when it comes again, and its next hop, which says who does not hear it. Kept
//! whole, the sets of a full table would be a fifth of the daemon. Two sets of one
//! batch are never taken for each other; a set and another one of an earlier batch
//! are with a chance of one in 2^64, and only where a prefix goes from the one to
//! the other is that an UPDATE too few (ADR 0005).

use super::advance::Audience;
use crate::chunks::Chunks;
use crate::index::Index;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use route::AttrSet;
use std::net::IpAddr;

/// The number of an attribute set that a group sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OutId(pub(super) u32);

impl OutId {
    /// Something was told, and nobody wrote down what.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);
}

/// The number of a next hop; it means something for the running batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct HopId(u32);

/// No next hop, not in use now.
const NONE: u32 = u32::MAX;

/// What is kept of a set.
#[derive(Clone, Copy, Debug)]
struct Out {
    /// Both halves: a number of 64 bits would be aligned to its size.
    hash: [u32; 2],
    /// Rows that name it.
    rows: u32,
    /// The number of its next hop, or [`NONE`].
    hop: u32,
    /// Its place among those of the running batch, or [`NONE`].
    live: u32,
}

const fn halves(hash: u64) -> [u32; 2] {
    [(hash >> 32) as u32, hash as u32]
}

const fn whole([high, low]: [u32; 2]) -> u64 {
    (high as u64) << 32 | low as u64
}

/// A set while a batch uses it.
#[derive(Debug)]
struct Live {
    id: OutId,
    /// `None`: only a row that named it has gone.
    attrs: Option<AttrSet>,
    /// The bucket that was used last, so most rows find theirs without a search.
    bucket: Option<(Audience, u32)>,
}

/// All sets that a group sends.
#[derive(Debug, Default)]
pub(super) struct Outs {
    all: Chunks<Out>,
    free: Vec<u32>,
    index: Index,
    /// Those of the running batch.
    live: Vec<Live>,
    hops: NextHops,
}

impl Outs {
    /// The number of a set, which is known whole until the batch is over.
    pub(super) fn intern(&mut self, attrs: AttrSet) -> OutId {
        let hash = attrs.hash_value();
        let Self { all, live, index, .. } = self;
        let is_it = |n: &u32| {
            let out = &all[*n];
            let known = live.get(out.live as usize).and_then(|l| l.attrs.as_ref());
            out.hash == halves(hash) && known.is_none_or(|known| *known == attrs)
        };
        let n = index.find(hash, is_it).unwrap_or_else(|| self.add(&attrs));
        let place = self.enliven(n);
        if let Some(live) = self.live.get_mut(place) {
            live.attrs.get_or_insert(attrs);
        }
        OutId(n)
    }

    fn add(&mut self, attrs: &AttrSet) -> u32 {
        let hash = attrs.hash_value();
        let hop = attrs.next_hop().map_or(NONE, |(addr, _)| self.hops.hold(addr));
        let out = Out { hash: halves(hash), rows: 0, hop, live: NONE };
        let Self { all, free, index, .. } = self;
        let n = match free.pop() {
            Some(n) => {
                all[n] = out;
                n
            }
            None => all.push(out),
        };
        index.insert(hash, n);
        n
    }

    /// The place of a set among those of the running batch.
    fn enliven(&mut self, n: u32) -> usize {
        let out = &mut self.all[n];
        if out.live == NONE {
            out.live = self.live.len() as u32;
            self.live.push(Live { id: OutId(n), attrs: None, bucket: None });
        }
        out.live as usize
    }

    fn live(&self, id: OutId) -> Option<&Live> {
        self.live.get(self.all.get(id.0)?.live as usize)
    }

    /// The set of a number that was interned in the running batch.
    pub(super) fn attrs(&self, id: OutId) -> Option<&AttrSet> {
        self.live(id)?.attrs.as_ref()
    }

    /// Its next hop.
    pub(super) fn next_hop(&self, id: OutId) -> Option<IpAddr> {
        self.hops.get(self.all.get(id.0)?.hop)
    }

    /// The number of its next hop.
    pub(super) fn hop(&self, id: OutId) -> HopId {
        HopId(self.all.get(id.0).map_or(NONE, |out| out.hop))
    }

    /// One more row names the set.
    pub(super) fn hold(&mut self, id: OutId) {
        if id != OutId::UNKNOWN {
            self.all[id.0].rows += 1;
        }
    }

    /// One row less names the set.
    pub(super) fn release(&mut self, id: OutId) {
        if id == OutId::UNKNOWN {
            return;
        }
        let out = &mut self.all[id.0];
        out.rows = out.rows.saturating_sub(1);
        if out.rows == 0 {
            self.enliven(id.0);
        }
    }

    /// The bucket that a row with this set used last in the running batch.
    pub(super) fn bucket(&self, id: OutId, audience: Audience) -> Option<u32> {
        let (a, bucket) = self.live(id)?.bucket?;
        (a == audience).then_some(bucket)
    }

    pub(super) fn set_bucket(&mut self, id: OutId, audience: Audience, bucket: u32) {
        let place = self.all.get(id.0).map_or(NONE, |out| out.live);
        if let Some(live) = self.live.get_mut(place as usize) {
            live.bucket = Some((audience, bucket));
        }
    }

    /// Exchanges the room for what a batch uses; between batches nothing is in it.
    pub(super) const fn lend(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.live, &mut other.live);
    }

    /// The batch is over: forgets what its sets were, and drops those that no row names.
    pub(super) fn sweep(&mut self) {
        let Self { all, free, index, live, hops } = self;
        for Live { id: OutId(n), .. } in live.drain(..) {
            let out = &mut all[n];
            out.live = NONE;
            if out.rows > 0 {
                continue;
            }
            let Out { hash, hop, .. } = *out;
            hops.release(hop);
            index.remove(whole(hash), n);
            free.push(n);
        }
        // One page of a feed may have as many sets as prefixes; other batches have few.
        live.shrink_to(LIVE_KEPT);
        if let Some(len) = all.shorter(free.len(), |out| out.rows == 0) {
            free.retain(|n| (*n as usize) < len);
            free.shrink_to_fit();
            all.truncate(len);
        }
    }
}

/// Places for sets of a batch that are kept for the next one.
const LIVE_KEPT: usize = 4096;

/// The next hops of sets, by number: few, mostly one.
#[derive(Debug, Default)]
struct NextHops {
    all: Vec<(IpAddr, u32)>,
    free: Vec<u32>,
    numbers: HashMap<IpAddr, u32, RandomState>,
}

impl NextHops {
    /// The number of an address, with one use more.
    fn hold(&mut self, addr: IpAddr) -> u32 {
        let Self { all, free, numbers } = self;
        let n = *numbers.entry(addr).or_insert_with(|| {
            free.pop().unwrap_or_else(|| {
                all.push((addr, 0));
                all.len() as u32 - 1
            })
        });
        if let Some((known, uses)) = all.get_mut(n as usize) {
            *known = addr;
            *uses += 1;
        }
        n
    }

    fn get(&self, n: u32) -> Option<IpAddr> {
        self.all.get(n as usize).map(|(addr, _)| *addr)
    }

    /// One use less.
    fn release(&mut self, n: u32) {
        let Some((addr, uses)) = self.all.get_mut(n as usize) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.numbers.remove(addr);
            self.free.push(n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::attrs::Local;
    use route::{AttrSetBuilder, Dest, SourceKind, attr::code};

    fn set(med: u32) -> AttrSet {
        let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 0, Dest::Unreachable));
        b.set_u32(code::MED, med);
        b.build()
    }

    #[test]
    fn a_number_lives_while_a_row_names_it_and_is_then_given_again() {
        let mut outs = Outs::default();
        let (a, b) = (outs.intern(set(1)), outs.intern(set(2)));
        assert_eq!(outs.intern(set(1)), a);
        assert_eq!((outs.attrs(a), outs.attrs(b)), (Some(&set(1)), Some(&set(2))));
        outs.hold(a);
        outs.sweep();
        assert_eq!((outs.attrs(a), outs.attrs(b)), (None, None));
        assert_eq!(outs.intern(set(3)), b);
        outs.release(a);
        outs.sweep();
        assert_eq!(outs.index.find(set(1).hash_value(), |_| true), None);
    }
    #[test]
    fn a_set_that_is_no_longer_known_whole_is_known_again_with_its_next_hop() {
        let via = |last| {
            let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 0, Dest::Unreachable));
            b.set(code::NEXT_HOP, &[192, 0, 2, last]);
            b.build()
        };
        let mut outs = Outs::default();
        let told = [1, 2].map(|last| outs.intern(via(last)));
        told.iter().for_each(|id| outs.hold(*id));
        outs.sweep();
        assert_eq!([1, 2].map(|last| outs.intern(via(last))), told);
        assert_eq!(told.map(|id| outs.next_hop(id)), ["192.0.2.1", "192.0.2.2"].map(|a| a.parse().ok()));
        outs.release(told[0]);
        outs.sweep();
        assert_eq!((outs.hops.numbers.len(), outs.intern(via(3))), (1, told[0]));
        assert_eq!(outs.next_hop(told[0]), "192.0.2.3".parse().ok());
    }

    #[test]
    fn what_is_kept_of_a_set_is_20_octets() {
        assert_eq!(size_of::<Out>(), 20);
    }
}
