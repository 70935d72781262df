//! The second halves of addresses, by number: kept only where one is not nought.
//!
//! Of an address of IPv6 the second half is nought in every prefix of 64 bits or
//! fewer, and few others are told across a border: for a full table nothing stands
//! here. Halves stand in blocks of [`BLOCK`], each made with its first half that is not
//! nought, so that in the worst case, a network of loopback addresses, they take what
//! they would take in the rows.

/// Halves of a block.
const BLOCK: usize = 64;

/// Halves by number.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    blocks: Vec<Option<Box<[u64; BLOCK]>>>,
}

impl Halves {
    /// The half of a number, nought where none was set.
    #[inline]
    pub(crate) fn get(&self, at: u32) -> u64 {
        match self.blocks.get(at as usize / BLOCK) {
            Some(Some(block)) => block[at as usize % BLOCK],
            _ => 0,
        }
    }

    /// Sets the half of a number, in place of what stood there.
    #[inline]
    pub(crate) fn set(&mut self, at: u32, half: u64) {
        let (block, place) = (at as usize / BLOCK, at as usize % BLOCK);
        match self.blocks.get_mut(block) {
            Some(Some(block)) => block[place] = half,
            _ if half != 0 => self.add(block)[place] = half,
            _ => {}
        }
    }

    #[cold]
    fn add(&mut self, block: usize) -> &mut [u64; BLOCK] {
        if block >= self.blocks.len() {
            self.blocks.resize(block + 1, None);
        }
        self.blocks[block].get_or_insert_with(|| Box::new([0; BLOCK]))
    }

    /// Forgets the halves from this number on, but for those that share a block with what stays.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.blocks.truncate(len.div_ceil(BLOCK));
        self.blocks.shrink_to_fit();
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        self.blocks.capacity() * size_of::<Option<Box<[u64; BLOCK]>>>()
            + self.blocks.iter().flatten().count() * size_of::<[u64; BLOCK]>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nought_takes_nothing_and_other_halves_take_their_block() {
        let mut halves = Halves::default();
        (0..1_000_000).for_each(|at| halves.set(at, 0));
        assert_eq!(halves.octets(), 0);
        halves.set(640, 7);
        halves.set(641, 8);
        assert_eq!((halves.get(639), halves.get(640), halves.get(641), halves.get(9_999_999)), (0, 7, 8, 0));
        assert!(halves.octets() < 2 * size_of::<[u64; BLOCK]>());
        halves.set(640, 0);
        assert_eq!((halves.get(640), halves.get(641)), (0, 8));
        halves.truncate(640);
        assert_eq!((halves.get(641), halves.blocks.len()), (0, 10));
    }
}
