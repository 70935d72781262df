//! A table like the Internet's: seeded, and known by arithmetic.
//!
//! Prefix `n` of a length is a permutation of the addresses of that length, so
//! the receiver finds a prefix's number by the inverse permutation instead of a
//! search in a map, and leaves the processor to the daemon that is measured.
//! Lengths, path lengths, the share of routes with communities and the number of
//! prefixes to an attribute set are those of the table of 2024, rounded.
//!
//! Who announces what is arithmetic as well: set `s` belongs to peer `s mod
//! peers`; the peers behind it announce it too when several copies are wanted,
//! each with its own AS once more in front, so that the order of all paths to a
//! prefix is known, whatever arrives first.

use std::ops::Range;

/// The largest table: there are no more /16 to hand out above.
pub const ROUTES_MAX: usize = 2_000_000;

/// An address family, as far as a load has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// Prefix lengths and their share in thousandths; what is left has the last one.
const LENGTHS4: &[(u8, usize)] =
    &[(16, 14), (17, 9), (18, 15), (19, 27), (20, 46), (21, 53), (22, 113), (23, 112), (24, 1000)];
const LENGTHS6: &[(u8, usize)] = &[(29, 20), (32, 130), (36, 40), (40, 70), (44, 90), (46, 30), (47, 20), (48, 1000)];
/// The permutation: odd, so it has an inverse in every power of two.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const OFFSET: u64 = 0x0133_7b0d_0133_7b0d;
/// Global unicast of IPv6, 2000::/3: these bits stand before the permuted ones.
const FIXED6: u8 = 3;
/// An attribute set has 1 to this many prefixes, 5.5 in the mean.
const GROUP_MAX: u64 = 10;
/// The AS of peer 0; the others follow.
const PEERS_AS: u32 = 65001;
/// The AS number that says the generation; it follows the peer's.
const GENERATION_AS: u32 = 4_100_000_000;
/// The AS number that says the attribute set; the last in a path.
const ORIGIN_AS: u32 = 1_000_000;
/// The least room for a message (RFC 4271 4), and its head.
const MESSAGE_MAX: usize = 4096;
const HEAD: usize = 19;

/// The AS number of a peer.
pub const fn asn(peer: usize) -> u32 {
    PEERS_AS + peer as u32
}

/// Who announces a set: peer `set mod peers`, and the `copies - 1` peers that follow it.
#[derive(Clone, Copy, Debug)]
pub struct Sharing {
    pub peers: usize,
    pub copies: usize,
}

impl Sharing {
    /// Which place among the announcers of a set a peer has; 0 is best.
    pub const fn rank(self, peer: usize, set: u32) -> Option<usize> {
        let rank = (peer + self.peers - set as usize % self.peers) % self.peers;
        if peer < self.peers && rank < self.copies { Some(rank) } else { None }
    }

    /// The announcer of a set with this rank.
    pub const fn announcer(self, rank: usize, set: u32) -> usize {
        (set as usize + rank) % self.peers
    }
}

/// All routes.
pub struct Table {
    pub family: Family,
    pub sharing: Sharing,
    classes: Vec<Class>,
    /// The attribute set of each prefix number; [`NONE`] where the number is no route.
    set_of: Vec<u32>,
    /// The prefixes of all sets, one set after the other: the address in the upper bits, the length.
    prefixes: Vec<(u64, u8)>,
    sets: Vec<Set>,
    /// Whether each set's best copy asks not to be told to one of the peers, by a community.
    denies: bool,
}

/// No attribute set.
pub const NONE: u32 = u32::MAX;

/// The prefixes of one length.
struct Class {
    length: u8,
    /// The number of the first.
    first: u32,
    /// How many numbers it has, those of unusable addresses included.
    numbers: u32,
}

/// An attribute set.
struct Set {
    prefixes: Range<usize>,
    /// AS numbers between the generation and the origin.
    middle: Vec<u32>,
    communities: Vec<u32>,
    med: Option<u32>,
}

/// splitmix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Table {
    /// A table with so many routes; always the same one.
    pub fn new(family: Family, routes: usize, sharing: Sharing, denies: bool) -> Self {
        let mut dice = Dice(42);
        let (classes, mut numbered) = classes(family, routes);
        for i in (1..numbered.len()).rev() {
            numbered.swap(i, dice.below(i as u64 + 1) as usize);
        }
        let numbers = classes.last().map_or(0, |c| c.first + c.numbers);
        let mut set_of = vec![NONE; numbers as usize];
        let mut sets = Vec::new();
        let mut at = 0;
        while at < numbered.len() {
            let end = (at + 1 + dice.below(GROUP_MAX) as usize).min(numbered.len());
            for (number, ..) in &numbered[at..end] {
                set_of[*number as usize] = sets.len() as u32;
            }
            sets.push(Set::roll(at..end, &mut dice));
            at = end;
        }
        let prefixes = numbered.into_iter().map(|(_, address, length)| (address, length)).collect();
        Self { family, sharing, classes, set_of, prefixes, sets, denies }
    }

    /// How many attribute sets there are.
    pub const fn sets(&self) -> u32 {
        self.sets.len() as u32
    }

    /// One more than the largest number of a prefix.
    pub const fn numbers(&self) -> usize {
        self.set_of.len()
    }

    /// All routes: address in the upper bits, length; those of one set stand together.
    pub fn prefixes(&self) -> &[(u64, u8)] {
        &self.prefixes
    }

    /// The routes of these sets.
    pub fn prefixes_of(&self, sets: Range<u32>) -> &[(u64, u8)] {
        let first = self.sets.get(sets.start as usize).map_or(self.prefixes.len(), |s| s.prefixes.start);
        let end = self.sets.get(sets.end as usize).map_or(self.prefixes.len(), |s| s.prefixes.start);
        &self.prefixes[first..end]
    }

    /// /24s that look like those of the table and are none of its routes; IPv4 only.
    pub fn strangers(&self) -> impl Iterator<Item = (u64, u8)> + '_ {
        let free = self.classes.last().map_or(0, |c| c.numbers);
        (free..).map(|n| (forth(Family::Ipv4, n, 24), 24)).filter(|(a, _)| is_usable(Family::Ipv4, *a))
    }

    /// The number of a prefix, whose address stands in the upper bits; `None` when it is none of ours.
    pub fn number(&self, address: u64, length: u8) -> Option<usize> {
        let class = self.classes.iter().rev().find(|c| c.length == length)?;
        let n = back(self.family, address, length);
        let number = (n < u64::from(class.numbers)).then(|| class.first as usize + n as usize)?;
        (self.set_of[number] != NONE).then_some(number)
    }

    /// The attribute set of a numbered prefix; [`NONE`] when there is no such route.
    pub fn set_of(&self, number: usize) -> u32 {
        self.set_of[number]
    }

    /// Whether the best copy of a set asks not to be told to this peer.
    pub const fn denies(&self, set: u32, peer: usize) -> bool {
        self.denies && self.denied(set) == peer
    }

    const fn denied(&self, set: u32) -> usize {
        (Dice(set as u64).next() % self.sharing.peers as u64) as usize
    }

    /// Whose path to a set this is and of which generation; `None` when nobody ever sent it.
    ///
    /// `lead` is the daemon's own AS, where it puts that in front.
    pub fn read_path(&self, set: u32, octets: &[u8], lead: Option<u32>) -> Option<(usize, u8)> {
        let (numbers, rest) = octets.as_chunks::<4>();
        let mut path = numbers.iter().map(|o| u32::from_be_bytes(*o));
        if lead.is_some() && path.next() != lead {
            return None;
        }
        let first = path.next()?;
        let peer = first.checked_sub(PEERS_AS)? as usize;
        for _ in 0..self.sharing.rank(peer, set)? {
            (path.next()? == first).then_some(())?;
        }
        let generation = u8::try_from(path.next()?.checked_sub(GENERATION_AS)?).ok()?;
        let tail = self.sets.get(set as usize)?.middle.iter().copied().chain([ORIGIN_AS + set]);
        (rest.is_empty() && tail.eq(path)).then_some((peer, generation))
    }

    /// A peer's share of some sets as UPDATE messages of one generation.
    pub fn announce(&self, peer: usize, sets: Range<u32>, generation: u8, next_hop: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.prefixes_of(sets.clone()).len() * 20);
        for number in sets {
            let Some(rank) = self.sharing.rank(peer, number) else { continue };
            let set = &self.sets[number as usize];
            let mut nlri = Vec::new();
            self.prefixes[set.prefixes.clone()].iter().for_each(|p| put_prefix(&mut nlri, *p));
            let mut attributes = Vec::new();
            if self.family == Family::Ipv6 {
                put_attribute(&mut attributes, 0x90, 14, |v| {
                    v.extend_from_slice(&[0, 2, 1, next_hop.len() as u8]);
                    v.extend_from_slice(next_hop);
                    v.push(0);
                    v.append(&mut nlri);
                });
            }
            let path = std::iter::repeat_n(asn(peer), rank + 1).chain([GENERATION_AS + u32::from(generation)]);
            let path = path.chain(set.middle.iter().copied()).chain([ORIGIN_AS + number]);
            let refused = (self.denies && rank == 0).then(|| asn(self.denied(number)));
            set.put_attributes(&mut attributes, path, refused, (self.family == Family::Ipv4).then_some(next_hop));
            put_update(&mut out, &[], &attributes, &nlri);
        }
        out
    }

    /// The withdrawal of all a peer's routes of some sets.
    pub fn withdraw(&self, peer: usize, sets: Range<u32>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut nlri = Vec::new();
        for number in sets.filter(|s| self.sharing.rank(peer, *s).is_some()) {
            for prefix in &self.prefixes[self.sets[number as usize].prefixes.clone()] {
                put_prefix(&mut nlri, *prefix);
            }
            if nlri.len() > MESSAGE_MAX - 200 {
                put_withdrawal(&mut out, self.family, &nlri);
                nlri.clear();
            }
        }
        if !nlri.is_empty() {
            put_withdrawal(&mut out, self.family, &nlri);
        }
        out
    }
}

fn put_prefix(out: &mut Vec<u8>, (address, length): (u64, u8)) {
    out.push(length);
    out.extend_from_slice(&address.to_be_bytes()[..usize::from(length.div_ceil(8))]);
}

/// An attribute with a length of two octets.
fn put_attribute(out: &mut Vec<u8>, flags: u8, code: u8, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[flags, code, 0, 0]);
    let start = out.len();
    value(out);
    let octets = (out.len() - start) as u16;
    out[start - 2..start].copy_from_slice(&octets.to_be_bytes());
}

/// A message that withdraws prefixes, which are given as octets.
pub fn put_withdrawal(out: &mut Vec<u8>, family: Family, nlri: &[u8]) {
    if family == Family::Ipv4 {
        return put_update(out, nlri, &[], &[]);
    }
    let mut attributes = Vec::new();
    put_attribute(&mut attributes, 0x90, 15, |v| {
        v.extend_from_slice(&[0, 2, 1]);
        v.extend_from_slice(nlri);
    });
    put_update(out, &[], &attributes, &[]);
}

fn put_update(out: &mut Vec<u8>, withdrawn: &[u8], attributes: &[u8], announced: &[u8]) {
    let octets = HEAD + 4 + withdrawn.len() + attributes.len() + announced.len();
    assert!(octets <= MESSAGE_MAX, "a set of at most {GROUP_MAX} prefixes fits a message");
    out.extend_from_slice(&[0xff; 16]);
    out.extend_from_slice(&(octets as u16).to_be_bytes());
    out.push(2);
    out.extend_from_slice(&(withdrawn.len() as u16).to_be_bytes());
    out.extend_from_slice(withdrawn);
    out.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
    out.extend_from_slice(attributes);
    out.extend_from_slice(announced);
}

/// The lengths, and each route's number, address and length.
fn classes(family: Family, routes: usize) -> (Vec<Class>, Vec<(u32, u64, u8)>) {
    let mut classes = Vec::new();
    let mut numbered = Vec::with_capacity(routes);
    let mut first = 0;
    for (length, thousandths) in if family == Family::Ipv4 { LENGTHS4 } else { LENGTHS6 } {
        let wanted = routes.min(numbered.len() + routes * thousandths / 1000);
        let mut n = 0;
        while numbered.len() < wanted {
            let address = forth(family, n, *length);
            if is_usable(family, address) {
                numbered.push((first + n, address, *length));
            }
            n += 1;
        }
        classes.push(Class { length: *length, first, numbers: n });
        first += n;
    }
    (classes, numbered)
}

const fn is_usable(family: Family, address: u64) -> bool {
    matches!(family, Family::Ipv6) || !matches!(address >> 56, 0 | 10 | 127 | 224..)
}

/// How many bits of a prefix are permuted.
const fn bits(family: Family, length: u8) -> u8 {
    match family {
        Family::Ipv4 => length,
        Family::Ipv6 => length - FIXED6,
    }
}

/// The n-th address of a length, in the upper bits.
const fn forth(family: Family, n: u32, length: u8) -> u64 {
    let upper = (n as u64).wrapping_mul(FACTOR).wrapping_add(OFFSET) & (u64::MAX >> (64 - bits(family, length)));
    let fixed = if matches!(family, Family::Ipv6) { 1 << (64 - FIXED6) } else { 0 };
    fixed | upper << (64 - length)
}

/// Which address of a length this is.
const fn back(family: Family, address: u64, length: u8) -> u64 {
    let upper = address >> (64 - length);
    upper.wrapping_sub(OFFSET).wrapping_mul(INVERSE) & (u64::MAX >> (64 - bits(family, length)))
}

/// The inverse of the factor modulo 2^64, by Newton's method: each step doubles the right bits.
const INVERSE: u64 = {
    let mut x = FACTOR;
    let mut step = 0;
    while step < 6 {
        x = x.wrapping_mul(2u64.wrapping_sub(FACTOR.wrapping_mul(x)));
        step += 1;
    }
    x
};

impl Set {
    fn roll(prefixes: Range<usize>, dice: &mut Dice) -> Self {
        let middle = (0..dice.below(5)).map(|_| 1000 + dice.below(22_000) as u32).collect();
        let tagged = dice.below(10) < 6;
        let count = if tagged { 1 + dice.below(8) } else { 0 };
        let mut communities: Vec<_> = (0..count).map(|_| (dice.next() >> 33) as u32 | 0x0400_0000).collect();
        communities.sort_unstable();
        let med = (dice.below(10) == 0).then(|| dice.below(1000) as u32);
        Self { prefixes, middle, communities, med }
    }

    /// `refused`: the community (0, AS) asks route servers not to tell this AS.
    fn put_attributes(
        &self,
        out: &mut Vec<u8>,
        path: impl Iterator<Item = u32>,
        refused: Option<u32>,
        next_hop: Option<&[u8]>,
    ) {
        out.extend_from_slice(&[0x40, 1, 1, 0]);
        let path: Vec<u8> = path.flat_map(u32::to_be_bytes).collect();
        out.extend_from_slice(&[0x40, 2, path.len() as u8 + 2, 2, (path.len() / 4) as u8]);
        out.extend_from_slice(&path);
        if let Some(next_hop) = next_hop {
            out.extend_from_slice(&[0x40, 3, next_hop.len() as u8]);
            out.extend_from_slice(next_hop);
        }
        if let Some(med) = self.med {
            out.extend_from_slice(&[0x80, 4, 4]);
            out.extend_from_slice(&med.to_be_bytes());
        }
        let communities = refused.into_iter().chain(self.communities.iter().copied());
        let communities: Vec<u8> = communities.flat_map(u32::to_be_bytes).collect();
        if !communities.is_empty() {
            out.extend_from_slice(&[0xc0, 8, communities.len() as u8]);
            out.extend_from_slice(&communities);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Sharing = Sharing { peers: 1, copies: 1 };

    #[test]
    fn every_route_is_found_by_its_number_and_no_other() {
        for family in [Family::Ipv4, Family::Ipv6] {
            let table = Table::new(family, 20_000, ALONE, false);
            let mut numbers: Vec<_> = table.prefixes.iter().map(|(a, l)| table.number(*a, *l).unwrap()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), 20_000);
            assert_eq!((0..table.numbers()).filter(|n| table.set_of(*n) != NONE).count(), 20_000);
        }
    }

    #[test]
    fn the_table_is_like_the_internets() {
        let table = Table::new(Family::Ipv4, 100_000, ALONE, false);
        let of_length = |length| table.prefixes.iter().filter(|(_, l)| *l == length).count();
        assert!((59_000..63_000).contains(&of_length(24)));
        assert!((11_000..11_500).contains(&of_length(23)));
        let per_set = table.prefixes.len() as f64 / table.sets.len() as f64;
        assert!((5.3..5.7).contains(&per_set), "{per_set}");
        let hops: usize = table.sets.iter().map(|s| s.middle.len() + 3).sum();
        assert!((4.9..5.1).contains(&(hops as f64 / table.sets.len() as f64)));
        let tagged = table.sets.iter().filter(|s| !s.communities.is_empty()).count();
        assert!((0.58..0.62).contains(&(tagged as f64 / table.sets.len() as f64)));
    }

    #[test]
    fn a_path_says_peer_and_generation_and_a_forged_one_says_nothing() {
        let table = Table::new(Family::Ipv4, 100, Sharing { peers: 3, copies: 2 }, true);
        let path = |set: u32, peer: usize, rank: usize, generation: u32| -> Vec<u8> {
            let head = std::iter::repeat_n(asn(peer), rank + 1).chain([GENERATION_AS + generation]);
            let tail = table.sets[set as usize].middle.iter().copied().chain([ORIGIN_AS + set]);
            head.chain(tail).flat_map(u32::to_be_bytes).collect()
        };
        assert_eq!(table.read_path(4, &path(4, 1, 0, 7), None), Some((1, 7)));
        assert_eq!(table.read_path(4, &path(4, 2, 1, 7), None), Some((2, 7)));
        assert_eq!(table.read_path(4, &path(4, 2, 0, 7), None), None);
        assert_eq!(table.read_path(4, &path(4, 0, 2, 7), None), None);
        assert_eq!(table.read_path(5, &path(4, 1, 0, 7), None), None);
        assert_eq!(table.read_path(4, &path(4, 1, 0, 7), Some(65000)), None);
    }

    #[test]
    fn strangers_are_no_routes() {
        let table = Table::new(Family::Ipv4, 5000, ALONE, false);
        assert!(table.strangers().take(1000).all(|(a, l)| table.number(a, l).is_none()));
    }
}
