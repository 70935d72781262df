//! Numbers found by hash, in shards that split one by one.
//!
//! One open-addressed table that doubles would stop its owner for as long as it
//! takes to look at every entry again: 100 ms for a million prefixes. Here no
//! table holds more than [`SHARD_MAX`] numbers. One that is full is split in two
//! by the next bit of the hashes (extendible hashing), and one that has lost
//! most of its numbers shrinks, so an insertion or a removal looks at no more
//! than [`SHARD_MAX`] entries. The directory from bits to shards is copied when
//! it doubles: four octets for every thousand numbers or so.
//!
//! A hash is used in three parts: the lowest bits and the highest seven by the
//! tables, those from [`FIRST_BIT`] on by the directory. Peers choose what is
//! hashed, so hashes must be seeded; as long as nobody can make them alike the
//! shards are about equally full. Should they be alike nevertheless, a shard
//! that does not get smaller by splitting grows, once the directory has
//! [`DEPTH_MAX`] bits.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Numbers of a shard: what a table of 4,096 places holds.
const SHARD_MAX: usize = 3584;
/// The lowest bit of a hash that the directory reads.
const FIRST_BIT: u32 = 24;
/// Bits that the directory reads at most: enough for 2^32 numbers.
const DEPTH_MAX: u8 = 22;
/// A table with room for fewer is not worth shrinking.
const SMALL: usize = 56;

/// Numbers found by hash.
#[derive(Debug)]
pub(crate) struct Index {
    /// The shard for each value of the bits that it reads.
    directory: Vec<u32>,
    /// How many bits it reads.
    depth: u8,
    shards: Vec<Shard>,
}

#[derive(Debug, Default)]
struct Shard {
    numbers: HashTable<u32>,
    /// How many bits all its hashes have in common.
    depth: u8,
}

impl Default for Index {
    fn default() -> Self {
        Self { directory: vec![0], depth: 0, shards: vec![Shard::default()] }
    }
}

impl Index {
    const fn place(&self, hash: u64) -> usize {
        (hash >> FIRST_BIT) as usize & ((1 << self.depth) - 1)
    }

    fn shard(&self, hash: u64) -> &HashTable<u32> {
        &self.shards[self.directory[self.place(hash)] as usize].numbers
    }

    /// The number with this hash that `is` it.
    pub(crate) fn find(&self, hash: u64, is: impl FnMut(&u32) -> bool) -> Option<u32> {
        self.shard(hash).find(hash, is).copied()
    }

    /// Adds a number that is not there.
    pub(crate) fn insert(&mut self, hash: u64, number: u32, rehash: impl Fn(&u32) -> u64) {
        self.find_or_insert(hash, number, |_| false, rehash);
    }

    /// The number with this hash that `is` it, else `number`, which is added; and whether it was. One probe does both.
    #[inline]
    pub(crate) fn find_or_insert(
        &mut self,
        hash: u64,
        number: u32,
        is: impl Fn(&u32) -> bool,
        rehash: impl Fn(&u32) -> u64,
    ) -> (u32, bool) {
        loop {
            let at = self.directory[self.place(hash)];
            let shard = &mut self.shards[at as usize];
            if shard.numbers.len() < SHARD_MAX || shard.depth == DEPTH_MAX {
                return match shard.numbers.entry(hash, &is, &rehash) {
                    Entry::Occupied(found) => (*found.get(), false),
                    Entry::Vacant(place) => {
                        place.insert(number);
                        (number, true)
                    }
                };
            }
            if let Some(found) = shard.numbers.find(hash, &is) {
                return (*found, false);
            }
            self.split(at, hash, &rehash);
        }
    }

    /// Moves the numbers of a shard whose hashes have the next bit set into a new one. `hash` is of the shard.
    fn split(&mut self, at: u32, hash: u64, rehash: &impl Fn(&u32) -> u64) {
        let fresh = self.shards.len() as u32;
        let shard = &mut self.shards[at as usize];
        let bit = 1 << shard.depth;
        shard.depth += 1;
        let depth = shard.depth;
        // All hashes first: what they are made of lies anywhere in memory, and independent loads overlap.
        let hashed = std::mem::take(&mut shard.numbers).into_iter().map(|number| (rehash(&number), number));
        let (go, stay): (Vec<_>, Vec<_>) = hashed.partition(|(hash, _)| (hash >> FIRST_BIT) as usize & bit != 0);
        let [stay, go] = [stay, go].map(|half| shard_of(half, rehash));
        shard.numbers = stay;
        self.shards.push(Shard { numbers: go, depth });
        if depth > self.depth {
            self.directory.extend_from_within(..);
            self.depth = depth;
        }
        // All places that end in the bits of the shard and the new one.
        let first = (hash >> FIRST_BIT) as usize & (bit - 1) | bit;
        self.directory.iter_mut().skip(first).step_by(bit * 2).for_each(|place| *place = fresh);
    }

    /// Removes a number.
    pub(crate) fn remove(&mut self, hash: u64, number: u32, rehash: impl Fn(&u32) -> u64) {
        let at = self.directory[self.place(hash)];
        let numbers = &mut self.shards[at as usize].numbers;
        let Ok(found) = numbers.find_entry(hash, |n| *n == number) else { return };
        found.remove();
        if numbers.is_empty() {
            *numbers = HashTable::new();
        } else if numbers.len() * 8 < numbers.capacity() && numbers.capacity() > SMALL {
            numbers.shrink_to(numbers.len() * 2, rehash);
        }
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        let shards: usize = self.shards.iter().map(|s| s.numbers.allocation_size()).sum();
        shards + size_of_val(&*self.shards) + size_of_val(&*self.directory)
    }
}

/// Half of a shard that was full. It has room at once for what it will hold: growing on the way would hash everything
/// a second time.
fn shard_of(hashed: Vec<(u64, u32)>, rehash: &impl Fn(&u32) -> u64) -> HashTable<u32> {
    let mut numbers = HashTable::with_capacity(if hashed.is_empty() { 0 } else { SHARD_MAX });
    for (hash, number) in hashed {
        numbers.insert_unique(hash, number, rehash);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn hash(n: u32) -> u64 {
        u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ u64::from(n).wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(31)
    }

    /// Does it with a hash function that counts; returns how often one deed called it at most.
    fn most(
        index: &mut Index,
        numbers: std::ops::Range<u32>,
        deed: impl Fn(&mut Index, u32, &dyn Fn(&u32) -> u64),
    ) -> usize {
        let each = numbers.map(|n| {
            let calls = Cell::new(0);
            deed(index, n, &|n| {
                calls.set(calls.get() + 1);
                hash(*n)
            });
            calls.get()
        });
        each.max().unwrap_or(0)
    }

    #[test]
    fn no_insertion_or_removal_looks_at_more_than_a_shard_however_many_numbers_there_are() {
        const MANY: u32 = 600_000;
        let mut index = Index::default();
        let inserting = most(&mut index, 0..MANY, |index, n, rehash| {
            assert_eq!(index.find_or_insert(hash(n), n, |m| *m == n, rehash), (n, true));
        });
        assert!((SHARD_MAX / 2..=2 * SHARD_MAX).contains(&inserting), "{inserting}");
        assert!((0..MANY).all(|n| index.find(hash(n), |m| *m == n) == Some(n)));
        assert!((0..MANY).all(|n| index.find_or_insert(hash(n), MANY, |m| *m == n, |m| hash(*m)) == (n, false)));
        assert_eq!(index.find(hash(MANY), |m| *m == MANY), None);
        assert!(index.octets() < MANY as usize * 12);
        // What a split copies of the directory is less than what it looks at.
        assert!(index.directory.len() < SHARD_MAX && index.shards.len() <= index.directory.len());
        let removing = most(&mut index, 1..MANY, |index, n, rehash| index.remove(hash(n), n, rehash));
        assert!(removing <= SHARD_MAX, "{removing}");
        assert_eq!(index.find(hash(0), |m| *m == 0), Some(0));
        assert!(index.octets() < MANY as usize / 10);
    }

    #[test]
    fn numbers_of_one_hash_are_all_found() {
        let mut index = Index::default();
        (0..8000).for_each(|n| _ = index.find_or_insert(7, n, |m| *m == n, |_| 7));
        assert!((0..8000).all(|n| index.find(7, |m| *m == n) == Some(n)));
    }
}
