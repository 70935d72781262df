//! A table like the Internet's: seeded, and known by arithmetic.
//!
//! Prefix `n` of a length is a permutation of the addresses of that length, so
//! the receiver finds a prefix's number by the inverse permutation instead of a
//! search in a map, and leaves the processor to the daemon that is measured.
//! Lengths, path lengths, the share of routes with communities and the number of
//! prefixes to an attribute set are those of the table of 2024, rounded.

/// The largest table: there are no more /16 to hand out above.
pub const ROUTES_MAX: usize = 2_000_000;

/// Prefix lengths and their share in thousandths; what is left is /24.
const LENGTHS: [(u8, usize); 8] = [(16, 14), (17, 9), (18, 15), (19, 27), (20, 46), (21, 53), (22, 113), (23, 112)];
/// The permutation: odd, so it has an inverse in every power of two.
const FACTOR: u32 = 0x9e37_79b1;
const OFFSET: u32 = 0x0133_7b0d;
/// An attribute set has 1 to this many prefixes, 5.5 in the mean.
const GROUP_MAX: u64 = 10;
/// The AS of the feeder, first in every path of its.
pub const FEEDER_AS: u32 = 65001;
/// The AS number that says the generation; the second in a path.
const GENERATION_AS: u32 = 4_100_000_000;
/// The AS number that says the attribute set; the last in a path.
const ORIGIN_AS: u32 = 1_000_000;
/// The least room for a message (RFC 4271 4).
const MESSAGE_MAX: usize = 4096;

/// All routes that the feeder has.
pub struct Table {
    classes: Vec<Class>,
    /// The attribute set of each prefix number; [`NONE`] where the number is no route.
    set_of: Vec<u32>,
    /// The prefixes of all sets, one set after the other.
    prefixes: Vec<(u32, u8)>,
    sets: Vec<Set>,
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
    prefixes: std::ops::Range<usize>,
    /// AS numbers between the generation and the origin.
    middle: Vec<u32>,
    communities: Vec<u32>,
    med: Option<u32>,
}

/// splitmix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Table {
    /// A table with so many routes; always the same one.
    pub fn new(routes: usize) -> Self {
        let mut dice = Dice(42);
        let (classes, mut numbered) = classes(routes);
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
        Self { classes, set_of, prefixes, sets }
    }

    /// How many routes there are.
    pub fn routes(&self) -> usize {
        self.prefixes.len()
    }

    /// One more than the largest number of a prefix.
    pub fn numbers(&self) -> usize {
        self.set_of.len()
    }

    /// The number of a prefix; `None` when it is none of ours.
    pub fn number(&self, address: u32, length: u8) -> Option<usize> {
        let class = self.classes.iter().rev().find(|c| c.length == length)?;
        let n = back(address >> (32 - length), length);
        (n < class.numbers).then_some((class.first + n) as usize)
    }

    /// The attribute set of a numbered prefix; [`NONE`] when there is no such route.
    pub fn set_of(&self, number: usize) -> u32 {
        self.set_of[number]
    }

    /// The octets of AS_PATH's only segment as a neighbour of the daemon must see them.
    pub fn path_told(&self, set: u32, generation: u32, daemon_as: u32) -> Option<Vec<u8>> {
        let set_number = set;
        let set = self.sets.get(set as usize)?;
        let path = std::iter::once(daemon_as).chain(set.path(set_number, generation));
        Some(path.flat_map(u32::to_be_bytes).collect())
    }

    /// All routes as UPDATE messages of one generation, and how many messages those are.
    pub fn encode(&self, generation: u32, next_hop: [u8; 4]) -> (Vec<u8>, u64) {
        let mut out = Vec::with_capacity(self.prefixes.len() * 20);
        for (number, set) in self.sets.iter().enumerate() {
            let attributes = set.attributes(number as u32, generation, next_hop);
            let start = out.len();
            out.extend_from_slice(&[0xff; 16]);
            out.extend_from_slice(&[0, 0, 2, 0, 0]);
            out.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
            out.extend_from_slice(&attributes);
            for (address, length) in &self.prefixes[set.prefixes.clone()] {
                out.push(*length);
                out.extend_from_slice(&address.to_be_bytes()[..usize::from(length.div_ceil(8))]);
            }
            let octets = out.len() - start;
            assert!(octets <= MESSAGE_MAX, "a set of at most {GROUP_MAX} prefixes fits a message");
            out[start + 16..start + 18].copy_from_slice(&(octets as u16).to_be_bytes());
        }
        (out, self.sets.len() as u64)
    }
}

/// The lengths, and each route's number, address and length.
fn classes(routes: usize) -> (Vec<Class>, Vec<(u32, u32, u8)>) {
    let mut classes = Vec::new();
    let mut numbered = Vec::with_capacity(routes);
    let mut first = 0;
    let longest = (24, 1000);
    for (length, thousandths) in LENGTHS.into_iter().chain([longest]) {
        let wanted = if length == 24 { routes } else { numbered.len() + routes * thousandths / 1000 };
        let mut n = 0;
        while numbered.len() < wanted {
            let address = forth(n, length) << (32 - length);
            if is_usable(address) {
                numbered.push((first + n, address, length));
            }
            n += 1;
        }
        classes.push(Class { length, first, numbers: n });
        first += n;
    }
    (classes, numbered)
}

const fn is_usable(address: u32) -> bool {
    !matches!(address >> 24, 0 | 10 | 127 | 224..)
}

/// The n-th address of a length, in its upper bits.
const fn forth(n: u32, length: u8) -> u32 {
    n.wrapping_mul(FACTOR).wrapping_add(OFFSET) & (u32::MAX >> (32 - length))
}

/// Which address of a length this is.
const fn back(upper: u32, length: u8) -> u32 {
    upper.wrapping_sub(OFFSET).wrapping_mul(inverse(FACTOR)) & (u32::MAX >> (32 - length))
}

/// The inverse modulo 2^32 of an odd number, by Newton's method: each step doubles the right bits.
const fn inverse(odd: u32) -> u32 {
    let mut x = odd;
    let mut step = 0;
    while step < 5 {
        x = x.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(x)));
        step += 1;
    }
    x
}

impl Set {
    fn roll(prefixes: std::ops::Range<usize>, dice: &mut Dice) -> Self {
        let middle = (0..dice.below(5)).map(|_| 1000 + dice.below(60_000) as u32).collect();
        let tagged = dice.below(10) < 6;
        let count = if tagged { 1 + dice.below(8) } else { 0 };
        let mut communities: Vec<_> = (0..count).map(|_| (dice.next() >> 33) as u32 | 0x0400_0000).collect();
        communities.sort_unstable();
        let med = (dice.below(10) == 0).then(|| dice.below(1000) as u32);
        Self { prefixes, middle, communities, med }
    }

    fn path(&self, number: u32, generation: u32) -> impl Iterator<Item = u32> {
        let head = [FEEDER_AS, GENERATION_AS + generation];
        head.into_iter().chain(self.middle.iter().copied()).chain([ORIGIN_AS + number])
    }

    fn attributes(&self, number: u32, generation: u32, next_hop: [u8; 4]) -> Vec<u8> {
        let mut out = vec![0x40, 1, 1, 0];
        let path: Vec<u8> = self.path(number, generation).flat_map(u32::to_be_bytes).collect();
        out.extend_from_slice(&[0x40, 2, path.len() as u8 + 2, 2, (path.len() / 4) as u8]);
        out.extend_from_slice(&path);
        out.extend_from_slice(&[0x40, 3, 4]);
        out.extend_from_slice(&next_hop);
        if let Some(med) = self.med {
            out.extend_from_slice(&[0x80, 4, 4]);
            out.extend_from_slice(&med.to_be_bytes());
        }
        if !self.communities.is_empty() {
            out.extend_from_slice(&[0xc0, 8, self.communities.len() as u8 * 4]);
            self.communities.iter().for_each(|c| out.extend_from_slice(&c.to_be_bytes()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_by_its_number_and_no_other() {
        let table = Table::new(20_000);
        let mut numbers: Vec<_> = table.prefixes.iter().map(|(a, l)| table.number(*a, *l).unwrap()).collect();
        assert!(numbers.iter().all(|n| table.set_of(*n) != NONE));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20_000);
        assert_eq!((0..table.numbers()).filter(|n| table.set_of(*n) != NONE).count(), 20_000);
    }

    #[test]
    fn the_table_is_like_the_internets() {
        let table = Table::new(100_000);
        let of_length = |length| table.prefixes.iter().filter(|(_, l)| *l == length).count();
        assert!((59_000..63_000).contains(&of_length(24)));
        assert!((11_000..11_500).contains(&of_length(23)));
        let per_set = table.routes() as f64 / table.sets.len() as f64;
        assert!((5.3..5.7).contains(&per_set), "{per_set}");
        let hops: usize = table.sets.iter().map(|s| s.middle.len() + 3).sum();
        assert!((4.9..5.1).contains(&(hops as f64 / table.sets.len() as f64)));
        let tagged = table.sets.iter().filter(|s| !s.communities.is_empty()).count();
        assert!((0.58..0.62).contains(&(tagged as f64 / table.sets.len() as f64)));
    }

    #[test]
    fn generations_differ_in_every_path() {
        let table = Table::new(1000);
        for set in 0..table.sets.len() as u32 {
            assert_ne!(table.path_told(set, 1, 65000), table.path_told(set, 2, 65000));
        }
    }
}
