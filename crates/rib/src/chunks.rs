//! A growing array in chunks: nothing is copied when it grows, nothing doubles.
//!
//! A table of a million prefixes that kept its rows in one vector would hold
//! them twice, for a moment, each time the vector grows. Here a chunk of
//! [`CHUNK`] elements is added instead; an element stays where it is. The price
//! is one more load per access, from a list of chunk addresses that is in the
//! first cache (2 KiB for a million elements).

use std::ops::{Index, IndexMut};

/// Elements of a chunk.
pub(crate) const CHUNK: usize = 4096;

/// An array that grows by chunks and never shrinks; owners keep lists of what is free.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
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
            // The first chunk grows like a vector: most tables are small.
            self.chunks.push(Vec::with_capacity(if at == 0 { 0 } else { CHUNK }));
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push(value);
        }
        self.len += 1;
        at as u32
    }

    /// The element of a number that may never have been given.
    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        self.chunks.get(at as usize / CHUNK)?.get(at as usize % CHUNK)
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        self.chunks.iter().map(|c| c.capacity() * size_of::<T>()).sum()
    }
}

impl<T> Index<u32> for Chunks<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }
}

impl<T> IndexMut<u32> for Chunks<T> {
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
}
