//! Recursive next hops that alternate with the selection: the table comes to rest, and says so.
//!
//! A route that is best while its next hop can be reached, and by being best
//! covers that next hop with a recursive route, has no right answer. The table
//! holds such a next hop unreachable. Random tables are compared with a slow
//! resolver: each next hop is what the table says, or is unreachable and was
//! warned of; and what no longer alternates is found right in the end.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use proptest::prelude::*;
use rib::batch::TableEvent;
use route::{Dest, Family, Hop, Moment, Prefix, Resolved, SourceKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::*;

const PREFIXES: [&str; 5] = ["10.0.0.0/8", "10.1.0.0/16", "20.0.0.0/8", "20.1.0.0/16", "30.0.0.0/8"];
const GATEWAYS: [&str; 5] = ["10.1.1.1", "10.2.2.2", "20.1.1.1", "20.2.2.2", "30.3.3.3"];
const CHANNELS: u32 = 3;

fn lab() -> Lab {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_ifaces(Arc::new(links()));
    (1..=CHANNELS).for_each(|n| t.up(n, spec()));
    t
}

/// Works to the end and returns how many slices that took.
fn slices(t: &mut Lab) -> usize {
    let slices = (1..2000).find(|_| !t.table.work(t.now, 64)).expect("the work has an end");
    t.events.extend(t.table.take_warnings());
    slices
}

fn warnings(t: &mut Lab) -> Vec<String> {
    let text = |event| if let TableEvent::Warning { text } = event { Some(text) } else { None };
    t.events.drain(..).filter_map(text).collect()
}

#[test]
fn a_route_that_covers_its_own_next_hop_when_it_is_best_is_held_unreachable() {
    let mut t = lab();
    t.announce(1, "10.1.0.0/16", bgp().local_pref(200).recursive("10.1.1.1").build());
    t.announce(2, "10.1.0.0/16", bgp().local_pref(100).build());
    slices(&mut t);
    assert_eq!(t.paths("10.1.0.0/16"), ["2*", "1"]);
    let said = "Next hop address 10.1.1.1 resolvable through recursive route for 10.1.0.0/16";
    assert_eq!(warnings(&mut t), [said]);
    assert_eq!(slices(&mut t), 1, "it rests");
    // A longer route that does not depend on it ends the riddle at once.
    t.announce(3, "10.1.1.0/24", bgp().build());
    slices(&mut t);
    assert_eq!(t.paths("10.1.0.0/16"), ["1*", "2"]);
    // And without it the riddle is there again; the operator is not told every time.
    t.withdraw(3, "10.1.1.0/24");
    slices(&mut t);
    assert_eq!(t.paths("10.1.0.0/16"), ["2*", "1"]);
    assert_eq!(warnings(&mut t), [""; 0]);
    t.now = t.now.plus_ms(10_000);
    t.announce(3, "10.1.0.0/16", bgp().local_pref(50).build());
    slices(&mut t);
    assert_eq!(t.paths("10.1.0.0/16")[0], "2*");
    assert_eq!(warnings(&mut t), [said]);
}

#[test]
fn a_circle_of_three_is_held_at_one_and_right_some_time_after_it_is_cut_anywhere() {
    // In each prefix a route that is preferred while the next hop in the prefix before can be reached.
    let circle = [("10.0.0.0/8", "30.3.3.3"), ("20.0.0.0/8", "10.1.1.1"), ("30.0.0.0/8", "20.1.1.1")];
    for (cut, _) in circle {
        let mut t = lab();
        for (prefix, gateway) in circle {
            t.announce(1, prefix, bgp().local_pref(200).recursive(gateway).build());
            t.announce(2, prefix, bgp().build());
        }
        slices(&mut t);
        assert_eq!(check(&t).len(), 1);
        t.withdraw(1, cut);
        slices(&mut t);
        t.now = t.now.plus_ms(10_000);
        slices(&mut t);
        assert_eq!(check(&t), BTreeSet::new());
    }
}

#[test]
fn many_refused_next_hops_are_few_lines() {
    let mut t = lab();
    t.announce(1, "10.0.0.0/8", bgp().recursive("192.168.0.7").build());
    for n in 0..200 {
        t.announce(1, &format!("20.0.{n}.0/24"), bgp().recursive(&format!("10.0.0.{n}")).build());
    }
    slices(&mut t);
    assert_eq!(warnings(&mut t).len(), 20);
}

fn gateway() -> Resolved {
    Resolved::Unicast(Hop::via("192.168.0.1".parse().expect("an address"), route::IfIndex(2)))
}

/// What a path of this destination should lead to, looked up the slow way.
fn resolve(t: &Lab, dest: &Dest) -> Resolved {
    let Dest::Recursive(r) = dest else { return gateway() };
    let nets = PREFIXES.map(net).into_iter().filter(|net| net.contains(r.gateway));
    let mut nets: Vec<Prefix> = nets.filter(|net| t.table.find(net).is_some()).collect();
    nets.sort_by_key(|net| net.len());
    let Some(by) = nets.last().and_then(|net| t.table.show(t.table.find(net)?)) else { return Resolved::Unreachable };
    let best = &by.paths[0];
    if best.hop.recursive { Resolved::Unreachable } else { best.hop.to.clone() }
}

/// Checks every path; returns the gateways that are held.
fn check(t: &Lab) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    for prefix in PREFIXES {
        let Some(view) = t.table.find(&net(prefix)).and_then(|id| t.table.show(id)) else { continue };
        for path in &view.paths {
            let dest = &path.attrs.local().dest;
            if path.hop.to != resolve(t, dest) {
                assert_eq!(path.hop.to, Resolved::Unreachable, "{prefix} {dest:?}");
                let Dest::Recursive(r) = dest else { panic!("only what is recursive is held") };
                held.insert(r.gateway.to_string());
            }
        }
        let reachable = |p: &rib::table::PathView| p.hop.to != Resolved::Unreachable;
        assert!(reachable(&view.paths[0]) || !view.paths.iter().any(reachable), "{prefix}: the best leads nowhere");
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_alternates_the_table_rests_and_is_right_but_for_what_it_holds(
        steps in prop::collection::vec((1..=CHANNELS, 0..PREFIXES.len(), 0..GATEWAYS.len() + 3, any::<bool>()), 1..50),
    ) {
        let mut t = lab();
        let mut warned = BTreeSet::new();
        for (c, prefix, what, high) in steps {
            let set = bgp().local_pref(if high { 200 } else { 100 });
            match GATEWAYS.get(what) {
                Some(gateway) => t.announce(c, PREFIXES[prefix], set.recursive(gateway).build()),
                None if what == GATEWAYS.len() => t.withdraw(c, PREFIXES[prefix]),
                None => t.announce(c, PREFIXES[prefix], set.build()),
            }
            t.now = t.now.plus_ms(11_000);
            slices(&mut t);
            warned.extend(warnings(&mut t).iter().filter_map(|w| w.split(' ').nth(3).map(String::from)));
            let held = check(&t);
            prop_assert!(held.is_subset(&warned), "{held:?} of {warned:?}");
        }
        // Without competition nothing alternates; after a while nothing is held.
        for prefix in PREFIXES {
            t.withdraw(2, prefix);
            t.withdraw(3, prefix);
        }
        slices(&mut t);
        t.now = t.now.plus_ms(11_000);
        t.announce(2, "50.0.0.0/8", bgp().build());
        slices(&mut t);
        prop_assert_eq!(check(&t), BTreeSet::new());
    }
}

#[test]
fn an_unchanged_answer_costs_no_turn_however_often_it_is_asked_for() {
    let mut t = lab();
    t.announce(1, "20.0.0.0/8", bgp().recursive("10.1.1.1").build());
    for n in 0..40 {
        t.now = Moment(n);
        t.announce(2, "10.1.0.0/16", local(SourceKind::Bgp, 100 + n as u32, via("192.168.0.1")));
    }
    slices(&mut t);
    assert_eq!(t.hop("20.0.0.0/8").0, gateway());
}
