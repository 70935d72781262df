//! Authorisations that a filter has rejected, kept to be shown (`import keep filtered`).
//!
//! They stand beside a table and not in it: nobody who judges routes, and no pipe,
//! meets them.

use super::{RoaChange, RoaLot, last_of_each};
use crate::source::SourceId;
use crate::time::Moment;
use std::sync::Arc;

/// See the head of the file; `K`: what they are known by. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Kept<K>(Arc<[(K, RoaLot)]>);

impl<K> Default for Kept<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Copy + Ord> Kept<K> {
    /// What is kept after a change by one source, and whether that is anything else. What stays keeps its time.
    pub(crate) fn after(&self, change: &RoaChange<K>, since: Moment) -> (Self, bool) {
        if self.0.is_empty() && change.kept.is_empty() {
            return (self.clone(), false);
        }
        let RoaChange { source, by, whole, gone, come, kept } = change;
        let mut named: Vec<K> = gone.iter().copied().chain(come.iter().map(|(record, _)| *record)).collect();
        named.sort_unstable();
        let mut new = last_of_each(kept.clone());
        let mut stays = |(record, lot): &&(K, RoaLot)| {
            if lot.source.id != source.id || lot.by != *by {
                return true;
            }
            let at = new.binary_search_by_key(record, |(record, ..)| *record);
            if let Some((_, attrs, is_new)) = at.ok().and_then(|at| new.get_mut(at)) {
                *is_new = *attrs != lot.attrs;
                return !*is_new;
            }
            !*whole && named.binary_search(record).is_err()
        };
        let mut all: Vec<_> = self.0.iter().filter(|entry| stays(entry)).cloned().collect();
        let stayed = all.len();
        let new = new.into_iter().filter(|(.., is_new)| *is_new).map(|(record, attrs, _)| {
            let lot = RoaLot { source: Arc::clone(source), by: *by, attrs, since };
            (record, lot)
        });
        all.extend(new);
        let is_other = stayed != self.0.len() || stayed != all.len();
        // Stable, since it sees runs in order.
        all.sort_by_key(|(record, _)| *record);
        (Self(all.into()), is_other)
    }

    /// What sources have given with an authorisation, in the order in which they did.
    pub fn lots_of(&self, record: K) -> impl Iterator<Item = &RoaLot> {
        let from = self.0.partition_point(|(other, _)| *other < record);
        let rest = self.0.get(from..).unwrap_or_default();
        rest.iter().take_while(move |(other, _)| *other == record).map(|(_, lot)| lot)
    }

    /// The authorisations, or one of them, each with what its sources have given with it.
    pub fn nets(&self, only: Option<K>) -> impl Iterator<Item = (K, Vec<&RoaLot>)> {
        let runs = self.0.chunk_by(|a, b| a.0 == b.0);
        let nets = runs.filter_map(|run| Some((run.first()?.0, run.iter().map(|(_, lot)| lot).collect())));
        nets.filter(move |(record, _)| only.is_none_or(|only| only == *record))
    }

    /// Those that a source has given.
    pub fn of_source(&self, source: SourceId) -> impl Iterator<Item = K> {
        self.0.iter().filter(move |(_, lot)| lot.source.id == source).map(|(record, _)| *record)
    }

    /// What they take, in octets.
    pub(crate) fn octets(&self) -> usize {
        self.0.len() * size_of::<(K, RoaLot)>()
    }
}
