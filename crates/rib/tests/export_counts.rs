//! What `Route change stats` of the export side count with ADD-PATH: each path.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use filter::run::Policy;
use rib::batch::Reading;
use rib::export::{GroupKey, Slot};
use rib::trace::Tracing;
use route::Family;
use support::*;

/// Protocols 1, 2 and 3 import; 3 and 4 are told all paths.
fn lab() -> (Lab, Told, Slot, Slot) {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_reading(Reading::All);
    (1..=3).for_each(|n| t.up(n, spec()));
    let mut told = Told::new(GroupKey { add_path: true, ..key(Policy::Accept) });
    let (third, fourth) = (told.join(3, Tracing::default(), None), told.join(4, Tracing::default(), None));
    told.feed(&t);
    (t, told, third, fourth)
}

/// Updates received, rejected, filtered, accepted; withdraws received, accepted; routes told.
fn counted(told: &Told, slot: Slot) -> [u64; 7] {
    let (s, exported) = told.group.stats(slot).expect("a member");
    [
        s.updates_received,
        s.updates_rejected,
        s.updates_filtered,
        s.updates_accepted,
        s.withdraws_received,
        s.withdraws_accepted,
        exported.into(),
    ]
}

#[test]
fn what_is_kept_exactly_is_not_told_twice_and_can_be_looked_at() {
    for (exact, repeats) in [(false, true), (true, false)] {
        let mut t = Lab::new(Family::Ipv4);
        (1..=2).for_each(|n| t.up(n, spec()));
        let mut told = Told::new(GroupKey { exact, ..key(Policy::Accept) });
        let only = told.join(2, Tracing::default(), None);
        told.feed(&t);
        t.announce(1, "10.0.0.0/8", given(&[65001]));
        t.announce(2, "11.0.0.0/8", given(&[65002]));
        told.changes(&mut t);
        assert_eq!(told.advance.runs.len(), 1);
        // Another preference changes the route here, and nothing that the neighbour hears.
        let less = bgp().path(&[65001]).octets(route::attr::code::NEXT_HOP, &[192, 168, 0, 1]).preference(50);
        t.announce(1, "10.0.0.0/8", less.build());
        told.changes(&mut t);
        assert_eq!(!told.advance.runs.is_empty(), repeats, "exact: {exact}");
        let nets: Vec<_> = ["10.0.0.0/8", "11.0.0.0/8"]
            .iter()
            .filter_map(|net| t.table.show(t.table.find(&net.parse().ok()?)?))
            .collect();
        let held: Vec<_> = told.group.explain(only, &nets).iter().map(|judged| judged.told).collect();
        assert_eq!(held, [true, false], "its own route is not told back");
    }
}

#[test]
fn changes_that_come_singly_count_one_each_whoever_made_them() {
    let (mut t, mut told, third, fourth) = lab();
    for n in [1, 2, 3] {
        t.now = route::Moment(n.into());
        t.announce(n, "10.0.0.0/8", given(&[65000 + n]));
        told.changes(&mut t);
    }
    assert_eq!(counted(&told, third), [3, 1, 0, 2, 0, 0, 2], "its own path is rejected");
    assert_eq!(counted(&told, fourth), [3, 0, 0, 3, 0, 0, 3]);
    t.now = route::Moment(4);
    t.announce(3, "10.0.0.0/8", given(&[65003, 9]));
    told.changes(&mut t);
    assert_eq!(counted(&told, third), [4, 2, 0, 2, 0, 0, 2]);
    assert_eq!(counted(&told, fourth), [4, 0, 0, 4, 0, 0, 3]);
    t.withdraw(1, "10.0.0.0/8");
    told.changes(&mut t);
    assert_eq!(counted(&told, third), [4, 2, 0, 2, 1, 1, 1]);
    assert_eq!(counted(&told, fourth), [4, 0, 0, 4, 1, 1, 2]);
}

#[test]
fn two_paths_that_change_together_count_two() {
    let (mut t, mut told, third, fourth) = lab();
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.announce(2, "10.0.0.0/8", given(&[65002]));
    told.changes(&mut t);
    for slot in [third, fourth] {
        assert_eq!(counted(&told, slot), [2, 0, 0, 2, 0, 0, 2]);
    }
    t.withdraw(1, "10.0.0.0/8");
    t.withdraw(2, "10.0.0.0/8");
    told.changes(&mut t);
    assert_eq!(counted(&told, third), [2, 0, 0, 2, 2, 2, 0]);
}

#[test]
fn a_feed_counts_every_path_and_a_filter_every_one_that_it_rejects() {
    let (mut t, mut told, ..) = lab();
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.announce(2, "10.0.0.0/8", given(&[65002]));
    told.changes(&mut t);
    let late = told.join(5, Tracing::default(), None);
    told.feed(&t);
    assert_eq!(counted(&told, late), [2, 0, 0, 2, 0, 0, 2]);
    let mut closed = Told::new(GroupKey { add_path: true, ..key(Policy::Reject) });
    let slot = closed.join(5, Tracing::default(), None);
    closed.feed(&t);
    assert_eq!(counted(&closed, slot), [2, 0, 2, 0, 0, 0, 0]);
}
