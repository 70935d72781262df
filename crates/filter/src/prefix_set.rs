//! Sets of prefixes with their lengths: `[10.0.0.0/8{16,24}, 192.168.0.0/16+]`.
//!
//! A set is a compressed binary trie of the bases. Each node carries the lengths
//! that it accepts as a bit mask: bit `n - 1` (from the top) for prefixes of
//! length `n` that agree with the node as far as both go. A lookup walks down
//! once, so its cost grows with the depth of nesting, not with the number of
//! members. Length 0 has a flag of its own. In a large set of IPv4 prefixes the
//! first steps are taken at once: an index by the first bits of the address leads
//! to the node where the walk goes on, and says what was accepted on the way. Most
//! prefixes of a table are far from all members of a set: a bit for each longer
//! beginning of an address says that nothing is there, and fits into the cache.
//!
//! The nodes are also what BIRD prints: `10.0.0.0/8{0.1.255.0}` is the base
//! with its mask of lengths written as an address. BIRD 2 has other nodes
//! (`fours`), which are built to be printed.

mod fours;

use crate::dialect::Dialect;
use fours::Fours;
use route::net::{mask4, mask6};
use route::{Prefix, Written};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A set of prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrefixSet {
    v4: Trie<u32>,
    v6: Trie<u128>,
    /// Whose nodes are printed.
    dialect: Dialect,
}

impl PrefixSet {
    /// A set without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, printed as a dialect prints it.
    #[must_use]
    pub const fn shown_in(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Takes in the prefixes that agree with `base` as far as both go and have a length of `low ..= high`.
    /// Lengths beyond the address count as its length.
    pub fn add(&mut self, base: Prefix, low: u8, high: u8) {
        match base {
            Prefix::V4(p) => self.v4.add(p.addr, p.len, low, high.min(32)),
            Prefix::V6(p) => self.v6.add(u128::from_be_bytes(p.addr), p.len, low, high.min(128)),
        }
    }

    /// All members are there: makes lookups fast. Adding more later is possible and makes them slow again.
    pub fn finish(&mut self) {
        self.v4.build_index();
    }

    /// How many nodes it has: about the number of its patterns.
    pub fn len(&self) -> usize {
        self.v4.nodes.len() + self.v6.nodes.len()
    }

    /// Whether it has no members but perhaps the prefixes of length 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a prefix is a member.
    pub fn contains(&self, prefix: &Prefix) -> bool {
        match prefix {
            Prefix::V4(p) => self.v4.contains(p.addr, p.len),
            Prefix::V6(p) => self.v6.contains(u128::from_be_bytes(p.addr), p.len),
        }
    }
}

/// An address as a number whose highest bit is the first.
trait Bits: Copy + PartialEq + fmt::Debug + Default {
    /// The first `len` bits.
    fn mask(len: u8) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// Whether bit `at`, counted from the first, is set.
    fn bit(self, at: u8) -> bool;
    /// How many bits from the first are equal.
    fn common(self, other: Self) -> u8;
    /// The first `len` bits as a number.
    fn first(self, len: u8) -> usize;
    /// The address whose first `len` bits are a number.
    fn of_first(bits: usize, len: u8) -> Self;
    fn address(self) -> IpAddr;
    /// At the upper end of 128 bits.
    fn upper(self) -> u128;
}

macro_rules! bits {
    ($number:ty, $mask:path, $address:path) => {
        impl Bits for $number {
            fn mask(len: u8) -> Self {
                $mask(len)
            }
            fn and(self, other: Self) -> Self {
                self & other
            }
            fn or(self, other: Self) -> Self {
                self | other
            }
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            fn bit(self, at: u8) -> bool {
                (self << at) >> (<$number>::BITS - 1) != 0
            }
            fn common(self, other: Self) -> u8 {
                (self ^ other).leading_zeros() as u8
            }
            fn first(self, len: u8) -> usize {
                self.checked_shr(<$number>::BITS - u32::from(len)).unwrap_or(0) as usize
            }
            fn of_first(bits: usize, len: u8) -> Self {
                (bits as $number).checked_shl(<$number>::BITS - u32::from(len)).unwrap_or(0)
            }
            fn address(self) -> IpAddr {
                $address(self).into()
            }
            fn upper(self) -> u128 {
                (self as u128) << (128 - <$number>::BITS)
            }
        }
    };
}

bits!(u32, mask4, Ipv4Addr::from_bits);
bits!(u128, mask6, Ipv6Addr::from_bits);

/// No child. The root is never a child, so its number serves.
const NONE: u32 = 0;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node<B> {
    base: B,
    accept: B,
    children: [u32; 2],
    len: u8,
}

/// Node 0 is the root, of length 0; an empty trie has no nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Trie<B> {
    nodes: Vec<Node<B>>,
    /// The prefix of length 0 is a member.
    zero: bool,
    /// By the first `index_bits` of an address; for prefixes longer than that. Empty in small tries.
    index: Vec<Entry<B>>,
    index_bits: u8,
    /// A bit for each value of the first `touched_bits` of an address: whether a prefix at least so long may be a member.
    /// Empty in small tries.
    touched: Box<[u64]>,
    touched_bits: u8,
}

/// Where a walk down goes on behind the nodes that the first bits decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry<B> {
    /// The lengths that the nodes passed by accept.
    passed: B,
    next: u32,
}

/// The longest index: 65,536 entries of eight octets.
const INDEX_BITS_MAX: u32 = 16;
/// Nodes for each entry of the index, at least: it takes a fifth of what the nodes take.
const NODES_TO_ENTRY: usize = 2;
/// The longest beginnings that have a bit: 128 KiB of them.
const TOUCHED_BITS_MAX: u32 = 20;
/// Bits for each node, at least, as a power of two: few are set, and they take less than the nodes.
const NODE_TOUCHED_BITS: u32 = 4;
/// A trie of so few nodes needs no index.
const NODES_MIN: usize = 64;

impl<B: Bits> Trie<B> {
    fn contains(&self, addr: B, len: u8) -> bool {
        let Some(bit) = len.checked_sub(1) else { return self.zero };
        if self.is_far_from(addr, len) {
            return false;
        }
        let mut next = match self.index.get(addr.first(self.index_bits)) {
            Some(entry) if len > self.index_bits => {
                if entry.passed.bit(bit) {
                    return true;
                }
                self.node(entry.next)
            }
            _ => self.nodes.first(),
        };
        while let Some(node) = next {
            if addr.common(node.base) < len.min(node.len) {
                return false;
            }
            if node.accept.bit(bit) {
                return true;
            }
            if len <= node.len {
                return false;
            }
            next = self.child(node, addr.bit(node.len));
        }
        false
    }

    /// Whether no member begins as the address does.
    fn is_far_from(&self, addr: B, len: u8) -> bool {
        let first = addr.first(self.touched_bits);
        let word = self.touched.get(first / 64).filter(|_| len >= self.touched_bits);
        word.is_some_and(|word| word >> (first % 64) & 1 == 0)
    }

    fn child(&self, node: &Node<B>, bit: bool) -> Option<&Node<B>> {
        self.node(node.children[usize::from(bit)])
    }

    fn node(&self, at: u32) -> Option<&Node<B>> {
        if at == NONE { None } else { self.nodes.get(at as usize) }
    }

    fn build_index(&mut self) {
        self.index = Vec::new();
        let bits = (self.nodes.len() / NODES_TO_ENTRY).checked_ilog2().unwrap_or(0).min(INDEX_BITS_MAX) as u8;
        if self.nodes.len() >= NODES_MIN {
            self.index = (0..1usize << bits).map(|first| self.entry(B::of_first(first, bits), bits)).collect();
            self.index_bits = bits;
            self.touch();
        }
    }

    fn touch(&mut self) {
        let bits = (self.nodes.len().ilog2() + NODE_TOUCHED_BITS).min(TOUCHED_BITS_MAX) as u8;
        let mut touched = vec![0u64; 1 << (bits - 6)];
        // The lengths of which the bits speak.
        let long = B::mask(bits - 1);
        for node in self.nodes.iter().filter(|node| node.accept.and(long) != node.accept) {
            let first = node.base.first(bits);
            let count = 1usize << bits.saturating_sub(node.len);
            for at in first..first + count {
                if let Some(word) = touched.get_mut(at / 64) {
                    *word |= 1 << (at % 64);
                }
            }
        }
        self.touched = touched.into();
        self.touched_bits = bits;
    }

    /// What is to be known of all addresses with the first `bits` of this one.
    fn entry(&self, addr: B, bits: u8) -> Entry<B> {
        let mut entry = Entry { passed: B::default(), next: NONE };
        let mut next = self.nodes.first();
        while let Some(node) = next.filter(|n| n.len < bits && addr.common(n.base) >= n.len) {
            entry.passed = entry.passed.or(node.accept);
            entry.next = node.children[usize::from(addr.bit(node.len))];
            next = self.node(entry.next);
        }
        entry
    }

    fn add(&mut self, base: B, len: u8, low: u8, high: u8) {
        if low > high {
            return;
        }
        self.index.clear();
        self.touched = Box::default();
        self.zero |= low == 0;
        // A base longer than all that it accepts is cut to the longest of them.
        let len = len.min(high);
        let base = base.and(B::mask(len));
        let accept = B::mask(low.saturating_sub(1)).xor(B::mask(high));
        if self.nodes.is_empty() {
            self.push(B::default(), 0, B::default());
        }
        self.insert(base, len, accept);
    }

    fn insert(&mut self, base: B, len: u8, accept: B) {
        let (mut parent, mut at) = (0usize, 0usize);
        loop {
            let Some(node) = self.nodes.get_mut(at) else { return };
            let common = base.common(node.base).min(len).min(node.len);
            if common == node.len && node.len == len {
                node.accept = node.accept.or(accept);
                return;
            }
            if common == node.len {
                // Above the new base: it accepts the short ones of the new lengths itself.
                node.accept = node.accept.or(accept.and(B::mask(node.len)));
                let way = usize::from(base.bit(node.len));
                let child = node.children[way] as usize;
                if child == NONE as usize {
                    let new = self.push(base, len, accept);
                    self.attach(at, way, new);
                    return;
                }
                (parent, at) = (at, child);
                continue;
            }
            let (below, below_base) = (node.accept, node.base);
            let way = usize::from(self.nodes.get(parent).is_some_and(|p| base.bit(p.len)));
            if common == len {
                // Between parent and node.
                let new = self.push(base, len, accept.or(below.and(B::mask(len))));
                self.attach(new, usize::from(below_base.bit(len)), at);
                self.attach(parent, way, new);
            } else {
                // Beside the node, under a fork that accepts what either takes in so short.
                let short = accept.or(below).and(B::mask(common));
                let fork = self.push(base.and(B::mask(common)), common, short);
                let new = self.push(base, len, accept);
                self.attach(fork, usize::from(base.bit(common)), new);
                self.attach(fork, usize::from(below_base.bit(common)), at);
                self.attach(parent, way, fork);
            }
            return;
        }
    }

    fn push(&mut self, base: B, len: u8, accept: B) -> usize {
        self.nodes.push(Node { base, accept, children: [NONE; 2], len });
        self.nodes.len() - 1
    }

    fn attach(&mut self, parent: usize, way: usize, child: usize) {
        if let Some(slot) = self.nodes.get_mut(parent).and_then(|p| p.children.get_mut(way)) {
            *slot = child as u32;
        }
    }

    /// As [`show`](Self::show), with the nodes of BIRD 2.
    fn show_fours(&self, f: &mut fmt::Formatter<'_>, first: &mut bool) -> fmt::Result {
        let is_v4 = B::default().address().is_ipv4();
        let mut fours = Fours::new();
        for node in &self.nodes {
            // What a node accepts for those below it is theirs.
            let below = [false, true].into_iter().filter_map(|bit| self.child(node, bit));
            let theirs = below.fold(0, |all, child| all | child.accept.and(B::mask(node.len)).upper());
            let mut own = node.accept.upper() & !theirs;
            while own != 0 {
                let low = own.leading_zeros() as u8 + 1;
                let run = (own << (low - 1)).leading_ones() as u8;
                let high = low - 1 + run;
                fours.add(node.base.upper(), node.len, low, high);
                own &= u128::MAX.checked_shr(high.into()).unwrap_or(0);
            }
        }
        let mut separate = |f: &mut fmt::Formatter<'_>| match std::mem::replace(first, false) {
            true => Ok(()),
            false => f.write_str(", "),
        };
        if self.zero {
            separate(f)?;
            write!(f, "{}/0", B::default().address())?;
        }
        fours.each(|addr, len, accept| {
            separate(f)?;
            write!(f, "{}/{len}{{{}}}", Written(fours::shown(addr, is_v4)), Written(fours::shown(accept, is_v4)))
        })
    }

    /// Every node that accepts something, parents first, lower addresses first.
    fn show(&self, f: &mut fmt::Formatter<'_>, first: &mut bool) -> fmt::Result {
        let mut separate = |f: &mut fmt::Formatter<'_>| match std::mem::replace(first, false) {
            true => Ok(()),
            false => f.write_str(", "),
        };
        if self.zero {
            separate(f)?;
            write!(f, "{}/0", B::default().address())?;
        }
        let mut waiting: Vec<&Node<B>> = self.nodes.first().into_iter().collect();
        while let Some(node) = waiting.pop() {
            if node.accept != B::default() {
                separate(f)?;
                write!(f, "{}/{}{{{}}}", Written(node.base.address()), node.len, Written(node.accept.address()))?;
            }
            waiting.extend([true, false].into_iter().filter_map(|bit| self.child(node, bit)));
        }
        Ok(())
    }
}

impl fmt::Display for PrefixSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        f.write_str("[")?;
        match self.dialect {
            Dialect::V1 => {
                self.v4.show(f, &mut first)?;
                self.v6.show(f, &mut first)?;
            }
            Dialect::V2 => {
                self.v4.show_fours(f, &mut first)?;
                self.v6.show_fours(f, &mut first)?;
            }
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(items: &[(&str, u8, u8)]) -> PrefixSet {
        let mut set = PrefixSet::new();
        for (base, low, high) in items {
            set.add(base.parse().unwrap(), *low, *high);
        }
        set
    }

    #[test]
    fn a_pattern_takes_in_the_lengths_that_it_names_and_no_others() {
        let s = set(&[("10.0.0.0/8", 16, 24)]);
        assert!(s.contains(&"10.1.0.0/16".parse().unwrap()));
        assert!(s.contains(&"10.1.2.0/24".parse().unwrap()));
        assert!(!s.contains(&"10.0.0.0/8".parse().unwrap()));
        assert!(!s.contains(&"10.1.2.0/25".parse().unwrap()));
        assert!(!s.contains(&"11.0.0.0/16".parse().unwrap()));
        assert_eq!(s.to_string(), "[10.0.0.0/8{0.1.255.0}]");
    }

    #[test]
    fn lengths_above_the_base_mean_shorter_prefixes_of_it() {
        let s = set(&[("10.0.0.0/8", 0, 8)]);
        assert!(s.contains(&"0.0.0.0/0".parse().unwrap()));
        assert!(s.contains(&"10.0.0.0/7".parse().unwrap()));
        assert!(!s.contains(&"12.0.0.0/7".parse().unwrap()));
        assert_eq!(s.to_string(), "[0.0.0.0/0, 10.0.0.0/8{255.0.0.0}]");
    }

    fn prefix() -> impl Strategy<Value = Prefix> {
        // Few distinct bits, so that bases nest and meet.
        (0u32..256, 0u8..=32)
            .prop_map(|(bits, len)| Prefix::new(Ipv4Addr::from_bits(bits.rotate_right(6)).into(), len).unwrap())
    }

    proptest! {
        #[test]
        fn a_set_answers_as_a_list_of_its_patterns_would(
            items in proptest::collection::vec((prefix(), 0u8..=32, 0u8..=32), 0..12),
            asked in proptest::collection::vec(prefix(), 1..40),
        ) {
            let mut set = PrefixSet::new();
            for (base, low, high) in &items {
                set.add(*base, *low, *high);
            }
            for p in asked {
                let listed = items.iter().any(|(base, low, high)| {
                    let short = Prefix::new(base.addr(), base.len().min(p.len())).unwrap();
                    (*low..=*high).contains(&p.len()) && short.covers(&p)
                });
                prop_assert_eq!(set.contains(&p), listed, "{} in {}", p, set);
            }
        }

        #[test]
        fn an_index_changes_no_answer(
            items in proptest::collection::vec((any::<u32>(), 0u8..=32, 0u8..=32, 0u8..=32), 1..200),
            asked in proptest::collection::vec((any::<u32>(), 0u8..=32), 1..100),
        ) {
            let prefix = |bits: u32, len| Prefix::new(Ipv4Addr::from_bits(bits & 0x1fff_ffff).into(), len).unwrap();
            let mut set = PrefixSet::new();
            for (bits, len, low, high) in &items {
                set.add(prefix(*bits, *len), *low, *high);
            }
            let mut indexed = set.clone();
            indexed.finish();
            prop_assert_eq!(indexed.v4.index.is_empty(), set.len() < NODES_MIN);
            let near = items.iter().map(|(bits, len, _, high)| (bits ^ 1 << 9, *len.max(high)));
            for (bits, len) in asked.into_iter().chain(near.collect::<Vec<_>>()) {
                let p = prefix(bits, len);
                prop_assert_eq!(indexed.contains(&p), set.contains(&p), "{} in {}", p, set);
            }
        }
    }
}
