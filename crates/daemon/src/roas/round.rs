//! A change of a ROA table with all that pipes make of it in others.
//!
//! As in BIRD it is one: whoever is shown the tables afterwards sees it in all of
//! them. A table that tells others of a change takes nothing from them meanwhile,
//! so a circle of pipes ends where it began.

use super::way::Way;
use route::{Moment, Prefix, ProtocolId, RoaChange, RoaChanged, RoaStep, RoaTables, SourceId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// See the head of the file.
pub struct Round {
    /// The tables as they are by now.
    pub tables: RoaTables,
    /// Tables that have changed, with the prefixes whose authorisations are others.
    pub touched: Vec<(Arc<str>, Vec<Prefix>)>,
    now: Moment,
    /// Tables that tell others.
    busy: Vec<Arc<str>>,
}

impl Round {
    /// Nothing has changed yet.
    pub const fn new(tables: RoaTables, now: Moment) -> Self {
        Self { tables, touched: Vec::new(), now, busy: Vec::new() }
    }

    /// Changes a table, and those to which pipes lead. Nothing comes of it when there is no such table.
    pub fn change(&mut self, ways: &mut [Way], name: &str, change: RoaChange) -> RoaChanged {
        let Some(before) = self.tables.get(name).cloned() else { return RoaChanged::default() };
        let (after, changed) = before.after(change, self.now);
        if changed.touched.is_empty() {
            return changed;
        }
        self.tables = self.tables.with(name, after);
        self.touched.push((name.into(), changed.touched.clone()));
        let Some(after) = self.tables.get(name).cloned() else { return changed };
        let steps = after.steps_since(&before, &changed.touched);
        for at in 0..ways.len() {
            if ways.get(at).is_some_and(|way| *way.spec().from == *name) {
                self.lead(ways, at, &steps);
            }
        }
        changed
    }

    /// Tells one way all that the table has that it reads.
    pub fn feed(&mut self, ways: &mut [Way], at: usize) {
        let from = ways.get(at).and_then(|way| self.tables.get(&way.spec().from)).cloned();
        let Some(from) = from else { return };
        let steps: Vec<_> = from.given().map(|(roa, lot)| RoaStep { roa, lot, comes: true }).collect();
        self.lead(ways, at, &steps);
    }

    /// Takes all back that a pipe has brought into a table.
    pub fn clear(&mut self, ways: &mut [Way], name: &str, pipe: ProtocolId) {
        let Some(table) = self.tables.get(name).cloned() else { return };
        let mut sources = BTreeMap::<SourceId, _>::new();
        for (_, lot) in table.given().filter(|(_, lot)| lot.by == pipe) {
            sources.entry(lot.source.id).or_insert_with(|| Arc::clone(&lot.source));
        }
        for source in sources.into_values() {
            let change = RoaChange { source, by: pipe, whole: true, gone: Vec::new(), come: Vec::new() };
            self.change(ways, name, change);
        }
    }

    fn lead(&mut self, ways: &mut [Way], at: usize, steps: &[RoaStep<'_>]) {
        let Some(way) = ways.get_mut(at) else { return };
        let (from, into) = (Arc::clone(&way.spec().from), Arc::clone(&way.spec().into));
        let changes = way.judge(steps, self.busy.contains(&into), &self.tables, self.now);
        self.busy.push(from);
        for change in changes {
            self.change(ways, &into, change);
        }
        self.busy.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::way::WaySpec;
    use super::*;
    use crate::world::Listeners;
    use conf::files::Memory;
    use conf::load::{LoadOptions, load};
    use filter::Policy;
    use rib::batch::{Limit, LimitAction};
    use route::attrs::Local;
    use route::{AttrSet, Dest, Roa, RoaTable, Source, SourceKind};
    use tokio::sync::watch;

    /// Tables and pipes, without a daemon.
    struct Lab {
        round: Round,
        ways: Vec<Way>,
    }

    impl Lab {
        fn new(tables: &[&str]) -> Self {
            let tables = tables.iter().map(|name| (Arc::from(*name), Arc::<RoaTable>::default())).collect();
            Self { round: Round::new(RoaTables::new(tables), Moment(1)), ways: Vec::new() }
        }

        /// A direction of a pipe comes up.
        fn way(&mut self, pipe: u32, from: &str, into: &str, policy: Policy, limit: Option<Limit>) -> usize {
            self.ways.push(Way::new(WaySpec {
                pipe: ProtocolId(pipe),
                name: format!("p{pipe}").into(),
                from: from.into(),
                into: into.into(),
                policy,
                limit,
                ifaces: watch::Sender::new(Arc::default()).subscribe(),
                listeners: Listeners::default(),
            }));
            let at = self.ways.len() - 1;
            self.round.feed(&mut self.ways, at);
            at
        }

        /// A static protocol, `s1`, has these authorisations in a table and no others: `10.0.0.0/8 65001`.
        fn fix(&mut self, table: &str, roas: &[&str]) {
            let source = Source {
                id: SourceId(1),
                protocol: ProtocolId(1),
                protocol_name: "s1".into(),
                kind: SourceKind::Static,
                path_id: 0,
                bgp: None,
            };
            let attrs = AttrSet::local_only(Local::new(SourceKind::Static, 200, Dest::Unreachable));
            let roa = |text: &&str| {
                let (prefix, asn) = text.split_once(' ').unwrap();
                (Roa { prefix: prefix.parse().unwrap(), max_len: 24, asn: asn.parse().unwrap() }, attrs.clone())
            };
            let (come, gone) = (roas.iter().map(roa).collect(), Vec::new());
            let change = RoaChange { by: source.protocol, source: Arc::new(source), whole: true, gone, come };
            self.round.change(&mut self.ways, table, change);
        }

        /// What a table has: prefix, AS, source, who brought it, preference.
        fn has(&self, table: &str) -> Vec<String> {
            let shown = |(roa, lot): (Roa, &route::RoaLot)| {
                let (name, by) = (&lot.source.protocol_name, lot.by.0);
                format!("{} {} {name} by {by} ({})", roa.prefix, roa.asn, lot.attrs.local().preference)
            };
            self.round.tables.get(table).unwrap().given().map(shown).collect()
        }
    }

    /// `import` of a pipe.
    fn policy(text: &str) -> Policy {
        let text = format!("roa4 table a; roa4 table b; protocol pipe {{ table a; peer table b; import {text}; }}");
        let loaded = load("c", &Memory::new().with("c", &text), &LoadOptions::default());
        let config = loaded.map_err(|refused| refused.report(false).join("\n")).unwrap().config;
        config.protocols[0].roa_channels[0].import.clone()
    }

    #[test]
    fn what_one_table_has_stands_in_the_other_under_its_source_and_does_not_come_back() {
        let mut lab = Lab::new(&["a", "b"]);
        lab.fix("a", &["10.0.0.0/8 1"]);
        let out = lab.way(9, "a", "b", Policy::Accept, None);
        let back = lab.way(9, "b", "a", Policy::Accept, None);
        lab.fix("a", &["10.0.0.0/8 1", "11.0.0.0/8 2"]);
        assert_eq!(lab.has("b"), ["10.0.0.0/8 1 s1 by 9 (200)", "11.0.0.0/8 2 s1 by 9 (200)"]);
        assert_eq!(lab.has("a").len(), 2);
        let ((out_view, _), (back_view, _)) = (lab.ways[out].view(), lab.ways[back].view());
        assert_eq!((out_view.routes, out_view.offered.updates_received, out_view.taken.updates_accepted), (2, 2, 2));
        assert_eq!(
            (back_view.routes, back_view.offered.updates_received, back_view.offered.updates_rejected),
            (0, 2, 2)
        );
        lab.fix("a", &["11.0.0.0/8 2"]);
        assert_eq!(lab.has("b"), ["11.0.0.0/8 2 s1 by 9 (200)"]);
        let (view, _) = lab.ways[out].view();
        assert_eq!((view.routes, view.offered.withdraws_received, view.taken.withdraws_accepted), (1, 1, 1));
    }

    #[test]
    fn a_filter_rejects_and_changes_and_another_one_takes_back() {
        let mut lab = Lab::new(&["a", "b"]);
        let of_one = policy("filter { if net.asn = 2 then reject; preference = 7; accept; }");
        let at = lab.way(9, "a", "b", of_one, None);
        lab.fix("a", &["10.0.0.0/8 1", "11.0.0.0/8 2"]);
        assert_eq!(lab.has("b"), ["10.0.0.0/8 1 s1 by 9 (7)"]);
        let spec = WaySpec { policy: policy("where net.asn = 2"), ..lab.ways[at].spec().clone() };
        lab.ways[at].set_spec(spec);
        lab.round.feed(&mut lab.ways, at);
        assert_eq!(lab.has("b"), ["11.0.0.0/8 2 s1 by 9 (200)"]);
        let (view, _) = lab.ways[at].view();
        assert_eq!((view.offered.updates_filtered, view.taken.withdraws_accepted, view.routes), (2, 1, 1));
    }

    #[test]
    fn a_circle_of_pipes_ends_where_it_began_and_nothing_is_left_in_it() {
        let mut lab = Lab::new(&["a", "b", "c"]);
        for (pipe, from, into) in [(7, "a", "b"), (8, "b", "c"), (9, "c", "a")] {
            lab.way(pipe, from, into, Policy::Accept, None);
        }
        lab.fix("b", &["10.0.0.0/8 1"]);
        let has = |lab: &Lab| ["a", "b", "c"].map(|table| lab.has(table).concat());
        let of = |by: u32| format!("10.0.0.0/8 1 s1 by {by} (200)");
        assert_eq!(has(&lab), [of(9), of(1), of(8)]);
        // The other way round it is there already.
        lab.round.feed(&mut lab.ways, 0);
        assert_eq!(has(&lab), [of(9), of(1), of(8)]);
        lab.fix("b", &[]);
        assert_eq!(has(&lab).concat(), "");
    }

    #[test]
    fn a_limit_keeps_out_what_is_above_it_until_it_is_opened() {
        let mut lab = Lab::new(&["a", "b"]);
        let limit = Limit { routes_max: 1, action: LimitAction::Block };
        let at = lab.way(9, "a", "b", Policy::Accept, Some(limit));
        lab.fix("a", &["10.0.0.0/8 1", "11.0.0.0/8 2"]);
        assert_eq!((lab.has("b").len(), lab.ways[at].view().1), (1, true));
        assert_eq!(lab.ways[at].view().0.taken.updates_ignored, 1);
        lab.fix("a", &["11.0.0.0/8 2"]);
        assert!(lab.has("b").is_empty(), "it stays shut");
        let spec = lab.ways[at].spec().clone();
        lab.ways[at].set_spec(spec);
        lab.round.feed(&mut lab.ways, at);
        assert_eq!(lab.has("b").len(), 1);
    }

    #[test]
    fn a_pipe_that_goes_takes_along_what_it_has_brought() {
        let mut lab = Lab::new(&["a", "b", "c"]);
        lab.fix("a", &["10.0.0.0/8 1"]);
        lab.way(8, "a", "b", Policy::Accept, None);
        lab.way(9, "b", "c", Policy::Accept, None);
        assert_eq!(lab.has("c").len(), 1);
        lab.ways.remove(0);
        lab.round.clear(&mut lab.ways, "b", ProtocolId(8));
        assert_eq!([lab.has("a").len(), lab.has("b").len(), lab.has("c").len()], [1, 0, 0]);
    }
}
