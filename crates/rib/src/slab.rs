//! The paths of a prefix beyond its first, in slabs by size.
//!
//! Most prefixes have one or two paths. The first stands in the net row; the
//! others stand together in an entry of 1, 2, 4, 8 ... places, whichever is the
//! smallest that holds them. Freed entries of a size are used again before new
//! ones are made. An entry is named by 32 bits: size class and number.

use crate::chunks::Chunks;
use crate::path::Path;

/// Names an entry of a slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u32);

const NUMBER_BITS: u32 = 27;

impl Entry {
    /// No entry: the prefix has one path at most.
    pub(crate) const NONE: Self = Self(u32::MAX);

    const fn class(self) -> u32 {
        self.0 >> NUMBER_BITS
    }

    const fn start(self) -> u32 {
        (self.0 & ((1 << NUMBER_BITS) - 1)) << self.class()
    }

    const fn places(self) -> u32 {
        1 << self.class()
    }
}

#[derive(Debug, Default)]
struct Slab {
    places: Chunks<Path>,
    free: Vec<Entry>,
}

/// All slabs of a table.
#[derive(Debug, Default)]
pub(crate) struct Slabs {
    /// By size class: entries of one, two, four ... places.
    slabs: Vec<Slab>,
}

impl Slabs {
    /// Appends the paths of an entry, in their order.
    pub(crate) fn read(&self, entry: Entry, into: &mut Vec<Path>) {
        if entry == Entry::NONE {
            return;
        }
        let places = &self.slabs[entry.class() as usize].places;
        let all = (entry.start()..entry.start() + entry.places()).map(|at| places[at]);
        into.extend(all.take_while(|p| !p.is_vacant()));
    }

    /// Puts these paths in place of those of an entry, and returns where they are now.
    pub(crate) fn write(&mut self, entry: Entry, paths: &[Path]) -> Entry {
        if paths.is_empty() {
            self.free(entry);
            return Entry::NONE;
        }
        let class = paths.len().next_power_of_two().trailing_zeros();
        let entry = if entry != Entry::NONE && entry.class() == class {
            entry
        } else {
            self.free(entry);
            self.alloc(class)
        };
        let places = &mut self.slabs[class as usize].places;
        let rest = std::iter::repeat(Path::VACANT);
        for (at, path) in (entry.start()..entry.start() + entry.places()).zip(paths.iter().copied().chain(rest)) {
            places[at] = path;
        }
        entry
    }

    fn alloc(&mut self, class: u32) -> Entry {
        while self.slabs.len() <= class as usize {
            self.slabs.push(Slab::default());
        }
        let slab = &mut self.slabs[class as usize];
        if let Some(entry) = slab.free.pop() {
            return entry;
        }
        let number = slab.places.len() as u32 >> class;
        for _ in 0..1u32 << class {
            slab.places.push(Path::VACANT);
        }
        Entry(class << NUMBER_BITS | number)
    }

    fn free(&mut self, entry: Entry) {
        if entry == Entry::NONE {
            return;
        }
        let slab = &mut self.slabs[entry.class() as usize];
        if cfg!(debug_assertions) {
            for at in entry.start()..entry.start() + entry.places() {
                slab.places[at] = Path::VACANT;
            }
        }
        slab.free.push(entry);
    }

    /// Octets in use.
    pub(crate) fn octets(&self) -> usize {
        self.slabs.iter().map(|s| s.places.octets() + s.free.capacity() * size_of::<Entry>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{AttrsId, SlotId};
    use route::Moment;

    #[test]
    fn paths_move_to_the_size_that_holds_them_and_freed_entries_are_used_again() {
        let path = |n| Path::new(SlotId(n), AttrsId(n), 0, false, Moment(0));
        let mut slabs = Slabs::default();
        let mut entry = Entry::NONE;
        for n in 0..40 {
            let want: Vec<_> = (0..n).map(path).collect();
            entry = slabs.write(entry, &want);
            let mut got = Vec::new();
            slabs.read(entry, &mut got);
            assert_eq!(got, want);
        }
        let before = slabs.octets();
        for n in (0..40).rev() {
            entry = slabs.write(entry, &(0..n).map(path).collect::<Vec<_>>());
        }
        assert_eq!(entry, Entry::NONE);
        let again = slabs.write(entry, &(0..39).map(path).collect::<Vec<_>>());
        assert_ne!(again, Entry::NONE);
        assert_eq!(slabs.slabs[6].places.len(), 64);
        assert!(slabs.octets() <= before + 64);
    }
}
