//! What a table says of single authorisations, and which of them a change touched: what a pipe tells another table.

use super::{Item, Roa, RoaLot, RoaTable};
use crate::net::{Prefix, Prefix4, Prefix6};
use crate::source::SourceId;

/// One source says something else of one authorisation than before.
#[derive(Clone, Copy, Debug)]
pub struct RoaStep<'t> {
    /// The authorisation.
    pub roa: Roa,
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

    /// What a source gives with an authorisation. Takes the logarithm of the table.
    pub fn given_from(&self, roa: &Roa, source: SourceId) -> Option<&RoaLot> {
        let items = self.items_at(roa.prefix);
        let key = (roa.max_len, roa.asn);
        let from = items.partition_point(|item| (item.max_len, item.asn) < key);
        let of_roa = items.get(from..)?.iter().take_while(|item| (item.max_len, item.asn) == key);
        of_roa.filter_map(|item| self.lot_of(&item.entry(roa.prefix))).find(|lot| lot.source.id == source)
    }

    /// What is otherwise than `before` under the prefixes that were `touched`: of each, what is gone, then what is new.
    pub fn steps_since<'t>(&'t self, before: &'t Self, touched: &[Prefix]) -> Vec<RoaStep<'t>> {
        let mut steps = Vec::new();
        for prefix in touched {
            let (was, is) = (before.given_at(*prefix), self.given_at(*prefix));
            let gone = was.iter().filter(|old| find(&is, old).is_none());
            steps.extend(gone.map(|(roa, lot)| RoaStep { roa: *roa, lot, comes: false }));
            let new = is.iter().filter(|new| find(&was, new).is_none_or(|old| old.attrs != new.1.attrs));
            steps.extend(new.map(|(roa, lot)| RoaStep { roa: *roa, lot, comes: true }));
        }
        steps
    }

    /// What protocols have given under a prefix, by authorisation and source.
    fn given_at(&self, prefix: Prefix) -> Vec<(Roa, &RoaLot)> {
        let entries = self.items_at(prefix).iter().map(|item| item.entry(prefix));
        let mut all: Vec<_> = entries.filter_map(|entry| Some((entry.roa, self.lot_of(&entry)?))).collect();
        all.sort_by_key(|(roa, lot)| (*roa, lot.source.id));
        all
    }

    fn items_at(&self, prefix: Prefix) -> &[Item] {
        match prefix {
            Prefix::V4(Prefix4 { addr, len }) => self.v4.at(addr, len),
            Prefix::V6(Prefix6 { addr, len }) => self.v6.at(u128::from_be_bytes(addr), len),
        }
    }
}

/// What the source of an authorisation gives with it, among these in order.
fn find<'t>(all: &[(Roa, &'t RoaLot)], (roa, lot): &(Roa, &RoaLot)) -> Option<&'t RoaLot> {
    let at = all.binary_search_by_key(&(*roa, lot.source.id), |(roa, lot)| (*roa, lot.source.id)).ok()?;
    all.get(at).map(|(_, lot)| *lot)
}
