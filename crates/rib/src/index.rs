//! Numbers found by hash: one array in the order of the hashes, cut into shards.
//!
//! An entry is 32 bits of the hash and the number. A shard holds a range of the
//! hashes, spread over its places; an entry stands at the place that its hash says
//! or, where that is taken, behind it, so that the hashes are in order (ordered
//! linear probing). A look begins at a place that is known from the hash alone and
//! ends at the first greater hash, nearly always in the same cache line; so the
//! owner can [ask for](Index::fetch) the lines of a whole batch before it looks.
//!
//! Why the hash stands beside the number, though it costs four octets: growing,
//! splitting and removing read nothing but the shard, from front to back. To hash
//! the keys anew would mean a miss of the caches for each entry, and that a look
//! for what is not there reads a key now and then.
//!
//! One table that doubles would stop its owner for as long as it takes to move
//! every entry: tens of milliseconds for a million. Here a shard has [`PLACES_MAX`]
//! places at most; a full one is cut in two by the next bit of the hashes
//! (extendible hashing), and one that has lost most of its entries shrinks. The
//! directory from the first bits to shards is copied when it doubles: four octets
//! for every three hundred numbers or so.
//!
//! Peers choose what is hashed, so hashes must be seeded; as long as nobody can
//! make them alike the shards are about equally full. Should they be alike
//! nevertheless, a shard that does not get smaller by cutting grows, once the
//! directory has [`DEPTH_MAX`] bits.

use crate::ahead;

/// Places of a shard over which hashes are spread: a page of memory.
const PLACES_MAX: usize = 512;
/// The least places of a shard that is not empty.
const PLACES_MIN: usize = 16;
/// Places behind those, for what is pushed out of its own; some more are added when these do not do.
const SPILL: usize = 8;
/// Bits that the directory reads at most: enough for 2^31 numbers.
const DEPTH_MAX: u8 = 22;
/// No entry. Its hash is greater than any, so every look ends here.
const VACANT: u64 = u64::MAX;

/// Numbers found by hash.
#[derive(Debug)]
pub(crate) struct Index {
    /// The shard for each value of the first `depth` bits.
    directory: Vec<u32>,
    depth: u8,
    shards: Vec<Shard>,
}

/// The hashes that begin with the same `depth` bits.
#[derive(Debug, Default)]
struct Shard {
    /// The hash in the upper half, the number in the lower; in order but for vacant places between.
    entries: Vec<u64>,
    /// Over how many of these hashes are spread.
    places: u32,
    len: u32,
    depth: u8,
}

impl Default for Index {
    fn default() -> Self {
        Self { directory: vec![0], depth: 0, shards: vec![Shard::default()] }
    }
}

/// The bits of a hash that are used.
#[inline]
const fn short(hash: u64) -> u32 {
    let short = (hash >> 32) as u32;
    // No hash is that of a vacant place.
    if short == u32::MAX { short - 1 } else { short }
}

const fn entry(hash: u32, number: u32) -> u64 {
    (hash as u64) << 32 | number as u64
}

impl Index {
    #[inline]
    fn place(&self, hash: u32) -> usize {
        (u64::from(hash) >> (32 - self.depth)) as usize
    }

    #[inline]
    fn shard(&self, hash: u32) -> &Shard {
        &self.shards[self.directory[self.place(hash)] as usize]
    }

    /// Asks memory for what a look at this hash will read.
    #[inline]
    pub(crate) fn fetch(&self, hash: u64) {
        let hash = short(hash);
        let shard = self.shard(hash);
        if let Some(first) = shard.entries.get(shard.home(hash)) {
            ahead::fetch(first);
        }
    }

    /// The number with this hash that `is` it.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl FnMut(&u32) -> bool) -> Option<u32> {
        let hash = short(hash);
        self.shard(hash).look(hash, is).ok()
    }

    /// Adds a number that is not there.
    pub(crate) fn insert(&mut self, hash: u64, number: u32) {
        self.find_or_insert(hash, number, |_| false);
    }

    /// The number with this hash that `is` it, else `number`, which is added; and whether it was. One look does both.
    #[inline]
    pub(crate) fn find_or_insert(&mut self, hash: u64, number: u32, is: impl Fn(&u32) -> bool) -> (u32, bool) {
        let hash = short(hash);
        let at = self.directory[self.place(hash)];
        let shard = &mut self.shards[at as usize];
        match shard.look(hash, &is) {
            Ok(found) => return (found, false),
            Err(place) if !shard.is_full() => shard.put(place, entry(hash, number)),
            Err(_) => self.insert_with_room(at, hash, number),
        }
        (number, true)
    }

    /// Makes room in a full shard and adds a number that is not there.
    #[cold]
    fn insert_with_room(&mut self, mut at: u32, hash: u32, number: u32) {
        while self.shards[at as usize].is_full() {
            let shard = &mut self.shards[at as usize];
            if (shard.places as usize) < PLACES_MAX || shard.depth == DEPTH_MAX {
                shard.resize();
            } else {
                self.split(at, hash);
                at = self.directory[self.place(hash)];
            }
        }
        let shard = &mut self.shards[at as usize];
        if let Err(place) = shard.look(hash, |_| false) {
            shard.put(place, entry(hash, number));
        }
    }

    /// Moves the entries of a shard whose hashes have the next bit set into a new one. `hash` is of the shard.
    fn split(&mut self, at: u32, hash: u32) {
        let fresh = self.shards.len() as u32;
        let shard = &mut self.shards[at as usize];
        let depth = shard.depth + 1;
        // The first hash of the second half.
        let border = hash >> (32 - depth) << (32 - depth) | 1 << (32 - depth);
        let entries = std::mem::take(&mut shard.entries);
        let is_first = |e: &&u64| (**e >> 32) < u64::from(border);
        let (stay, go): (Vec<u64>, Vec<u64>) = entries.iter().filter(|e| **e != VACANT).partition(is_first);
        *shard = Shard::of(&stay, depth);
        self.shards.push(Shard::of(&go, depth));
        if depth > self.depth {
            self.directory = self.directory.iter().flat_map(|shard| [*shard; 2]).collect();
            self.depth = depth;
        }
        let first = self.place(border);
        let places = 1 << (self.depth - depth);
        self.directory.iter_mut().skip(first).take(places).for_each(|place| *place = fresh);
    }

    /// Removes a number.
    #[inline]
    pub(crate) fn remove(&mut self, hash: u64, number: u32) {
        let hash = short(hash);
        let at = self.directory[self.place(hash)];
        self.shards[at as usize].remove(hash, number);
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        let shards: usize = self.shards.iter().map(|s| s.entries.capacity() * size_of::<u64>()).sum();
        shards + size_of_val(&*self.shards) + size_of_val(&*self.directory)
    }
}

impl Shard {
    /// A shard of entries that are in order.
    fn of(entries: &[u64], depth: u8) -> Self {
        let len = entries.len();
        if len == 0 {
            return Self { depth, ..Self::default() };
        }
        // Three quarters full, as long as there is another way than to grow.
        let most = if depth == DEPTH_MAX { usize::MAX } else { PLACES_MAX };
        let places = (len + len / 3).clamp(PLACES_MIN, most);
        let mut shard = Self { entries: Vec::new(), places: places as u32, len: len as u32, depth };
        shard.entries.reserve_exact(places + SPILL);
        shard.entries.resize(places + SPILL, VACANT);
        let mut next = 0;
        for entry in entries {
            let at = shard.home((entry >> 32) as u32).max(next);
            shard.lengthen(at);
            shard.entries[at] = *entry;
            next = at + 1;
        }
        shard
    }

    /// The same with room for what it holds.
    fn resize(&mut self) {
        let entries: Vec<u64> = self.entries.iter().copied().filter(|e| *e != VACANT).collect();
        *self = if entries.is_empty() {
            let entries = vec![VACANT; PLACES_MIN + SPILL];
            Self { entries, places: PLACES_MIN as u32, len: 0, depth: self.depth }
        } else {
            Self::of(&entries, self.depth)
        };
    }

    /// The place that a hash of this shard says.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash << self.depth) * u64::from(self.places)) >> 32) as usize
    }

    #[inline]
    fn is_full(&self) -> bool {
        is_full(self.len as usize, self.places as usize)
    }

    /// The number with this hash that `is` it, else the place where an entry of this hash may be put.
    #[inline]
    fn look(&self, hash: u32, mut is: impl FnMut(&u32) -> bool) -> Result<u32, usize> {
        let mut at = self.home(hash);
        while let Some(entry) = self.entries.get(at) {
            let here = (entry >> 32) as u32;
            if here > hash {
                break;
            }
            let number = *entry as u32;
            if here == hash && is(&number) {
                return Ok(number);
            }
            at += 1;
        }
        Err(at)
    }

    /// Makes sure that there is a place `at`.
    fn lengthen(&mut self, at: usize) {
        if at >= self.entries.len() {
            self.entries.reserve_exact(SPILL);
            self.entries.resize(self.entries.len() + SPILL, VACANT);
        }
    }

    /// Puts an entry at a place; what stands there and behind, up to the next vacant place, moves on by one.
    #[inline]
    fn put(&mut self, at: usize, entry: u64) {
        let taken = self.entries.get(at..).unwrap_or_default().iter().position(|e| *e == VACANT);
        let gap = taken.map_or(self.entries.len(), |taken| at + taken);
        self.lengthen(gap);
        self.entries.copy_within(at..gap, at + 1);
        self.entries[at] = entry;
        self.len += 1;
    }

    /// Takes an entry out; those behind that had been pushed on move back by one.
    #[inline]
    fn remove(&mut self, hash: u32, number: u32) {
        let wanted = entry(hash, number);
        let home = self.home(hash);
        let behind = self.entries.get(home..).unwrap_or_default();
        let Some(at) = behind.iter().take_while(|e| *e >> 32 <= u64::from(hash)).position(|e| *e == wanted) else {
            return;
        };
        let at = home + at;
        let mut end = at + 1;
        while let Some(entry) = self.entries.get(end)
            && *entry != VACANT
            && self.home((entry >> 32) as u32) < end
        {
            end += 1;
        }
        self.entries.copy_within(at + 1..end, at);
        self.entries[end - 1] = VACANT;
        self.len -= 1;
        if self.len == 0 {
            *self = Self { depth: self.depth, ..Self::default() };
        } else if self.places as usize > 4 * PLACES_MIN && self.len * 4 < self.places {
            self.resize();
        }
    }
}

/// Seven eighths: beyond that looks become long.
#[inline]
const fn is_full(len: usize, places: usize) -> bool {
    len * 8 >= places * 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The finish of SplitMix64: all bits of the number count in all bits of the hash, as with seeded hashes.
    fn hash(n: u32) -> u64 {
        let mut z = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// What must hold of every shard.
    fn assert_in_order(index: &Index) {
        for shard in &index.shards {
            let placed: Vec<_> = shard.entries.iter().enumerate().filter(|(_, e)| **e != VACANT).collect();
            assert_eq!(placed.len(), shard.len as usize);
            assert!(placed.is_sorted_by_key(|(_, e)| **e >> 32));
            for (at, entry) in placed {
                let home = shard.home((entry >> 32) as u32);
                assert!(home <= at && shard.entries[home..at].iter().all(|e| *e != VACANT), "a look would end before");
            }
        }
    }

    #[test]
    fn no_shard_is_larger_than_a_page_however_many_numbers_there_are_and_few_places_are_vacant() {
        const MANY: u32 = 600_000;
        let mut index = Index::default();
        for n in 0..MANY {
            assert_eq!(index.find_or_insert(hash(n), n, |m| *m == n), (n, true));
        }
        assert_in_order(&index);
        assert!(index.shards.iter().all(|s| s.entries.len() <= PLACES_MAX + 6 * SPILL));
        assert!(index.octets() < MANY as usize * 12, "{}", index.octets());
        // What a cut copies of the directory is little.
        assert!(index.directory.len() < 8192 && index.shards.len() <= index.directory.len());
        assert!((0..MANY).all(|n| index.find(hash(n), |m| *m == n) == Some(n)));
        assert!((0..MANY).all(|n| index.find_or_insert(hash(n), MANY, |m| *m == n) == (n, false)));
        assert_eq!(index.find(hash(MANY), |m| *m == MANY), None);
        (1..MANY).for_each(|n| index.remove(hash(n), n));
        assert_eq!(index.find(hash(0), |m| *m == 0), Some(0));
        assert!(index.octets() < MANY as usize / 2, "{}", index.octets());
    }

    #[test]
    fn whatever_comes_and_goes_is_found_as_in_a_map() {
        let mut index = Index::default();
        let mut map = HashMap::new();
        let mut random = 1u64;
        for step in 0..200_000u32 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let n = (random >> 33) as u32 % 5000;
            // Some hashes are alike, in all 32 bits or in many, and some are the greatest.
            let hash = if n.is_multiple_of(7) { u64::MAX << (n % 31) } else { hash(n) };
            let grows = step / 20_000 % 2 == 0;
            if (random >> 20) % 8 < if grows { 6 } else { 2 } {
                assert_eq!(index.find_or_insert(hash, n, |m| *m == n), (n, map.insert(n, hash).is_none()));
            } else {
                index.remove(hash, n);
                map.remove(&n);
            }
        }
        assert_in_order(&index);
        assert!((0..5000u32).all(|n| {
            let hash = if n.is_multiple_of(7) { u64::MAX << (n % 31) } else { hash(n) };
            index.find(hash, |m| *m == n).is_some() == map.contains_key(&n)
        }));
    }

    #[test]
    fn numbers_of_one_hash_are_all_found() {
        let mut index = Index::default();
        (0..8000).for_each(|n| index.insert(7 << 32, n));
        assert!((0..8000).all(|n| index.find(7 << 32, |m| *m == n) == Some(n)));
    }
}
