//! One bit a prefix, in chunks that exist when a bit in them was set.

use super::CHUNK_NETS;
use crate::batch::NetId;

const WORDS: usize = CHUNK_NETS / 64;

/// A set of prefix numbers: half a KiB for each 4,096 numbers in use.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    chunks: Vec<Option<Box<[u64; WORDS]>>>,
    count: u32,
}

fn place(id: NetId) -> (usize, usize, u64) {
    let at = id.0 as usize;
    (at / CHUNK_NETS, at % CHUNK_NETS / 64, 1 << (at % 64))
}

impl Bits {
    /// Whether a number is in the set.
    pub fn has(&self, id: NetId) -> bool {
        let (chunk, word, bit) = place(id);
        let chunk = self.chunks.get(chunk).and_then(Option::as_ref);
        chunk.is_some_and(|c| c.get(word).is_some_and(|w| w & bit != 0))
    }

    /// Puts a number in or takes it out. Returns whether it was in.
    pub fn set(&mut self, id: NetId, to: bool) -> bool {
        let (chunk, word, bit) = place(id);
        if chunk >= self.chunks.len() {
            if !to {
                return false;
            }
            self.chunks.resize(chunk + 1, None);
        }
        let Some(slot) = self.chunks.get_mut(chunk) else {
            return false;
        };
        if slot.is_none() && !to {
            return false;
        }
        let words = slot.get_or_insert_with(|| Box::new([0; WORDS]));
        let Some(word) = words.get_mut(word) else {
            return false;
        };
        let was = *word & bit != 0;
        match (was, to) {
            (false, true) => {
                *word |= bit;
                self.count += 1;
            }
            (true, false) => {
                *word &= !bit;
                self.count -= 1;
            }
            _ => {}
        }
        was
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = NetId> + '_ {
        self.chunks.iter().enumerate().filter_map(|(i, c)| Some((i, c.as_ref()?))).flat_map(|(i, words)| {
            words.iter().enumerate().flat_map(move |(j, word)| {
                let base = (i * CHUNK_NETS + j * 64) as u32;
                let mut rest = *word;
                std::iter::from_fn(move || {
                    let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                    rest &= rest - 1;
                    Some(NetId(base + bit))
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_in_order_and_are_counted() {
        let mut bits = Bits::default();
        for n in [70_000, 3, 64, 63, 4096] {
            assert!(!bits.set(NetId(n), true));
        }
        assert!(bits.set(NetId(64), false));
        assert!(!bits.set(NetId(1_000_000), false));
        assert_eq!(bits.iter().map(|n| n.0).collect::<Vec<_>>(), [3, 63, 4096, 70_000]);
        assert_eq!(bits.count(), 4);
        assert!(bits.has(NetId(63)) && !bits.has(NetId(64)) && !bits.has(NetId(9_999_999)));
    }
}
