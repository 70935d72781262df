//! ASPA tables, and what they say of paths beside what BIRD 2.19.2 says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use rbird_route as route;
use route::aspa::providers_value;
use route::aspath::segment;
use route::attrs::{Local, LocalAttr};
use route::{
    AsPath, AspaState, AspaTable, AttrSet, Customer, Dest, Moment, ProtocolId, RoaChange, Source, SourceId, SourceKind,
};
use std::sync::Arc;

const BIRD: &str = include_str!("aspa-2.19.2.tsv");

fn attrs(preference: u32, providers: &[u32]) -> AttrSet {
    let mut local = Local::new(SourceKind::Rpki, preference, Dest::Unreachable);
    local.set_extra(LocalAttr::AspaProviders, Some(providers_value(providers)));
    AttrSet::local_only(local)
}

fn change(by: u32, whole: bool, gone: &[u32], come: &[(u32, &[u32])]) -> RoaChange<Customer> {
    let source = Source::of_protocol(SourceId(by), ProtocolId(by), format!("p{by}").into(), SourceKind::Rpki);
    RoaChange {
        source: Arc::new(source),
        by: ProtocolId(by),
        whole,
        gone: gone.iter().map(|asn| Customer(*asn)).collect(),
        come: come.iter().map(|(asn, providers)| (Customer(*asn), attrs(100 * by, providers))).collect(),
        kept: Vec::new(),
    }
}

fn path(kind: u8, asns: &[u32]) -> Vec<u8> {
    let mut octets = vec![kind, asns.len() as u8];
    octets.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    octets
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(' ').map(|n| n.parse().unwrap()).collect()
}

/// The table of the file; of a customer that stands twice the second line is of another protocol.
fn table_of_bird() -> AspaTable {
    let mut table = AspaTable::default();
    for line in BIRD.lines().filter_map(|l| l.strip_prefix("! ")) {
        let [customer, providers @ ..] = &numbers(line)[..] else { panic!("{line}") };
        let by = 1 + table.of(Customer(*customer)).len() as u32;
        table = table.after(change(by, false, &[], &[(*customer, providers)]), Moment(1)).0;
    }
    table
}

#[test]
fn paths_are_judged_as_bird_judges_them() {
    let table = table_of_bird();
    let word = |state: AspaState| format!("{state:?}").to_lowercase();
    let mut judged = 0;
    for line in BIRD.lines().filter(|l| !l.starts_with(['!', '#'])) {
        let [asns, upstream, downstream] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let octets = path(segment::AS_SEQUENCE, &numbers(asns));
        let path = AsPath::new(&octets);
        let said = [true, false].map(|is_upstream| word(table.check(path, is_upstream)));
        assert_eq!(said, [upstream, downstream], "{asns}");
        judged += 1;
    }
    assert_eq!(judged, 150);
}

#[test]
fn of_no_path_a_set_and_a_confederation_nothing_good_is_said() {
    let table = table_of_bird();
    for octets in [
        Vec::new(),
        path(segment::AS_SET, &[1]),
        path(segment::AS_CONFED_SEQUENCE, &[1]),
        [path(segment::AS_SEQUENCE, &[1]), path(segment::AS_SET, &[2, 3])].concat(),
    ] {
        assert_eq!(table.check(AsPath::new(&octets), false), AspaState::Invalid, "{octets:?}");
    }
}

#[test]
fn a_change_touches_what_its_source_gave_and_nothing_else() {
    let (table, changed) = AspaTable::default().after(change(1, false, &[], &[(1, &[2]), (3, &[4])]), Moment(1));
    assert_eq!((changed.come, changed.gone), (2, 0));
    let (table, changed) = table.after(change(2, true, &[], &[(1, &[5])]), Moment(2));
    assert_eq!((changed.come, changed.gone), (1, 0));
    let givers: Vec<_> = table.of(Customer(1)).iter().map(|e| e.by.source.protocol.0).collect();
    assert_eq!(givers, [2, 1], "the most preferred first");
    let (table, changed) = table.after(change(1, true, &[], &[(1, &[2])]), Moment(3));
    assert_eq!((changed.come, changed.gone), (0, 1));
    assert_eq!(table.of(Customer(1)).last().unwrap().by.since, Moment(1), "what stands keeps its time");
    let (table, changed) = table.after(change(1, false, &[1, 9], &[]), Moment(4));
    assert_eq!((changed.come, changed.gone, table.len()), (0, 1, 1));
}

#[test]
fn the_steps_of_a_change_are_the_customers_of_whom_a_source_says_something_else() {
    let (before, _) = AspaTable::default().after(change(1, true, &[], &[(1, &[2]), (3, &[4]), (5, &[6])]), Moment(1));
    let (after, changed) = before.after(change(1, true, &[], &[(3, &[7]), (5, &[6]), (8, &[9])]), Moment(2));
    let steps = after.steps_since(&before, &changed.touched);
    let steps: Vec<_> = steps.iter().map(|step| (step.record.0, step.comes)).collect();
    assert_eq!(steps, [(1, false), (3, true), (8, true)]);
}
