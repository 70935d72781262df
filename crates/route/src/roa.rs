//! Route origin authorisations (RFC 6482) and what they say of a route (RFC 6811).
//!
//! A [`RoaTable`] is an immutable snapshot: whoever judges routes holds one and
//! sees none of its changes; whoever changes it makes another one. Prefixes stand
//! in one array by address and length, each with the number of the nearest one
//! that covers it. A question is one search in that array and then a walk from
//! cover to cover, so it costs the logarithm of the table and its nesting, and
//! nothing is hashed that an outsider could choose badly.
//!
//! Why the search finds the covers: the last prefix at or before the one asked
//! for, in this order, lies inside every prefix of the table that covers it, for
//! a prefix which begins inside another is never the shorter one.

mod kept;
mod steps;

pub use kept::Kept;
pub use steps::RoaStep;
pub(crate) use steps::steps_between;

use crate::aspa::AspaTable;
use crate::attrs::AttrSet;
use crate::net::{Prefix, Prefix4, Prefix6, mask4, mask6};
use crate::source::{ProtocolId, Source};
use crate::time::Moment;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// An authorisation: this AS may originate the prefix and what is more specific, up to a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Roa {
    /// The prefix.
    pub prefix: Prefix,
    /// The longest prefix length that is authorised. BIRD takes any; one below the prefix's own authorises nothing.
    pub max_len: u8,
    /// The AS; 0 authorises nobody (RFC 6483 4).
    pub asn: u32,
}

impl fmt::Display for Roa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} max {} as {}", self.prefix, self.max_len, self.asn)
    }
}

/// Where an authorisation comes from. The same one from two places stands twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoaOrigin {
    /// `add roa`: kept over a reload, taken away by `delete roa` and `flush roa`.
    Dynamic,
    /// The configuration.
    Static,
    /// A channel of a protocol gave it, with others: the number of what they have in common (see [`RoaTable::lot`]).
    Given(Lot),
}

/// What authorisations that a protocol gave at once have in common, by its number in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lot(u32);

/// What authorisations that a protocol gave at once have in common.
#[derive(Clone, Debug)]
pub struct RoaLot {
    /// Who gave them.
    pub source: Arc<Source>,
    /// Who brought them here: the protocol of the source, or a pipe.
    pub by: ProtocolId,
    /// Their attributes: preference, source and scope.
    pub attrs: AttrSet,
    /// Since when they stand.
    pub since: Moment,
}

/// What a protocol does to a table of authorisations; `K`: what they are known by.
#[derive(Clone, Debug)]
pub struct RoaChange<K = Roa> {
    /// Who.
    pub source: Arc<Source>,
    /// Who brings it: the protocol of the source, or a pipe. What others have brought is left alone.
    pub by: ProtocolId,
    /// All that it gave before and does not give again is gone.
    pub whole: bool,
    /// What it takes back.
    pub gone: Vec<K>,
    /// What it gives, with attributes that few differ in.
    pub come: Vec<(K, AttrSet)>,
    /// What it gives and a filter has rejected, to be kept; it takes back what stood.
    pub kept: Vec<(K, AttrSet)>,
}

/// What came of a change. `P`: where it is felt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoaChanged<P = Prefix> {
    /// How many were given that were not there, or with other attributes.
    pub come: usize,
    /// How many are there no more.
    pub gone: usize,
    /// Others are kept than before.
    pub kept: bool,
    /// Prefixes whose authorisations are others than before, each once, in order: what they cover may be judged
    /// otherwise. Of providers: the customers.
    pub touched: Vec<P>,
}

impl<P> Default for RoaChanged<P> {
    fn default() -> Self {
        Self { come: 0, gone: 0, kept: false, touched: Vec::new() }
    }
}

/// An authorisation of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoaEntry {
    /// It.
    pub roa: Roa,
    /// Where it comes from.
    pub origin: RoaOrigin,
}

/// What a table says of a prefix and the AS that originates it (RFC 6811 2), in BIRD's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoaState {
    /// No authorisation covers the prefix.
    Unknown = 0,
    /// One covers it and allows this length and AS.
    Valid = 1,
    /// Some cover it, none allows it.
    Invalid = 2,
}

/// All authorisations of one table, of both families; see the head of this file.
#[derive(Debug, Default)]
pub struct RoaTable {
    v4: Forest<u32>,
    v6: Forest<u128>,
    lots: Vec<RoaLot>,
    kept: Kept<Roa>,
}

impl RoaTable {
    /// A table of these, in any order; what is there twice counts once. Takes the time of sorting what is out of order.
    pub fn new(mut entries: Vec<RoaEntry>) -> Self {
        // Stable, since it sees runs in order: a change of a big table costs one pass.
        entries.sort();
        entries.dedup();
        let six = entries.partition_point(|e| matches!(e.roa.prefix, Prefix::V4(_)));
        let (four, six) = entries.split_at_checked(six).unwrap_or_default();
        Self { v4: Forest::new(four), v6: Forest::new(six), lots: Vec::new(), kept: Kept::default() }
    }

    /// What authorisations of a protocol have in common.
    pub fn lot(&self, lot: Lot) -> Option<&RoaLot> {
        self.lots.get(lot.0 as usize)
    }

    /// The table after a change by a protocol. What it gives that stands already keeps its time.
    ///
    /// Takes the time of one pass through the table and of sorting the change.
    #[must_use]
    pub fn after(&self, change: RoaChange, since: Moment) -> (Self, RoaChanged) {
        let (kept, is_other) = self.kept.after(&change, since);
        let RoaChange { source, by, whole, mut gone, come, kept: rejected } = change;
        gone.extend(rejected.into_iter().map(|(roa, _)| roa));
        gone.sort_unstable();
        let mut come = last_of_each(come);
        let mut lots = Lots { all: Vec::new(), numbers: vec![None; self.lots.len()] };
        let mut entries = Vec::with_capacity(self.len() + come.len());
        let mut changed = RoaChanged { kept: is_other, ..RoaChanged::default() };
        for entry in self.iter() {
            let RoaOrigin::Given(Lot(number)) = entry.origin else {
                entries.push(entry);
                continue;
            };
            let Some(lot) = self.lots.get(number as usize) else { continue };
            if lot.source.id == source.id && lot.by == by {
                if let Ok(at) = come.binary_search_by_key(&entry.roa, |(roa, ..)| *roa) {
                    let Some((_, attrs, is_new)) = come.get_mut(at) else { continue };
                    if *attrs != lot.attrs {
                        continue;
                    }
                    *is_new = false;
                } else if whole || gone.binary_search(&entry.roa).is_ok() {
                    changed.gone += 1;
                    changed.touched.push(entry.roa.prefix);
                    continue;
                }
            }
            let origin = RoaOrigin::Given(lots.kept(number, lot));
            entries.push(RoaEntry { roa: entry.roa, origin });
        }
        for (roa, attrs, _) in come.into_iter().filter(|(.., is_new)| *is_new) {
            changed.come += 1;
            changed.touched.push(roa.prefix);
            entries.push(RoaEntry { roa, origin: RoaOrigin::Given(lots.made(&source, by, attrs, since)) });
        }
        changed.touched.sort_unstable();
        changed.touched.dedup();
        let table = Self { lots: lots.all, kept, ..Self::new(entries) };
        (table, changed)
    }

    /// Prefixes of which this table and another have other authorisations, whoever gave them; each once, in order.
    pub fn difference(&self, other: &Self) -> Vec<Prefix> {
        let roas = |table: &Self| table.iter().map(|e| e.roa).collect::<std::collections::BTreeSet<_>>();
        let (ours, theirs) = (roas(self), roas(other));
        let mut touched: Vec<Prefix> = ours.symmetric_difference(&theirs).map(|roa| roa.prefix).collect();
        touched.dedup();
        touched
    }

    /// The table without what `keeps` says no to, and with more.
    #[must_use]
    pub fn changed(&self, keeps: impl Fn(&RoaEntry) -> bool, more: impl IntoIterator<Item = RoaEntry>) -> Self {
        let mut entries: Vec<_> = self.iter().filter(keeps).collect();
        entries.extend(more);
        Self { lots: self.lots.clone(), kept: self.kept.clone(), ..Self::new(entries) }
    }

    /// What it says of a prefix that this AS originates.
    pub fn check(&self, net: Prefix, asn: u32) -> RoaState {
        let allows = |item: &Item| item.max_len >= net.len() && item.asn == asn && asn != 0;
        let mut state = RoaState::Unknown;
        self.each_covering(net, |_, items| {
            state = if items.iter().any(allows) { RoaState::Valid } else { RoaState::Invalid };
            state != RoaState::Valid
        });
        state
    }

    /// The authorisations whose prefix is this one or covers it, longest first.
    pub fn covering(&self, net: Prefix) -> Vec<RoaEntry> {
        let mut found = Vec::new();
        self.each_covering(net, |prefix, items| {
            found.extend(items.iter().map(|item| item.entry(prefix)));
            true
        });
        found
    }

    /// All of them: IPv4 first, by address, shorter first.
    pub fn iter(&self) -> impl Iterator<Item = RoaEntry> {
        self.v4.iter().chain(self.v6.iter())
    }

    /// The authorisations that protocols have given, or one of them, each with what those who give it say of it, the
    /// most preferred first.
    pub fn nets(&self, only: Option<Roa>) -> impl Iterator<Item = (Roa, Vec<&RoaLot>)> {
        let mut entries = self.iter().filter(move |e| only.is_none_or(|roa| e.roa == roa)).peekable();
        std::iter::from_fn(move || {
            let first = entries.next()?;
            let mut lots: Vec<_> = self.lot_of(&first).into_iter().collect();
            while let Some(entry) = entries.next_if(|e| e.roa == first.roa) {
                lots.extend(self.lot_of(&entry));
            }
            lots.sort_by_key(|lot| std::cmp::Reverse(lot.attrs.local().preference));
            Some((first.roa, lots))
        })
        .filter(|(_, lots)| !lots.is_empty())
    }

    /// What filters have rejected, and is kept.
    pub const fn kept(&self) -> &Kept<Roa> {
        &self.kept
    }

    fn lot_of(&self, entry: &RoaEntry) -> Option<&RoaLot> {
        match entry.origin {
            RoaOrigin::Given(lot) => self.lot(lot),
            RoaOrigin::Dynamic | RoaOrigin::Static => None,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.v4.items.len() + self.v6.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it takes, in octets.
    pub fn octets(&self) -> usize {
        size_of::<Self>()
            + self.v4.octets()
            + self.v6.octets()
            + self.lots.capacity() * size_of::<RoaLot>()
            + self.kept.octets()
    }

    /// Calls for every prefix of the table that covers this one, longest first, as long as it is told to go on.
    fn each_covering(&self, net: Prefix, go_on: impl FnMut(Prefix, &[Item]) -> bool) {
        match net {
            Prefix::V4(Prefix4 { addr, len }) => self.v4.each_covering(addr, len, go_on),
            Prefix::V6(Prefix6 { addr, len }) => self.v6.each_covering(u128::from_be_bytes(addr), len, go_on),
        }
    }
}

/// What is given, in order, each marked as new; of one that is given twice the last counts.
pub(crate) fn last_of_each<K: Ord + Copy>(come: Vec<(K, AttrSet)>) -> Vec<(K, AttrSet, bool)> {
    let mut come: Vec<(K, AttrSet, bool)> = come.into_iter().map(|(key, attrs)| (key, attrs, true)).collect();
    // Stable.
    come.sort_by_key(|(key, ..)| *key);
    come.reverse();
    come.dedup_by_key(|(key, ..)| *key);
    come.reverse();
    come
}

/// The lots of a table being made.
struct Lots {
    all: Vec<RoaLot>,
    /// Their new numbers, by the old ones.
    numbers: Vec<Option<Lot>>,
}

impl Lots {
    /// The number of a lot that stays.
    fn kept(&mut self, number: u32, lot: &RoaLot) -> Lot {
        let next = Lot(self.all.len() as u32);
        let Some(place) = self.numbers.get_mut(number as usize) else { return next };
        *place.get_or_insert_with(|| {
            self.all.push(lot.clone());
            next
        })
    }

    /// The number of a lot that begins now. Few differ.
    fn made(&mut self, source: &Arc<Source>, by: ProtocolId, attrs: AttrSet, since: Moment) -> Lot {
        let is_it =
            |lot: &RoaLot| lot.since == since && lot.source.id == source.id && lot.by == by && lot.attrs == attrs;
        let at = self.all.iter().rposition(is_it).unwrap_or_else(|| {
            self.all.push(RoaLot { source: Arc::clone(source), by, attrs, since });
            self.all.len() - 1
        });
        Lot(at as u32)
    }
}

/// All tables of authorisations by name: what a filter run is given.
#[derive(Clone, Debug, Default)]
pub struct RoaTables {
    origins: Named<RoaTable>,
    providers: Named<AspaTable>,
}

/// Tables by name. There are few.
type Named<T> = Vec<(Arc<str>, Arc<T>)>;

impl RoaTables {
    /// No table.
    pub const NONE: &'static Self = &Self { origins: Vec::new(), providers: Vec::new() };

    /// These ROA tables, in the order of the configuration.
    pub const fn new(tables: Vec<(Arc<str>, Arc<RoaTable>)>) -> Self {
        Self { origins: tables, providers: Vec::new() }
    }

    /// The same with these ASPA tables.
    #[must_use]
    pub fn and_aspas(self, tables: Vec<(Arc<str>, Arc<AspaTable>)>) -> Self {
        Self { providers: tables, ..self }
    }

    /// A ROA table by name.
    pub fn get(&self, name: &str) -> Option<&Arc<RoaTable>> {
        named(&self.origins, name)
    }

    /// An ASPA table by name.
    pub fn aspas(&self, name: &str) -> Option<&Arc<AspaTable>> {
        named(&self.providers, name)
    }

    /// The same with another ROA table under this name.
    #[must_use]
    pub fn with(&self, name: &str, table: RoaTable) -> Self {
        let mut all = self.clone();
        put(&mut all.origins, name, table);
        all
    }

    /// The same with another ASPA table under this name.
    #[must_use]
    pub fn with_aspas(&self, name: &str, table: AspaTable) -> Self {
        let mut all = self.clone();
        put(&mut all.providers, name, table);
        all
    }

    /// All ROA tables with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<RoaTable>)> {
        self.origins.iter().map(|(name, table)| (name, table))
    }

    /// What all of them take, in octets.
    pub fn octets(&self) -> usize {
        let origins = self.origins.iter().map(|(_, table)| table.octets()).sum::<usize>();
        origins + self.providers.iter().map(|(_, table)| table.octets()).sum::<usize>()
    }
}

fn named<'t, T>(tables: &'t Named<T>, name: &str) -> Option<&'t Arc<T>> {
    tables.iter().find(|(n, _)| **n == *name).map(|(_, table)| table)
}

fn put<T>(tables: &mut Named<T>, name: &str, table: T) {
    if let Some((_, old)) = tables.iter_mut().find(|(n, _)| **n == *name) {
        *old = Arc::new(table);
    }
}

/// An address as a number.
trait Bits: Copy + Ord {
    /// Whether the prefix of this address and length holds another address.
    fn holds(self, len: u8, other: Self) -> bool;
    fn split(prefix: Prefix) -> Option<(Self, u8)>;
    fn join(self, len: u8) -> Prefix;
}

impl Bits for u32 {
    fn holds(self, len: u8, other: Self) -> bool {
        other & mask4(len) == self
    }

    fn split(prefix: Prefix) -> Option<(Self, u8)> {
        match prefix {
            Prefix::V4(p) => Some((p.addr, p.len)),
            Prefix::V6(_) => None,
        }
    }

    fn join(self, len: u8) -> Prefix {
        Prefix::V4(Prefix4 { addr: self, len })
    }
}

impl Bits for u128 {
    fn holds(self, len: u8, other: Self) -> bool {
        other & mask6(len) == self
    }

    fn split(prefix: Prefix) -> Option<(Self, u8)> {
        match prefix {
            Prefix::V4(_) => None,
            Prefix::V6(p) => Some((Self::from_be_bytes(p.addr), p.len)),
        }
    }

    fn join(self, len: u8) -> Prefix {
        Prefix::V6(Prefix6 { addr: self.to_be_bytes(), len })
    }
}

/// No prefix covers it.
const ROOT: u32 = u32::MAX;

/// The prefixes of one family by address and length, each knowing its cover.
#[derive(Debug)]
struct Forest<A> {
    nodes: Vec<Node<A>>,
    items: Vec<Item>,
}

impl<A> Default for Forest<A> {
    fn default() -> Self {
        Self { nodes: Vec::new(), items: Vec::new() }
    }
}

/// A prefix.
#[derive(Clone, Copy, Debug)]
struct Node<A> {
    addr: A,
    len: u8,
    /// The number of the nearest prefix that covers it, or [`ROOT`].
    cover: u32,
    /// Its first item; the last stands before the first of the next prefix.
    first: u32,
}

/// An authorisation under its prefix.
#[derive(Clone, Copy, Debug)]
struct Item {
    asn: u32,
    max_len: u8,
    origin: RoaOrigin,
}

impl Item {
    const fn entry(&self, prefix: Prefix) -> RoaEntry {
        RoaEntry { roa: Roa { prefix, max_len: self.max_len, asn: self.asn }, origin: self.origin }
    }
}

impl<A: Bits> Forest<A> {
    /// Of entries in order, all of one family.
    fn new(entries: &[RoaEntry]) -> Self {
        let mut nodes: Vec<Node<A>> = Vec::new();
        let mut items = Vec::with_capacity(entries.len());
        // The prefix met last and its covers, the nearest on top.
        let mut open: Vec<u32> = Vec::new();
        for RoaEntry { roa, origin } in entries {
            let Some((addr, len)) = A::split(roa.prefix) else { continue };
            if nodes.last().is_none_or(|n| (n.addr, n.len) != (addr, len)) {
                let covers = |n: &u32| nodes.get(*n as usize).is_some_and(|n| n.addr.holds(n.len, addr));
                while open.pop_if(|n| !covers(n)).is_some() {}
                let cover = open.last().copied().unwrap_or(ROOT);
                open.push(nodes.len() as u32);
                nodes.push(Node { addr, len, cover, first: items.len() as u32 });
            }
            items.push(Item { asn: roa.asn, max_len: roa.max_len, origin: *origin });
        }
        nodes.shrink_to_fit();
        Self { nodes, items }
    }

    /// The authorisations under exactly this prefix.
    fn at(&self, addr: A, len: u8) -> &[Item] {
        match self.nodes.binary_search_by(|n| n.addr.cmp(&addr).then(n.len.cmp(&len))) {
            Ok(at) => self.items(at),
            Err(_) => &[],
        }
    }

    fn each_covering(&self, addr: A, len: u8, mut go_on: impl FnMut(Prefix, &[Item]) -> bool) {
        let behind = self.nodes.partition_point(|n| n.addr.cmp(&addr).then(n.len.cmp(&len)) != Ordering::Greater);
        let mut at = behind.checked_sub(1);
        while let Some(node) = at.and_then(|at| self.nodes.get(at)) {
            let is_cover = node.len <= len && node.addr.holds(node.len, addr);
            if is_cover && !go_on(node.addr.join(node.len), self.items(at.unwrap_or_default())) {
                return;
            }
            at = (node.cover != ROOT).then_some(node.cover as usize);
        }
    }

    fn items(&self, at: usize) -> &[Item] {
        let first = |at: usize| self.nodes.get(at).map_or(self.items.len(), |n| n.first as usize);
        self.items.get(first(at)..first(at + 1)).unwrap_or_default()
    }

    fn iter(&self) -> impl Iterator<Item = RoaEntry> {
        self.nodes.iter().enumerate().flat_map(move |(at, node)| {
            let prefix = node.addr.join(node.len);
            self.items(at).iter().map(move |item| item.entry(prefix))
        })
    }

    fn octets(&self) -> usize {
        self.nodes.capacity() * size_of::<Node<A>>() + self.items.capacity() * size_of::<Item>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roa(prefix: &str, max_len: u8, asn: u32) -> RoaEntry {
        RoaEntry { roa: Roa { prefix: prefix.parse().unwrap(), max_len, asn }, origin: RoaOrigin::Static }
    }

    fn check(table: &RoaTable, net: &str, asn: u32) -> RoaState {
        table.check(net.parse().unwrap(), asn)
    }

    #[test]
    fn a_route_is_valid_by_any_cover_and_invalid_when_none_of_them_allows_it() {
        let table = RoaTable::new(vec![
            roa("10.0.0.0/8", 16, 1),
            roa("10.1.0.0/16", 24, 2),
            roa("10.1.2.0/24", 24, 3),
            roa("2001:db8::/32", 48, 4),
        ]);
        assert_eq!(check(&table, "10.1.2.0/24", 3), RoaState::Valid);
        assert_eq!(check(&table, "10.1.2.0/24", 2), RoaState::Valid);
        assert_eq!(check(&table, "10.1.2.0/24", 1), RoaState::Invalid);
        assert_eq!(check(&table, "10.1.2.0/25", 3), RoaState::Invalid);
        assert_eq!(check(&table, "10.200.0.0/16", 1), RoaState::Valid);
        assert_eq!(check(&table, "11.0.0.0/8", 1), RoaState::Unknown);
        assert_eq!(check(&table, "0.0.0.0/0", 1), RoaState::Unknown);
        assert_eq!(check(&table, "2001:db8:1::/48", 4), RoaState::Valid);
        assert_eq!(check(&table, "2001:db9::/32", 4), RoaState::Unknown);
    }

    #[test]
    fn as_0_authorises_nobody() {
        let table = RoaTable::new(vec![roa("20.0.0.0/8", 24, 0)]);
        assert_eq!(check(&table, "20.0.0.0/8", 0), RoaState::Invalid);
    }

    #[test]
    fn what_is_there_twice_counts_once_but_for_another_origin() {
        let fixed = roa("10.0.0.0/8", 16, 1);
        let dynamic = RoaEntry { origin: RoaOrigin::Dynamic, ..fixed };
        let table = RoaTable::new(vec![fixed, dynamic, fixed, dynamic]);
        assert_eq!(table.iter().collect::<Vec<_>>(), [dynamic, fixed]);
        assert_eq!(table.changed(|e| *e != dynamic, []).iter().collect::<Vec<_>>(), [fixed]);
    }

    #[test]
    fn the_covers_of_a_prefix_come_longest_first() {
        let all =
            [roa("10.1.2.0/24", 24, 3), roa("10.0.0.0/8", 16, 1), roa("0.0.0.0/0", 0, 9), roa("10.1.3.0/24", 24, 3)];
        let table = RoaTable::new(all.to_vec());
        assert_eq!(table.covering("10.1.2.128/25".parse().unwrap()), [all[0], all[1], all[2]]);
        assert_eq!(table.covering("10.1.4.0/24".parse().unwrap()), [all[1], all[2]]);
        assert_eq!(table.covering("::/0".parse().unwrap()), []);
    }

    /// Beside the obvious way, with prefixes that nest much.
    #[test]
    fn a_table_says_what_looking_at_every_authorisation_says() {
        let mut random = Random(1);
        for round in 0..40 {
            let nets: Vec<Prefix> = (0..200).map(|_| random.prefix(round % 2 == 0)).collect();
            let mut entry = || {
                let prefix = random.prefix(round % 2 == 0);
                let roa = Roa { prefix, max_len: random.below(13) as u8, asn: random.below(4) as u32 };
                RoaEntry { roa, origin: RoaOrigin::Static }
            };
            let entries: Vec<_> = (0..round * 8).map(|_| entry()).collect();
            let table = RoaTable::new(entries.clone());
            for (net, asn) in nets.iter().flat_map(|net| (0..4).map(move |asn| (*net, asn))) {
                let covers = || entries.iter().map(|e| e.roa).filter(|r| r.prefix.covers(&net));
                let expected = match () {
                    () if covers().any(|r| r.asn == asn && asn != 0 && net.len() <= r.max_len) => RoaState::Valid,
                    () if covers().next().is_some() => RoaState::Invalid,
                    () => RoaState::Unknown,
                };
                assert_eq!(table.check(net, asn), expected, "{net} as {asn} in {entries:?}");
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }

        fn prefix(&mut self, is_v4: bool) -> Prefix {
            let len = self.below(13) as u8;
            let bits = u128::from(self.below(1 << 12)) << 116;
            match is_v4 {
                true => Prefix::V4(Prefix4::new((bits >> 96) as u32, len).unwrap()),
                false => Prefix::V6(Prefix6::new(bits.to_be_bytes(), len).unwrap()),
            }
        }
    }

    #[test]
    fn half_a_million_are_built_and_changed() {
        let entries = (0..500_000_u32).map(|n| {
            let prefix = Prefix::V4(Prefix4::new(n.wrapping_mul(2_654_435_761), 16 + (n % 9) as u8).unwrap());
            RoaEntry { roa: Roa { prefix, max_len: 24, asn: n }, origin: RoaOrigin::Dynamic }
        });
        let table = RoaTable::new(entries.clone().collect());
        assert!(entries.clone().take(1000).all(|e| table.check(e.roa.prefix, e.roa.asn) != RoaState::Unknown));
        let more = table.changed(|_| true, [roa("10.0.0.0/8", 8, 7)]);
        assert_eq!(more.len(), table.len() + 1);
        assert_eq!(more.changed(|e| e.origin == RoaOrigin::Static, []).len(), 1);
    }
}
