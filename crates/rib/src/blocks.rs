//! Sets of blocks of prefix numbers: roughly where something is used.
//!
//! A next hop or a channel remembers in which blocks of [`BLOCK`] prefixes it
//! has ever had a path: a few block numbers, or one bit a block (125 octets for
//! a million prefixes). So when it changes or goes, only those blocks are
//! walked, not the table. A block that is too many costs a look at its rows; a
//! block is never missing.

/// Prefixes of a block.
pub(crate) const BLOCK: u32 = 1024;

const FEW: usize = 6;

/// A set of blocks.
#[derive(Clone, Debug)]
pub(crate) enum Blocks {
    /// The first so many places hold block numbers.
    Few(usize, [u32; FEW]),
    /// A bit for each block.
    Many(Vec<u64>),
}

impl Default for Blocks {
    fn default() -> Self {
        Self::Few(0, [0; FEW])
    }
}

impl Blocks {
    /// Adds the block of a prefix number.
    pub(crate) fn add(&mut self, net: u32) {
        self.add_block(net / BLOCK);
    }

    fn add_block(&mut self, block: u32) {
        match self {
            Self::Few(len, few) => {
                if few[..*len].contains(&block) {
                    return;
                }
                if *len < FEW {
                    few[*len] = block;
                    *len += 1;
                    return;
                }
                let few = *few;
                *self = Self::Many(Vec::new());
                few.into_iter().for_each(|b| self.add_block(b));
                self.add_block(block);
            }
            Self::Many(words) => {
                let word = block as usize / 64;
                if word >= words.len() {
                    words.resize(word + 1, 0);
                }
                words[word] |= 1 << (block % 64);
            }
        }
    }

    /// Adds all blocks of another set.
    pub(crate) fn add_all(&mut self, other: &Self) {
        match other {
            Self::Few(len, few) => few[..*len].iter().for_each(|b| self.add_block(*b)),
            Self::Many(words) => {
                let bits = words.iter().enumerate().flat_map(|(at, word)| {
                    (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at as u32 * 64 + bit)
                });
                bits.for_each(|b| self.add_block(b));
            }
        }
    }

    /// Takes a block out, the first where they are many, and returns the number of its first prefix.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let block = match self {
            Self::Few(len, few) => {
                *len = len.checked_sub(1)?;
                few[*len]
            }
            Self::Many(words) => {
                let Some(at) = words.iter().position(|w| *w != 0) else {
                    *self = Self::default();
                    return None;
                };
                let bit = words[at].trailing_zeros();
                words[at] &= words[at] - 1;
                at as u32 * 64 + bit
            }
        };
        Some(block * BLOCK)
    }

    /// Whether nothing was added since it was cleared.
    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self, Self::Few(0, _))
    }

    /// Takes everything out.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_taken_once_whatever_the_number_of_its_prefixes() {
        for far in [3, 70] {
            let mut blocks = Blocks::default();
            let mut other = Blocks::default();
            for net in [0, 5, 1023, 1024, 3000, far * BLOCK, far * BLOCK + 9] {
                blocks.add(net);
            }
            for net in (0..far * BLOCK).step_by(100) {
                other.add(net);
            }
            blocks.add_all(&other);
            let mut taken: Vec<_> = std::iter::from_fn(|| blocks.take()).collect();
            taken.sort_unstable();
            assert_eq!(taken, (0..=far).map(|b| b * BLOCK).collect::<Vec<_>>());
        }
    }
}
