//! Which routes of a session a station has been told, and not that they are gone.
//!
//! A table that a station reads too slowly does not say any more which path came
//! or went, but what stands now at each prefix that changed. Whatever else the
//! station has been told of that prefix is gone.

use rib::batch::NetId;
use rib::export::Bits;
use std::collections::BTreeSet;

/// See the head of this file. Prefixes go by their numbers in the table.
pub(super) enum Standing {
    /// Prefixes have one path: a bit each.
    Prefixes(Bits),
    /// They carry path identifiers.
    Paths(BTreeSet<(u32, u32)>),
}

impl Standing {
    /// Nothing; `add_path`: prefixes carry path identifiers.
    pub(super) fn new(add_path: bool) -> Self {
        if add_path { Self::Paths(BTreeSet::new()) } else { Self::Prefixes(Bits::default()) }
    }

    /// A route stands for the station, or does not any more.
    pub(super) fn set(&mut self, id: NetId, path_id: u32, stands: bool) {
        match self {
            Self::Prefixes(bits) => _ = bits.set(id, stands),
            Self::Paths(paths) if stands => _ = paths.insert((id.0, path_id)),
            Self::Paths(paths) => _ = paths.remove(&(id.0, path_id)),
        }
    }

    /// The path identifiers that stand at a prefix beside these.
    pub(super) fn others(&self, id: NetId, known: &[u32]) -> Vec<u32> {
        match self {
            Self::Prefixes(bits) if bits.has(id) && known.is_empty() => vec![0],
            Self::Prefixes(_) => Vec::new(),
            Self::Paths(paths) => {
                let all = paths.range((id.0, 0)..=(id.0, u32::MAX)).map(|(_, path_id)| *path_id);
                all.filter(|path_id| !known.contains(path_id)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_what_is_known_is_found() {
        for add_path in [false, true] {
            let mut standing = Standing::new(add_path);
            let (one, other) = (NetId(3), NetId(4));
            let path_id = if add_path { 9 } else { 0 };
            standing.set(one, path_id, true);
            standing.set(other, path_id, true);
            assert_eq!((standing.others(one, &[path_id]), standing.others(one, &[])), (vec![], vec![path_id]));
            standing.set(one, path_id, false);
            assert_eq!((standing.others(one, &[]), standing.others(other, &[])), (vec![], vec![path_id]));
        }
    }
}
