//! What a table takes, counted by itself: the same on every machine.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use route::Family;
use support::*;

/// More than the arrays that grow as a vector does hold.
const MANY: u32 = 60_000;

fn loaded(family: Family, net: impl Fn(u32) -> String) -> Lab {
    let mut t = Lab::new(family);
    t.up(1, spec());
    let set = bgp().build();
    (0..MANY).for_each(|n| t.announce(1, &net(n), set.clone()));
    t.table.seal();
    t
}

/// What a route takes beside its attributes: its row and its place in the index.
fn octets_of_a_route(t: &Lab) -> f64 {
    let totals = t.table.totals();
    assert_eq!(totals.routes, MANY);
    (totals.octets - totals.attr_octets) as f64 / f64::from(MANY)
}

#[test]
fn a_route_takes_its_row_and_a_place_in_the_index() {
    for (family, row) in [(Family::Ipv4, 24.0), (Family::Ipv6, 28.0)] {
        let t = loaded(family, |n| match family {
            Family::Ipv4 => format!("10.{}.{}.0/24", n / 256, n % 256),
            Family::Ipv6 => format!("2001:db8:{n:x}::/48"),
        });
        // A place is eight octets; a quarter of the places is empty at most, and the last chunk of rows.
        let beside = octets_of_a_route(&t) - row;
        assert!((8.0..14.0).contains(&beside), "{family:?}: {beside} beside the row");
    }
}

#[test]
fn a_route_to_a_loopback_address_takes_no_more_than_the_rest_of_its_address() {
    let short = octets_of_a_route(&loaded(Family::Ipv6, |n| format!("2001:db8:{n:x}::/48")));
    let loopbacks = octets_of_a_route(&loaded(Family::Ipv6, |n| format!("2001:db8::{n:x}:1/128")));
    assert!((8.0..8.5).contains(&(loopbacks - short)), "{}", loopbacks - short);
}

/// Whoever announces and withdraws the same prefixes, with other attributes each time, takes no more for it, whether
/// readers follow at once or are a round behind.
#[test]
fn what_comes_and_goes_again_and_again_leaves_memory_where_it_was() {
    for family in [Family::Ipv4, Family::Ipv6] {
        let net = |n: u32| match family {
            Family::Ipv4 => format!("10.{}.{}.0/24", n / 256, n % 256),
            Family::Ipv6 => format!("2001:db8:{n:x}::{}/128", n % 7),
        };
        let nets: Vec<_> = (0..MANY / 4).map(net).collect();
        for rounds_behind in [0, 1] {
            let mut t = Lab::new(family);
            t.up(1, spec());
            let mut gone = Vec::new();
            let mut octets = Vec::new();
            for round in 0..12 {
                let set = |n: u32| bgp().path(&[65001, n / 5, round]).build();
                nets.iter().zip(0..).for_each(|(net, n)| t.announce(1, net, set(n)));
                t.table.seal();
                nets.iter().for_each(|net| t.withdraw(1, net));
                gone.push(t.table.seal().expect("a change").seq);
                if let Some(seq) = gone.len().checked_sub(1 + rounds_behind).and_then(|n| gone.get(n)) {
                    t.table.release(*seq);
                }
                let totals = t.table.totals();
                assert_eq!((totals.networks, totals.routes, totals.attr_sets), (0, 0, 0));
                octets.push(totals.octets);
            }
            assert!(octets[2..].iter().all(|o| *o <= octets[1]), "{family:?}, {rounds_behind} behind: {octets:?}");
        }
    }
}
