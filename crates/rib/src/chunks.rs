//! A growing array in chunks: nothing is copied when it grows, nothing doubles.
//!
//! A table of a million prefixes that kept its rows in one vector would hold
//! them twice, for a moment, each time the vector grows. Here a chunk of
//! [`CHUNK`] elements is added instead; an element stays where it is. The price
//! is one more load per access, from a list of chunk addresses that is in the
//! first cache (6 KiB for a million elements). The first few chunks are not made
//! whole at once: a small table is to be small.

use std::ops::{Index, IndexMut};

/// Elements of a chunk.
pub(crate) const CHUNK: usize = 4096;

/// So many chunks grow as a vector does; then a chunk more is no great part of the array.
const CHUNKS_GROWN: usize = 8;
/// What such a chunk has room for at first.
const ROOM_AT_FIRST: usize = CHUNK / 8;

/// An array that grows by chunks; owners keep lists of what is free.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
    /// How many elements were free when it was last looked through for free ones.
    looked_at: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0, looked_at: 0 }
    }
}

impl<T> Chunks<T> {
    /// One past the last number given.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an element and returns its number.
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let at = self.len;
        if at.is_multiple_of(CHUNK) {
            let room = match self.chunks.len() {
                0 => 0,
                1..CHUNKS_GROWN => ROOM_AT_FIRST,
                _ => CHUNK,
            };
            self.chunks.push(Vec::with_capacity(room));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push(value);
        }
        self.len += 1;
        at as u32
    }

    /// The element of a number that may never have been given.
    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        self.chunks.get(at as usize / CHUNK)?.get(at as usize % CHUNK)
    }

    /// Forgets the elements from this number on; whole chunks of them give their memory back.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.chunks.truncate(len.div_ceil(CHUNK));
            if let Some(last) = self.chunks.last_mut() {
                last.truncate(len - (len - 1) / CHUNK * CHUNK);
            }
            self.len = len;
            self.looked_at = 0;
        }
    }

    /// The length without what is free at the end, when leaving that out halves a large array at least.
    ///
    /// `free` says how many elements are free. The array is looked through only when most are, and again only when
    /// a chunk's worth more are than the last time, or half as many are in use: asking often costs nothing.
    pub(crate) fn shorter(&mut self, free: usize, is_free: impl Fn(&T) -> bool) -> Option<usize> {
        self.looked_at = self.looked_at.min(free);
        let much_changed = free >= self.looked_at + CHUNK || (self.len - free) * 2 <= self.len - self.looked_at;
        if self.len <= CHUNK || free * 2 < self.len || !much_changed {
            return None;
        }
        self.looked_at = free;
        let free_at_end = self.chunks.iter().rev().flat_map(|c| c.iter().rev()).take_while(|e| is_free(e)).count();
        (free_at_end * 2 >= self.len).then_some(self.len - free_at_end)
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        self.chunks.iter().map(|c| c.capacity() * size_of::<T>()).sum()
    }
}

impl<T> Index<u32> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: u32) -> &T {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }
}

impl<T> IndexMut<u32> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_keeps_its_number_while_the_array_grows() {
        let mut all = Chunks::default();
        for i in 0..3 * CHUNK as u32 + 5 {
            assert_eq!(all.push(i * 7), i);
        }
        assert_eq!(all[CHUNK as u32], CHUNK as u32 * 7);
        assert_eq!(all.get(3 * CHUNK as u32 + 5), None);
        assert_eq!(all.len(), 3 * CHUNK + 5);
    }

    #[test]
    fn a_small_array_takes_little_more_than_its_elements_and_no_chunk_more_than_its_size() {
        let mut all = Chunks::default();
        for len in 1..=2 * CHUNKS_GROWN * CHUNK {
            all.push(0u8);
            let spare = all.octets() - len;
            assert!(spare < (len / CHUNK * CHUNK / 2 + 8).max(CHUNK / 2 - 1).clamp(ROOM_AT_FIRST, CHUNK) + CHUNK / 2);
        }
        assert!(all.chunks.iter().all(|c| c.capacity() == CHUNK));
    }

    #[test]
    fn what_is_left_out_at_the_end_is_given_again() {
        let mut all = Chunks::default();
        (0..3 * CHUNK).for_each(|n| _ = all.push(n));
        let full = all.octets();
        assert_eq!(all.shorter(CHUNK, |n| *n >= CHUNK * 2), None, "a third is too little");
        for used in [CHUNK + 1, CHUNK, 7, 0] {
            let free = 3 * CHUNK - used;
            assert_eq!(all.shorter(free, |n| *n >= used), Some(used));
            assert!(used == 0 || all.shorter(free, |n| *n >= used).is_none(), "nothing new is free");
            all.truncate(used);
            assert_eq!((all.len(), all.get(used as u32)), (used, None));
            assert_eq!(all.octets(), full / 3 * used.div_ceil(CHUNK));
            (used..3 * CHUNK).for_each(|n| assert_eq!(all.push(n) as usize, n));
        }
        assert!((0..3 * CHUNK).all(|n| all[n as u32] == n));
    }
}
