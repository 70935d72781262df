//! `import table`: all that a neighbour has announced in one family, as it was before the import filter (Adj-RIB-In).
//!
//! It lives with the session's intake. A changed filter is run over it, in slices, and the neighbour is not asked for
//! anything; the operator can look at it. Attribute sets are shared: each is kept once, and the table has the very
//! same ones where the filter leaves a route as it was.

use filter::prefix_set::PrefixSet;
use rib::batch::{Limit, LimitAction};
use route::{AttrSet, Moment, Prefix};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Prefix and path identifier.
pub(crate) type Key = (Prefix, u32);

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Received {
    rows: BTreeMap<Key, Row>,
    /// Each set, with how many rows have it.
    sets: HashMap<AttrSet, u32>,
    /// More rows than this are not kept (`receive limit ... action block`).
    rows_max: Option<usize>,
    /// Rows behind this one are still to be judged again; `Some(None)`: all.
    again: Option<Option<Key>>,
    /// Of these prefixes alone.
    again_within: Option<Arc<PrefixSet>>,
}

/// A route as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its attributes, defaults of the session among them.
    pub(crate) set: AttrSet,
    /// When it came.
    pub(crate) since: Moment,
    /// Not told again yet since the neighbour began a refresh (RFC 7313).
    stale: bool,
}

impl Received {
    /// Without routes.
    pub(crate) fn new(limit: Option<Limit>) -> Self {
        let blocks = limit.filter(|l| l.action == LimitAction::Block);
        Self { rows_max: blocks.map(|l| l.routes_max as usize), ..Self::default() }
    }

    /// A route came.
    pub(crate) fn put(&mut self, key: Key, set: &AttrSet, since: Moment) {
        let is_full = self.rows_max.is_some_and(|most| self.rows.len() >= most);
        if is_full && !self.rows.contains_key(&key) {
            return;
        }
        let set = match self.sets.get_key_value(set) {
            Some((known, _)) => known.clone(),
            None => set.clone(),
        };
        *self.sets.entry(set.clone()).or_insert(0) += 1;
        if let Some(old) = self.rows.insert(key, Row { set, since, stale: false }) {
            self.unuse(&old.set);
        }
    }

    /// A route is withdrawn.
    pub(crate) fn remove(&mut self, key: Key) {
        if let Some(old) = self.rows.remove(&key) {
            self.unuse(&old.set);
        }
    }

    fn unuse(&mut self, set: &AttrSet) {
        if let Some(uses) = self.sets.get_mut(set) {
            *uses -= 1;
            if *uses == 0 {
                self.sets.remove(set);
            }
        }
    }

    /// The neighbour begins to tell all again.
    pub(crate) fn mark_stale(&mut self) {
        self.rows.values_mut().for_each(|row| row.stale = true);
    }

    /// The neighbour has told all again.
    pub(crate) fn sweep(&mut self) {
        let gone: Vec<Key> = self.rows.iter().filter(|(_, row)| row.stale).map(|(key, _)| *key).collect();
        gone.into_iter().for_each(|key| self.remove(key));
    }

    /// All routes are to be judged again, from the first on.
    pub(crate) fn begin_again(&mut self) {
        (self.again, self.again_within) = (Some(None), None);
    }

    /// The routes of some prefixes are to be judged again. Where that goes on for others, it is done for all.
    pub(crate) fn begin_again_within(&mut self, nets: Arc<PrefixSet>) {
        self.again_within = if self.again.is_none() { Some(nets) } else { None };
        self.again = Some(None);
    }

    /// Whether routes are to be judged again.
    pub(crate) const fn is_judged_again(&self) -> bool {
        self.again.is_some()
    }

    /// The next routes to be judged again, at most so many.
    pub(crate) fn next_again(&mut self, rows_max: usize) -> Vec<(Key, AttrSet)> {
        let Some(behind) = self.again.take() else { return Vec::new() };
        let mut slice: Vec<_> = self.page(behind, rows_max).map(|(key, row)| (*key, row.set.clone())).collect();
        self.again = slice.last().filter(|_| slice.len() == rows_max).map(|(key, _)| Some(*key));
        if let Some(nets) = &self.again_within {
            slice.retain(|((net, _), _)| nets.contains(net));
        }
        slice
    }

    /// Routes in the order of prefixes, behind a key, at most so many.
    pub(crate) fn page(&self, behind: Option<Key>, rows_max: usize) -> impl Iterator<Item = (&Key, &Row)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = behind.map_or(Unbounded, Excluded);
        self.rows.range((from, Unbounded)).take(rows_max)
    }

    /// The routes to a prefix.
    pub(crate) fn exact(&self, net: Prefix) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.range((net, 0)..=(net, u32::MAX))
    }

    /// The routes to the longest prefix that covers this one.
    pub(crate) fn covering(&self, net: Prefix) -> Option<Prefix> {
        let mut shorter = (0..=net.len()).rev().filter_map(|len| Prefix::new(net.addr(), len));
        shorter.find(|net| self.exact(*net).next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::attrs::Local;
    use route::{AttrSetBuilder, Dest, SourceKind};

    fn set(med: u32) -> AttrSet {
        let mut builder = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Blackhole));
        builder.set_u32(route::attr::code::MED, med);
        builder.build()
    }

    fn key(net: &str) -> Key {
        (net.parse().unwrap(), 0)
    }

    fn nets(received: &Received) -> Vec<String> {
        received.page(None, 99).map(|((net, _), _)| net.to_string()).collect()
    }

    #[test]
    fn what_was_announced_last_is_kept_and_each_set_once() {
        let mut received = Received::new(None);
        received.put(key("10.1.0.0/16"), &set(1), Moment(1));
        received.put(key("10.2.0.0/16"), &set(1), Moment(2));
        received.put(key("10.1.0.0/16"), &set(2), Moment(3));
        assert_eq!((nets(&received).len(), received.sets.len()), (2, 2));
        assert_eq!(received.exact(key("10.1.0.0/16").0).next().unwrap().1.since, Moment(3));
        received.remove(key("10.1.0.0/16"));
        received.remove(key("10.1.0.0/16"));
        assert_eq!((nets(&received), received.sets.len()), (vec!["10.2.0.0/16".to_owned()], 1));
    }

    #[test]
    fn a_refresh_sweeps_what_was_not_told_again() {
        let mut received = Received::new(None);
        received.put(key("10.1.0.0/16"), &set(1), Moment(1));
        received.put(key("10.2.0.0/16"), &set(1), Moment(1));
        received.mark_stale();
        received.put(key("10.2.0.0/16"), &set(1), Moment(2));
        received.sweep();
        assert_eq!(nets(&received), ["10.2.0.0/16"]);
    }

    #[test]
    fn all_are_judged_again_in_slices_and_what_changes_meanwhile_does_no_harm() {
        let mut received = Received::new(None);
        (0..5).for_each(|n| received.put(key(&format!("10.{n}.0.0/16")), &set(1), Moment(1)));
        received.begin_again();
        let slice = |received: &mut Received| {
            received.next_again(2).into_iter().map(|((net, _), _)| net.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(slice(&mut received), ["10.0.0.0/16", "10.1.0.0/16"]);
        received.remove(key("10.1.0.0/16"));
        received.remove(key("10.2.0.0/16"));
        assert_eq!(slice(&mut received), ["10.3.0.0/16", "10.4.0.0/16"]);
        assert_eq!(slice(&mut received), [""; 0]);
        assert!(!received.is_judged_again());
    }

    #[test]
    fn some_prefixes_are_judged_again_unless_all_are() {
        let mut received = Received::new(None);
        (0..5).for_each(|n| received.put(key(&format!("10.{n}.0.0/16")), &set(1), Moment(1)));
        let mut nets = PrefixSet::new();
        nets.add("10.3.0.0/16".parse().unwrap(), 16, 16);
        nets.finish();
        let nets = Arc::new(nets);
        let all = |received: &mut Received| {
            let mut found = Vec::new();
            while received.is_judged_again() {
                found.extend(received.next_again(2).into_iter().map(|((net, _), _)| net.to_string()));
            }
            found
        };
        received.begin_again_within(Arc::clone(&nets));
        assert_eq!(all(&mut received), ["10.3.0.0/16"]);
        received.begin_again();
        received.begin_again_within(nets);
        assert_eq!(all(&mut received).len(), 5);
    }

    #[test]
    fn a_blocking_receive_limit_bounds_it() {
        let mut received = Received::new(Some(Limit { routes_max: 1, action: LimitAction::Block }));
        received.put(key("10.1.0.0/16"), &set(1), Moment(1));
        received.put(key("10.2.0.0/16"), &set(1), Moment(1));
        received.put(key("10.1.0.0/16"), &set(2), Moment(1));
        assert_eq!(nets(&received), ["10.1.0.0/16"]);
    }

    #[test]
    fn the_longest_prefix_that_covers_is_found() {
        let mut received = Received::new(None);
        received.put(key("10.0.0.0/8"), &set(1), Moment(1));
        received.put(key("10.1.0.0/16"), &set(1), Moment(1));
        let covering = |net: &str| received.covering(net.parse().unwrap()).map(|net| net.to_string());
        assert_eq!(covering("10.1.2.3/32").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(covering("10.2.2.3/32").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(covering("11.0.0.0/8"), None);
    }
}
