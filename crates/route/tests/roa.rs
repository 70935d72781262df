//! ROA tables that protocols fill.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

extern crate rbird_route as route;

use route::attrs::Local;
use route::{
    AttrSet, Dest, Moment, Prefix, ProtocolId, Roa, RoaChange, RoaChanged, RoaState, RoaTable, Source, SourceId,
    SourceKind,
};
use std::sync::Arc;

/// `10.0.0.0/8-24 1`.
fn roa(text: &str) -> Roa {
    let (net, asn) = text.split_once(' ').unwrap();
    let (prefix, max_len) = net.rsplit_once('-').unwrap();
    Roa { prefix: prefix.parse().unwrap(), max_len: max_len.parse().unwrap(), asn: asn.parse().unwrap() }
}

fn attrs(preference: u32) -> AttrSet {
    AttrSet::local_only(Local::new(SourceKind::Rpki, preference, Dest::Unreachable))
}

/// What protocol `by` does.
fn change(by: u32, whole: bool, gone: &[&str], come: &[&str]) -> RoaChange {
    let source = Source::of_protocol(SourceId(by), ProtocolId(by), format!("p{by}").into(), SourceKind::Rpki);
    RoaChange {
        source: Arc::new(source),
        by: ProtocolId(by),
        whole,
        gone: gone.iter().map(|r| roa(r)).collect(),
        come: come.iter().map(|r| (roa(r), attrs(100 * by))).collect(),
        kept: Vec::new(),
    }
}

/// How many a protocol has brought.
fn given_by(table: &RoaTable, by: u32) -> usize {
    table.given().filter(|(_, lot)| lot.by == ProtocolId(by)).count()
}

fn touched(all: &[&str]) -> Vec<Prefix> {
    all.iter().map(|p| p.parse().unwrap()).collect()
}

/// Authorisations with who gives them since when.
fn shown(table: &RoaTable) -> Vec<String> {
    let lots = |lots: Vec<&route::RoaLot>| {
        lots.iter().map(|l| format!(" {}@{}", l.source.protocol_name, l.since.0)).collect::<String>()
    };
    table.nets(None).map(|(roa, l)| format!("{} {}{}", roa.prefix, roa.asn, lots(l))).collect()
}

#[test]
fn what_is_given_again_keeps_its_time_and_touches_nothing() {
    let first = change(1, true, &[], &["10.0.0.0/8-24 1", "11.0.0.0/8-24 2"]);
    let (table, changed) = RoaTable::default().after(first, Moment(1));
    assert_eq!(changed, RoaChanged { come: 2, gone: 0, kept: false, touched: touched(&["10.0.0.0/8", "11.0.0.0/8"]) });
    let again = change(1, true, &[], &["10.0.0.0/8-24 1", "12.0.0.0/8-8 3"]);
    let (table, changed) = table.after(again, Moment(2));
    assert_eq!(changed, RoaChanged { come: 1, gone: 1, kept: false, touched: touched(&["11.0.0.0/8", "12.0.0.0/8"]) });
    assert_eq!(shown(&table), ["10.0.0.0/8 1 p1@1", "12.0.0.0/8 3 p1@2"]);
    let (_, changed) = table.after(change(1, false, &["13.0.0.0/8-8 1"], &["10.0.0.0/8-24 1"]), Moment(3));
    assert_eq!(changed, RoaChanged::default());
}

#[test]
fn what_two_protocols_give_stays_while_one_of_them_does() {
    let (table, _) = RoaTable::default().after(change(1, false, &[], &["10.0.0.0/8-24 1"]), Moment(1));
    let (table, _) = table.after(change(2, false, &[], &["10.0.0.0/8-24 1"]), Moment(2));
    assert_eq!(shown(&table), ["10.0.0.0/8 1 p2@2 p1@1"], "the preferred one first");
    assert_eq!((given_by(&table, 1), given_by(&table, 2)), (1, 1));
    let (table, changed) = table.after(change(2, true, &[], &[]), Moment(3));
    assert_eq!((changed.gone, shown(&table)), (1, vec!["10.0.0.0/8 1 p1@1".to_owned()]));
    assert_eq!(table.check("10.1.0.0/16".parse().unwrap(), 1), RoaState::Valid);
}

#[test]
fn the_steps_of_a_change_are_what_each_source_gives_otherwise() {
    let both = ["10.0.0.0/8-24 1", "10.0.0.0/8-24 2"];
    let (before, _) = RoaTable::default().after(change(1, false, &[], &both), Moment(1));
    let (before, _) = before.after(change(2, false, &[], &both), Moment(1));
    let mut next = change(1, true, &[], &["10.0.0.0/8-24 2", "11.0.0.0/8-8 3"]);
    next.come[0].1 = attrs(7);
    let (after, changed) = before.after(next, Moment(2));
    let step = |s: &route::RoaStep<'_>| {
        format!("{} of {} {}", s.record, s.lot.source.protocol_name, if s.comes { "comes" } else { "goes" })
    };
    let steps: Vec<_> = after.steps_since(&before, &changed.touched).iter().map(step).collect();
    assert_eq!(
        steps,
        [
            "10.0.0.0/8 max 24 as 1 of p1 goes",
            "10.0.0.0/8 max 24 as 2 of p1 comes",
            "11.0.0.0/8 max 8 as 3 of p1 comes"
        ]
    );
    let given = |asn: &str| -> Vec<_> { after.lots_of(roa(asn)).iter().map(|l| l.attrs.local().preference).collect() };
    assert_eq!([given(both[0]), given(both[1])], [vec![200], vec![200, 7]]);
}

#[test]
fn what_a_pipe_has_brought_its_source_does_not_take_back() {
    let mut by_pipe = change(1, false, &[], &["10.0.0.0/8-24 1"]);
    by_pipe.by = ProtocolId(9);
    let (table, _) = RoaTable::default().after(by_pipe.clone(), Moment(1));
    let (table, changed) = table.after(change(1, true, &["10.0.0.0/8-24 1"], &[]), Moment(2));
    assert_eq!((changed.gone, given_by(&table, 9), given_by(&table, 1)), (0, 1, 0));
    by_pipe.whole = true;
    by_pipe.come.clear();
    assert!(table.after(by_pipe, Moment(3)).0.is_empty());
}

#[test]
fn what_a_filter_has_rejected_is_kept_beside_the_table_and_takes_back_what_stood() {
    let kept = |table: &RoaTable| -> Vec<String> {
        let lots = |lots: Vec<&route::RoaLot>| lots.iter().map(|l| format!(" {}", l.since.0)).collect::<String>();
        table.kept().nets(None).map(|(roa, l)| format!("{}{}", roa.prefix, lots(l))).collect()
    };
    let rejects = |roas: &[&str], come: &[&str]| RoaChange {
        kept: roas.iter().map(|r| (roa(r), attrs(7))).collect(),
        ..change(1, false, &[], come)
    };
    let first = rejects(&["10.0.0.0/8-24 1"], &["11.0.0.0/8-24 2"]);
    let (table, changed) = RoaTable::default().after(first, Moment(1));
    assert_eq!((changed.kept, changed.touched.len(), kept(&table)), (true, 1, vec!["10.0.0.0/8 1".to_owned()]));
    assert_eq!(table.check("10.0.0.0/8".parse().unwrap(), 7), RoaState::Unknown);
    let (table, changed) = table.after(rejects(&["10.0.0.0/8-24 1", "11.0.0.0/8-24 2"], &[]), Moment(2));
    assert_eq!((changed.kept, changed.gone), (true, 1));
    assert_eq!((kept(&table), shown(&table)), (vec!["10.0.0.0/8 1".to_owned(), "11.0.0.0/8 2".to_owned()], vec![]));
    let (table, changed) = table.after(change(1, false, &["12.0.0.0/8-8 1"], &["10.0.0.0/8-24 1"]), Moment(3));
    assert_eq!((changed.come, kept(&table)), (1, vec!["11.0.0.0/8 2".to_owned()]));
    let (same, changed) = table.after(change(2, true, &[], &[]), Moment(4));
    assert_eq!((changed, kept(&same)), (RoaChanged::default(), kept(&table)));
    assert!(kept(&table.after(change(1, true, &[], &[]), Moment(4)).0).is_empty());
}

#[test]
fn of_what_is_given_twice_at_once_the_last_counts() {
    let mut twice = change(1, false, &[], &["10.0.0.0/8-24 1", "10.0.0.0/8-24 1"]);
    twice.come[1].1 = attrs(7);
    let (table, changed) = RoaTable::default().after(twice, Moment(1));
    let preferences: Vec<_> = table.nets(None).flat_map(|(_, l)| l).map(|l| l.attrs.local().preference).collect();
    assert_eq!((changed.come, preferences), (1, vec![7]));
}

#[test]
fn the_prefixes_inside_another_are_tried_in_order() {
    let inside = |net: &str, len| -> Vec<String> {
        net.parse::<Prefix>().unwrap().subnets(len).map(|p| p.to_string()).collect()
    };
    assert_eq!(inside("10.0.0.0/8", 9), ["10.0.0.0/9", "10.128.0.0/9"]);
    assert_eq!(inside("10.0.0.0/8", 8), ["10.0.0.0/8"]);
    assert_eq!(inside("2001:db8::/32", 33), ["2001:db8::/33", "2001:db8:8000::/33"]);
    assert_eq!(inside("::/0", 0), ["::/0"]);
    assert!(inside("10.0.0.0/8", 7).is_empty() && inside("10.0.0.0/8", 33).is_empty());
}
