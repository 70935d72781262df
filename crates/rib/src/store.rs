//! Where prefixes stand: rows by dense number, and an index from prefix to number.
//!
//! A net row is the address, the first path inline, and the name of the slab
//! entry that holds the others: 24 octets for IPv4, 28 for IPv6. Of an address of
//! IPv6 the row holds the first half; the second is nought for nearly all prefixes,
//! and stands elsewhere where it is not (`halves`). The prefix
//! length stands in the spare octet of the first path. The index holds numbers
//! with half of the hash beside each (the key is in the row, and a wrong row is
//! hardly ever looked at), in shards, so growing never stops the owner for long
//! (`index`). Hashes are seeded: peers choose prefixes.
//!
//! A number stays bound to its prefix until every reader has heard that the
//! prefix is gone (`journal`), so an empty row keeps its key and its place in
//! the index; a prefix that comes back before takes its old number.

use crate::ahead;
use crate::batch::{ImportRow, NetId};
use crate::chunks::Chunks;
use crate::halves::Halves;
use crate::index::Index;
use crate::path::Path;
use crate::slab::{Entry, Slabs};
use foldhash::fast::RandomState;
use route::net::{Prefix4, Prefix6};
use route::{Family, Prefix};
use std::hash::BuildHasher;

/// The address of a prefix.
pub(crate) trait Key: Copy + Eq + std::fmt::Debug {
    /// What a net row keeps of it.
    type First: Copy + Eq + std::fmt::Debug;
    /// Whether that is not all.
    const IS_HALVED: bool;
    /// Both halves.
    fn halves(self) -> (Self::First, u64);
    /// The address of both halves.
    fn of_halves(first: Self::First, second: u64) -> Self;
    /// The address and the length; `None` for the other family.
    fn of(net: &Prefix) -> Option<(Self, u8)>;
    /// The prefix again.
    fn prefix(self, len: u8) -> Prefix;
    /// The seeded hash.
    fn hash(self, len: u8, seed: &RandomState) -> u64;
}

impl Key for u32 {
    type First = Self;
    const IS_HALVED: bool = false;

    fn halves(self) -> (Self, u64) {
        (self, 0)
    }

    fn of_halves(first: Self, _: u64) -> Self {
        first
    }

    fn of(net: &Prefix) -> Option<(Self, u8)> {
        match net {
            Prefix::V4(p) => Some((p.addr, p.len)),
            Prefix::V6(_) => None,
        }
    }

    fn prefix(self, len: u8) -> Prefix {
        Prefix::V4(Prefix4 { addr: self, len })
    }

    fn hash(self, len: u8, seed: &RandomState) -> u64 {
        seed.hash_one(u64::from(self) << 8 | u64::from(len))
    }
}

impl Key for [u8; 16] {
    // In words of 32 bits: a row is aligned to no more.
    type First = [u32; 2];
    const IS_HALVED: bool = true;

    fn halves(self) -> ([u32; 2], u64) {
        let all = u128::from_be_bytes(self);
        ([(all >> 96) as u32, (all >> 64) as u32], all as u64)
    }

    fn of_halves([a, b]: [u32; 2], second: u64) -> Self {
        (u128::from(a) << 96 | u128::from(b) << 64 | u128::from(second)).to_be_bytes()
    }

    fn of(net: &Prefix) -> Option<(Self, u8)> {
        match net {
            Prefix::V4(_) => None,
            Prefix::V6(p) => Some((p.addr, p.len)),
        }
    }

    fn prefix(self, len: u8) -> Prefix {
        Prefix::V6(Prefix6 { addr: self, len })
    }

    fn hash(self, len: u8, seed: &RandomState) -> u64 {
        seed.hash_one((u128::from_be_bytes(self), len))
    }
}

/// What the index said of a prefix. A number stays right while rows are taken in; that there was none may be old.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    hash: u64,
    /// Its number.
    pub(crate) id: Option<NetId>,
}

impl Found {
    /// A number that is known.
    pub(crate) const fn number(id: NetId) -> Self {
        Self { hash: 0, id: Some(id) }
    }
}

#[derive(Debug)]
struct Row<F> {
    addr: F,
    more: Entry,
    first: Path,
}

#[derive(Debug)]
struct Rows<K: Key> {
    rows: Chunks<Row<K::First>>,
    /// The second halves of addresses.
    seconds: Halves,
    index: Index,
    seed: RandomState,
}

impl<K: Key> Rows<K> {
    fn new() -> Self {
        let (rows, seconds, index, seed) = Default::default();
        Self { rows, seconds, index, seed }
    }

    /// Whether this is the number of a prefix.
    #[inline]
    fn is(rows: &Chunks<Row<K::First>>, seconds: &Halves, n: u32, key: K, len: u8) -> bool {
        let (row, (first, second)) = (&rows[n], key.halves());
        row.addr == first && row.first.tag == len && (!K::IS_HALVED || seconds.get(n) == second)
    }

    /// The address of a row.
    fn key(&self, n: u32, row: &Row<K::First>) -> K {
        K::of_halves(row.addr, if K::IS_HALVED { self.seconds.get(n) } else { 0 })
    }

    #[inline]
    fn find_hashed(&self, key: K, len: u8, hash: u64) -> Option<NetId> {
        self.index.find(hash, |n| Self::is(&self.rows, &self.seconds, *n, key, len)).map(NetId)
    }

    /// In three loops, each of which asks memory for what the next one reads, so that the processor waits for many
    /// places at once: lines of the index, rows that the index names, rows.
    fn find_all(&self, rows: &[ImportRow], found: &mut Vec<Found>) {
        found.clear();
        found.extend(rows.iter().map(|row| {
            let hash = K::of(&row.net).map_or(0, |(key, len)| key.hash(len, &self.seed));
            self.index.fetch(hash);
            Found { hash, id: None }
        }));
        for found in found.iter_mut() {
            // Whoever has the hash, which is nearly always the prefix itself.
            found.id = self.index.find(found.hash, |_| true).map(NetId);
            if let Some(row) = found.id.and_then(|id| self.rows.get(id.0)) {
                ahead::fetch(row);
            }
        }
        for (row, found) in rows.iter().zip(found) {
            let Some((key, len)) = K::of(&row.net) else { continue };
            if found.id.is_some_and(|id| !Self::is(&self.rows, &self.seconds, id.0, key, len)) {
                found.id = self.find_hashed(key, len, found.hash);
            }
        }
    }

    #[inline]
    fn look(&self, net: &Prefix) -> Found {
        let Some((key, len)) = K::of(net) else { return Found::default() };
        let hash = key.hash(len, &self.seed);
        Found { hash, id: self.find_hashed(key, len, hash) }
    }

    /// The number of a prefix with this hash, and whether it is new: then it has no path.
    #[inline]
    fn find_or_insert(&mut self, key: K, len: u8, hash: u64, free: &mut Vec<NetId>) -> (NetId, bool) {
        let Self { rows, seconds, index, .. } = self;
        let fresh = free.last().map_or(rows.len() as u32, |id| id.0);
        let is = |n: &u32| Self::is(rows, seconds, *n, key, len);
        let (id, is_new) = index.find_or_insert(hash, fresh, is);
        if is_new {
            let (addr, second) = key.halves();
            let row = Row { addr, more: Entry::NONE, first: Path::VACANT.with_tag(len) };
            if K::IS_HALVED {
                seconds.set(id, second);
            }
            match free.pop() {
                Some(id) => rows[id.0] = row,
                None => _ = rows.push(row),
            }
        }
        (NetId(id), is_new)
    }

    fn hash_of(&self, id: NetId) -> Option<u64> {
        self.rows.get(id.0).map(|row| self.key(id.0, row).hash(row.first.tag, &self.seed))
    }

    fn remove(&mut self, id: NetId) {
        if let Some(hash) = self.hash_of(id) {
            self.index.remove(hash, id.0);
        }
    }

    fn prefix(&self, id: NetId) -> Option<Prefix> {
        self.rows.get(id.0).map(|row| self.key(id.0, row).prefix(row.first.tag))
    }
}

/// The rows of either family.
#[derive(Debug)]
enum Family4Or6 {
    V4(Rows<u32>),
    V6(Rows<[u8; 16]>),
}

/// Runs one expression on the rows of either family.
macro_rules! rows {
    ($nets:expr, $rows:ident => $do:expr) => {
        match $nets {
            Family4Or6::V4($rows) => $do,
            Family4Or6::V6($rows) => $do,
        }
    };
}

/// All prefixes of a table with their paths.
#[derive(Debug)]
pub(crate) struct Nets {
    rows: Family4Or6,
    slabs: Slabs,
    free: Vec<NetId>,
    /// How many prefixes of each length have a number.
    lengths: [u32; 129],
}

impl Nets {
    /// No prefix.
    pub(crate) fn new(family: Family) -> Self {
        let rows = match family {
            Family::Ipv4 => Family4Or6::V4(Rows::new()),
            Family::Ipv6 => Family4Or6::V6(Rows::new()),
        };
        Self { rows, slabs: Slabs::default(), free: Vec::new(), lengths: [0; 129] }
    }

    /// The number of a prefix, one that lost its paths a moment ago included.
    pub(crate) fn find(&self, net: &Prefix) -> Option<NetId> {
        self.look(net).id
    }

    /// What the index says of the prefixes of a batch, in its order.
    pub(crate) fn find_all(&self, batch: &[ImportRow], found: &mut Vec<Found>) {
        rows!(&self.rows, rows => rows.find_all(batch, found));
    }

    /// The number of a prefix that was looked for a moment ago: it may have got one since.
    pub(crate) fn find_again(&self, net: &Prefix, found: Found) -> Option<NetId> {
        if found.id.is_some() {
            return found.id;
        }
        rows!(&self.rows, rows => Key::of(net).and_then(|(key, len)| rows.find_hashed(key, len, found.hash)))
    }

    /// The number of a prefix, given now if it has none, and whether it is new; `None` for a prefix of the other family.
    #[cfg(test)]
    pub(crate) fn find_or_insert(&mut self, net: &Prefix) -> Option<(NetId, bool)> {
        self.find_or_give(net, self.look(net))
    }

    /// What the index says of one prefix.
    pub(crate) fn look(&self, net: &Prefix) -> Found {
        rows!(&self.rows, rows => rows.look(net))
    }

    /// The same for a prefix that was looked for a moment ago.
    #[inline]
    pub(crate) fn find_or_give(&mut self, net: &Prefix, found: Found) -> Option<(NetId, bool)> {
        if let Some(id) = found.id {
            return Some((id, false));
        }
        let (id, is_new) = rows!(&mut self.rows, rows => {
            let (key, len) = Key::of(net)?;
            rows.find_or_insert(key, len, found.hash, &mut self.free)
        });
        self.lengths[usize::from(net.len())] += u32::from(is_new);
        Some((id, is_new))
    }

    /// Asks memory for what [removing](Self::remove) this number will read.
    pub(crate) fn fetch(&self, id: NetId) {
        rows!(&self.rows, rows => if let Some(hash) = rows.hash_of(id) { rows.index.fetch(hash) });
    }

    /// Takes the number from a prefix without paths: it may be given again.
    pub(crate) fn remove(&mut self, id: NetId) {
        let Some(net) = self.prefix(id) else { return };
        self.lengths[usize::from(net.len())] -= 1;
        rows!(&mut self.rows, rows => {
            rows.remove(id);
            // Poison: a reader that still held the number would see nonsense, not another prefix.
            rows.rows[id.0].first = Path::vacant_with(FREED).with_tag(net.len());
        });
        self.free.push(id);
    }

    /// The lengths that prefixes have, in order.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = u8> {
        (0..=128_u8).zip(&self.lengths).filter(|(_, count)| **count > 0).map(|(len, _)| len)
    }

    /// The prefix of a number.
    pub(crate) fn prefix(&self, id: NetId) -> Option<Prefix> {
        rows!(&self.rows, rows => rows.prefix(id)).filter(|_| !self.is_freed(id))
    }

    /// The prefix of a number and its first path, vacant where there is none.
    #[inline]
    pub(crate) fn head(&self, id: NetId) -> Option<(Prefix, Path)> {
        rows!(&self.rows, rows => {
            let row = rows.rows.get(id.0).filter(|row| !is_freed(row.first))?;
            Some((rows.key(id.0, row).prefix(row.first.tag), row.first))
        })
    }

    fn is_freed(&self, id: NetId) -> bool {
        is_freed(self.first(id))
    }

    /// One past the last number.
    pub(crate) fn len(&self) -> u32 {
        rows!(&self.rows, rows => rows.rows.len() as u32)
    }

    /// The first path of a number below [`len`](Self::len).
    pub(crate) fn first(&self, id: NetId) -> Path {
        rows!(&self.rows, rows => rows.rows.get(id.0).map_or(Path::VACANT, |r| r.first))
    }

    /// The first path of a number, vacant where there is none; `None` when there are more.
    #[inline]
    pub(crate) fn only(&self, id: NetId) -> Option<Path> {
        rows!(&self.rows, rows => rows.rows.get(id.0).filter(|r| r.more == Entry::NONE).map(|r| r.first))
    }

    /// Puts a path, or a vacant place, where the only path or none is; or changes the first of several.
    #[inline]
    pub(crate) fn set_first(&mut self, id: NetId, path: Path) {
        rows!(&mut self.rows, rows => {
            let row = &mut rows.rows[id.0];
            row.first = path.with_tag(row.first.tag);
        });
    }

    /// All paths in the table's order, in place of what `into` held.
    pub(crate) fn read(&self, id: NetId, into: &mut Vec<Path>) {
        into.clear();
        let (first, more) = rows!(&self.rows, rows => {
            let Some(row) = rows.rows.get(id.0) else { return };
            (row.first, row.more)
        });
        if !first.is_vacant() {
            into.push(first);
            self.slabs.read(more, into);
        }
    }

    /// Puts these paths in place of all that stood.
    pub(crate) fn write(&mut self, id: NetId, paths: &[Path]) {
        let (first, rest) = paths.split_first().map_or((Path::VACANT, paths), |(f, r)| (*f, r));
        rows!(&mut self.rows, rows => {
            let row = &mut rows.rows[id.0];
            row.first = first.with_tag(row.first.tag);
            row.more = self.slabs.write(row.more, rest);
        });
    }

    /// The number of the longest prefix that covers `net` and of which `valid` says yes.
    ///
    /// Probes the lengths in use: at most 33 or 129 probes, some 20 in a full table.
    pub(crate) fn longest_match(&self, net: &Prefix, valid: impl Fn(NetId) -> bool) -> Option<NetId> {
        (0..=net.len())
            .rev()
            .filter(|len| self.lengths[usize::from(*len)] > 0)
            .find_map(|len| self.find(&Prefix::new(net.addr(), len)?).filter(|id| valid(*id)))
    }

    /// Leaves out the rows at the end that are free, when most are. Whether it did.
    pub(crate) fn shrink(&mut self) -> bool {
        let Self { rows, free, .. } = self;
        let Some(len) = rows!(rows, rows => rows.rows.shorter(free.len(), |row| is_freed(row.first))) else {
            return false;
        };
        self.free.retain(|id| (id.0 as usize) < len);
        self.free.shrink_to_fit();
        rows!(&mut self.rows, rows => {
            rows.rows.truncate(len);
            rows.seconds.truncate(len);
        });
        true
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        let rows = rows!(&self.rows, rows => rows.rows.octets() + rows.seconds.octets() + rows.index.octets());
        rows + self.slabs.octets() + self.free.capacity() * size_of::<NetId>()
    }
}

/// Stands in the time of a freed row's vacant path.
const FREED: u64 = (1 << 48) - 1;

fn is_freed(first: Path) -> bool {
    first.is_vacant() && first.since().0 == FREED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_ipv4_is_24_octets_and_of_ipv6_28() {
        assert_eq!(size_of::<Row<u32>>(), 24);
        assert_eq!(size_of::<Row<[u32; 2]>>(), 28);
    }

    #[test]
    fn prefixes_that_differ_behind_the_64th_bit_are_told_apart_and_leave_nothing_behind() {
        let nets = ["2001:db8::/64", "2001:db8::/128", "2001:db8::1/128", "2001:db8::8000:0:0:1/128", "::1/128"];
        let nets = nets.map(|n| n.parse::<Prefix>().unwrap());
        let mut store = Nets::new(Family::Ipv6);
        for round in 0..3 {
            let given: Vec<_> = nets.iter().map(|n| store.find_or_insert(n).unwrap()).collect();
            assert!(given.iter().all(|(_, is_new)| *is_new));
            for (net, (id, _)) in nets.iter().zip(&given) {
                assert_eq!((store.find(net), store.prefix(*id)), (Some(*id), Some(*net)));
                assert_eq!(store.head(*id).map(|(net, _)| net), Some(*net));
                assert_eq!(store.longest_match(net, |_| true), Some(*id));
            }
            // In another order each time, so that numbers go from long prefixes to short ones.
            (0..nets.len()).for_each(|n| store.remove(given[(n * 2 + round) % nets.len()].0));
            assert!(nets.iter().all(|net| store.find(net).is_none()));
        }
        assert_eq!(store.len() as usize, nets.len());
    }

    #[test]
    fn numbers_are_dense_and_given_again_only_after_removal() {
        for (family, nets) in [
            (Family::Ipv4, ["10.0.0.0/8", "10.0.0.0/9", "10.1.0.0/16"]),
            (Family::Ipv6, ["2001:db8::/32", "2001:db8::/33", "2001:db8:1::/48"]),
        ] {
            let [a, b, c] = nets.map(|n| n.parse::<Prefix>().unwrap());
            let mut store = Nets::new(family);
            assert_eq!(store.find_or_insert(&a), Some((NetId(0), true)));
            assert_eq!(store.find_or_insert(&a), Some((NetId(0), false)));
            assert_eq!(store.find_or_insert(&b), Some((NetId(1), true)));
            assert_eq!((store.find(&a), store.find(&b), store.find(&c)), (Some(NetId(0)), Some(NetId(1)), None));
            assert_eq!(store.longest_match(&c, |_| true), Some(NetId(1)));
            assert_eq!(store.longest_match(&c, |id| id == NetId(0)), Some(NetId(0)));
            store.remove(NetId(0));
            assert_eq!((store.find(&a), store.prefix(NetId(0))), (None, None));
            assert_eq!(store.find_or_insert(&c), Some((NetId(0), true)));
            assert_eq!(store.prefix(NetId(0)), Some(c));
        }
    }

    #[test]
    fn a_prefix_of_the_other_family_is_not_found_and_gets_no_number() {
        let mut store = Nets::new(Family::Ipv4);
        let six = "2001:db8::/32".parse().unwrap();
        assert_eq!((store.find_or_insert(&six), store.find(&six)), (None, None));
    }
}
