//! A change of a table of authorisations with all that pipes make of it in others.
//!
//! As in BIRD it is one: whoever is shown the tables afterwards sees it in all of
//! them. A table that tells others of a change takes nothing from them meanwhile,
//! so a circle of pipes ends where it began.

use super::record::{Record, Touched};
use super::way::Way;
use route::{Customer, Moment, ProtocolId, Roa, RoaChange, RoaChanged, RoaStep, RoaTables, SourceId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// See the head of the file.
pub struct Round {
    /// The tables as they are by now.
    pub tables: RoaTables,
    /// Whether they are others than at first.
    pub is_other: bool,
    /// Tables that have changed, with what may be judged otherwise.
    pub touched: Vec<(Arc<str>, Touched)>,
    now: Moment,
    /// Tables that tell others.
    busy: Vec<Arc<str>>,
}

impl Round {
    /// Nothing has changed yet.
    pub const fn new(tables: RoaTables, now: Moment) -> Self {
        Self { tables, is_other: false, touched: Vec::new(), now, busy: Vec::new() }
    }

    /// Changes a table, and those to which pipes lead. Nothing comes of it when there is no such table.
    pub fn change<K: Record>(&mut self, ways: &mut [Way], name: &str, change: RoaChange<K>) {
        let Some(before) = K::table(&self.tables, name).cloned() else { return };
        let (after, changed) = K::after(&before, change, self.now);
        let RoaChanged { kept, touched, .. } = changed;
        if touched.is_empty() && !kept {
            return;
        }
        self.tables = K::with(&self.tables, name, after);
        self.is_other = true;
        let Some(after) = K::table(&self.tables, name).filter(|_| !touched.is_empty()).cloned() else { return };
        let steps = K::steps(&after, &before, &touched);
        self.touched.push((name.into(), K::touched(touched)));
        for at in 0..ways.len() {
            if ways.get(at).is_some_and(|way| *way.spec().from == *name) {
                self.lead(ways, at, steps.clone());
            }
        }
    }

    /// Tells one way all that the table has that it reads.
    pub fn feed(&mut self, ways: &mut [Way], at: usize) {
        self.feed_of::<Roa>(ways, at);
        self.feed_of::<Customer>(ways, at);
    }

    fn feed_of<K: Record>(&mut self, ways: &mut [Way], at: usize) {
        let from = ways.get(at).and_then(|way| K::table(&self.tables, &way.spec().from)).cloned();
        let Some(from) = from else { return };
        let mut steps: Vec<_> = K::given(&from).map(|(record, lot)| RoaStep { record, lot, comes: true }).collect();
        steps.sort_by_key(|step| (step.record, Reverse(step.lot.attrs.local().preference)));
        self.lead(ways, at, steps);
    }

    /// Takes all back that a pipe has brought into a table.
    pub fn clear(&mut self, ways: &mut [Way], name: &str, pipe: ProtocolId) {
        self.clear_of::<Roa>(ways, name, pipe);
        self.clear_of::<Customer>(ways, name, pipe);
    }

    fn clear_of<K: Record>(&mut self, ways: &mut [Way], name: &str, pipe: ProtocolId) {
        let Some(table) = K::table(&self.tables, name).cloned() else { return };
        let mut sources = BTreeMap::<SourceId, _>::new();
        for (_, lot) in K::given(&table).filter(|(_, lot)| lot.by == pipe) {
            sources.entry(lot.source.id).or_insert_with(|| Arc::clone(&lot.source));
        }
        for source in sources.into_values() {
            let (gone, come, kept) = (Vec::new(), Vec::new(), Vec::new());
            let change = RoaChange::<K> { source, by: pipe, whole: true, gone, come, kept };
            self.change(ways, name, change);
        }
    }

    /// Tells a way of steps: first one of each authorisation, then what other sources say of the same.
    fn lead<K: Record>(&mut self, ways: &mut [Way], at: usize, mut steps: Vec<RoaStep<'_, K>>) {
        while !steps.is_empty() {
            let mut seen = BTreeSet::new();
            let (first, others): (Vec<_>, _) = steps.into_iter().partition(|step| seen.insert(step.record));
            steps = others;
            let Some(way) = ways.get_mut(at) else { return };
            let (from, into) = (Arc::clone(&way.spec().from), Arc::clone(&way.spec().to.into));
            let changes = way.judge(&first, self.busy.contains(&into), &self.tables, self.now);
            self.busy.push(from);
            for change in changes {
                self.change(ways, &into, change);
            }
            self.busy.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inlet::InletSpec;
    use super::super::way::WaySpec;
    use super::*;
    use crate::protocols::Diary;
    use crate::world::Listeners;
    use conf::config::DebugMask;
    use conf::files::Memory;
    use conf::load::{LoadOptions, load};
    use filter::Policy;
    use rib::batch::{Limit, LimitAction};
    use route::attrs::Local;
    use route::options::Voice;
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
            let name: Arc<str> = format!("p{pipe}").into();
            let to = InletSpec {
                protocol: ProtocolId(pipe),
                diary: Diary::new(&name, Voice::Channels, Vec::new(), DebugMask(0)),
                name,
                into: into.into(),
                channel: "sec",
                keep_filtered: false,
                receive: None,
                import: limit,
                listeners: Listeners::default(),
            };
            let ifaces = watch::Sender::new(Arc::default()).subscribe();
            self.ways.push(Way::new(WaySpec { from: from.into(), channel: "pri", policy, ifaces, to }));
            let at = self.ways.len() - 1;
            self.round.feed(&mut self.ways, at);
            at
        }

        /// A static protocol, `s1`.
        fn source() -> Source {
            Source {
                id: SourceId(1),
                protocol: ProtocolId(1),
                protocol_name: "s1".into(),
                kind: SourceKind::Static,
                path_id: 0,
                bgp: None,
            }
        }

        /// The has these authorisations in a table and no others: `10.0.0.0/8 65001`.
        fn fix(&mut self, table: &str, roas: &[&str]) {
            let source = Self::source();
            let attrs = AttrSet::local_only(Local::new(SourceKind::Static, 200, Dest::Unreachable));
            let roa = |text: &&str| {
                let (prefix, asn) = text.split_once(' ').unwrap();
                (Roa { prefix: prefix.parse().unwrap(), max_len: 24, asn: asn.parse().unwrap() }, attrs.clone())
            };
            let (come, gone, kept) = (roas.iter().map(roa).collect(), Vec::new(), Vec::new());
            let change = RoaChange { by: source.protocol, source: Arc::new(source), whole: true, gone, come, kept };
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
    fn providers_go_through_a_pipe_and_back_with_their_source() {
        let aspas = ["a", "b"].map(|name| (Arc::from(name), Arc::<route::AspaTable>::default()));
        let mut lab = Lab::new(&[]);
        lab.round.tables = RoaTables::default().and_aspas(aspas.into());
        lab.way(9, "a", "b", Policy::Accept, None);
        let say = |lab: &mut Lab, come: &[u32]| {
            let plain = AttrSet::local_only(Local::new(SourceKind::Static, 200, Dest::Unreachable));
            let come = come.iter().map(|asn| (Customer(*asn), plain.clone())).collect();
            let source = Lab::source();
            let (by, gone, kept) = (source.protocol, Vec::new(), Vec::new());
            let change = RoaChange { source: Arc::new(source), by, whole: true, gone, come, kept };
            lab.round.change(&mut lab.ways, "a", change);
            let table = lab.round.tables.aspas("b").unwrap();
            table.given().map(|(customer, lot)| (customer.0, lot.by.0)).collect::<Vec<_>>()
        };
        assert_eq!(say(&mut lab, &[1, 2]), [(1, 9), (2, 9)]);
        assert_eq!(say(&mut lab, &[2]), [(2, 9)]);
        lab.ways.clear();
        lab.round.clear(&mut lab.ways, "b", ProtocolId(9));
        assert!(lab.round.tables.aspas("b").unwrap().is_empty());
        assert!(lab.round.touched.iter().all(|(_, touched)| matches!(touched, Touched::Providers)));
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
