//! What a table says of single authorisations, and which of them a change touched: what a pipe tells another table.

use super::{Item, Roa, RoaLot, RoaTable};
use crate::net::{Prefix, Prefix4, Prefix6};

/// One source says something else of one authorisation than before; `K`: what that is known by.
#[derive(Clone, Copy, Debug)]
pub struct RoaStep<'t, K = Roa> {
    /// The authorisation.
    pub record: K,
    /// What the source gives with it, or gave.
    pub lot: &'t RoaLot,
    /// It gives it; else it did, and does no more.
    pub comes: bool,
}

impl RoaTable {
    /// All that protocols have given, in order.
    pub fn given(&self) -> impl Iterator<Item = (Roa, &RoaLot)> {
        self.iter().filter_map(|entry| Some((entry.roa, self.lot_of(&entry)?)))
    }

    /// What protocols give with an authorisation, the most preferred first. Takes the logarithm of the table.
    pub fn lots_of(&self, roa: Roa) -> Vec<&RoaLot> {
        let items = self.items_at(roa.prefix);
        let key = (roa.max_len, roa.asn);
        let from = items.partition_point(|item| (item.max_len, item.asn) < key);
        let of_roa = items.get(from..).unwrap_or_default().iter().take_while(|item| (item.max_len, item.asn) == key);
        let mut lots: Vec<_> = of_roa.filter_map(|item| self.lot_of(&item.entry(roa.prefix))).collect();
        lots.sort_by_key(|lot| std::cmp::Reverse(lot.attrs.local().preference));
        lots
    }

    /// What is otherwise than `before` under the prefixes that were `touched`: of each, what is gone, then what is new.
    pub fn steps_since<'t>(&'t self, before: &'t Self, touched: &[Prefix]) -> Vec<RoaStep<'t>> {
        let mut steps = Vec::new();
        for prefix in touched {
            steps_between(before.given_at(*prefix), self.given_at(*prefix), &mut steps);
        }
        steps
    }

    /// What protocols have given under a prefix.
    fn given_at(&self, prefix: Prefix) -> Vec<(Roa, &RoaLot)> {
        let entries = self.items_at(prefix).iter().map(|item| item.entry(prefix));
        entries.filter_map(|entry| Some((entry.roa, self.lot_of(&entry)?))).collect()
    }

    fn items_at(&self, prefix: Prefix) -> &[Item] {
        match prefix {
            Prefix::V4(Prefix4 { addr, len }) => self.v4.at(addr, len),
            Prefix::V6(Prefix6 { addr, len }) => self.v6.at(u128::from_be_bytes(addr), len),
        }
    }
}

/// From what was given to what is: what is gone, then what is new.
pub(crate) fn steps_between<'t, K: Copy + Ord>(
    mut was: Vec<(K, &'t RoaLot)>,
    mut is: Vec<(K, &'t RoaLot)>,
    steps: &mut Vec<RoaStep<'t, K>>,
) {
    was.sort_by_key(|(record, lot)| (*record, lot.source.id));
    is.sort_by_key(|(record, lot)| (*record, lot.source.id));
    let gone = was.iter().filter(|old| find(&is, old).is_none());
    steps.extend(gone.map(|(record, lot)| RoaStep { record: *record, lot, comes: false }));
    let new = is.iter().filter(|new| find(&was, new).is_none_or(|old| old.attrs != new.1.attrs));
    steps.extend(new.map(|(record, lot)| RoaStep { record: *record, lot, comes: true }));
}

/// What the source of an authorisation gives with it, among these in order.
fn find<'t, K: Copy + Ord>(all: &[(K, &'t RoaLot)], (record, lot): &(K, &RoaLot)) -> Option<&'t RoaLot> {
    let at = all.binary_search_by_key(&(*record, lot.source.id), |(record, lot)| (*record, lot.source.id)).ok()?;
    all.get(at).map(|(_, lot)| *lot)
}
