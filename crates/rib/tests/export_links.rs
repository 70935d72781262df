//! Links and addresses under what was told: judged again where they matter, and only there.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use filter::run::Policy;
use rib::export::{Advance, GroupKey, MissingLladdr, Remark};
use rib::trace::Tracing;
use route::iface::Scope;
use route::{Dest, Family, Hop, IfIndex, IfaceAddr, Ifaces};
use std::sync::Arc;
use support::*;

/// `links` with other options of the one link, and with an IPv6 network if wanted.
fn changed(mtu: u32, shares_network: bool) -> Arc<Ifaces> {
    let mut link = links().iter().next().expect("eth0").clone();
    link.mtu = mtu;
    if shares_network {
        link.addrs.push(IfaceAddr {
            addr: "2001:db8::fe".parse().expect("an address"),
            prefix: net("2001:db8::/64"),
            broadcast: None,
            peer: None,
            scope: Scope::Universe,
            secondary: false,
        });
    }
    Arc::new(Ifaces::new(vec![link]))
}

fn told_over_ipv6(missing_lladdr: MissingLladdr) -> (Lab, Told) {
    let mut t = Lab::new(Family::Ipv6);
    t.up(1, spec());
    let next_hop = "2001:db8::9".parse::<std::net::Ipv6Addr>().expect("an address");
    let set = bgp().path(&[65001]).octets(route::attr::code::NEXT_HOP, &next_hop.octets());
    t.announce(1, "2001:db8:7::/48", set.dest(Dest::Via(Hop::via(next_hop.into(), IfIndex(2)))).build());
    t.table.seal();
    let ours = Some("fe80::fe".parse().expect("an address"));
    let local_addr = "2001:db8:ff::fe".parse().expect("an address");
    let key =
        GroupKey { family: Family::Ipv6, local_addr, local_link_local: ours, missing_lladdr, ..key(Policy::Accept) };
    (t, Told::new(key))
}

/// Feeds until no page is wanted. Returns the next hops that were told, as octets.
fn feed(told: &mut Told, t: &Lab) -> Vec<usize> {
    let mut hops = Vec::new();
    for _ in 0..9 {
        if !told.group.wants_page() {
            return hops;
        }
        told.feed(t);
        let sets = told.advance.runs.iter().filter_map(|r| r.attrs.as_ref());
        hops.extend(sets.map(|a| a.get(route::attr::code::NEXT_HOP).expect("a next hop").len()));
    }
    panic!("a feed without end");
}

#[test]
fn a_network_that_appears_changes_next_hops_and_another_mtu_changes_nothing() {
    for members in [1, 2] {
        let (t, mut told) = told_over_ipv6(MissingLladdr::SelfAddr);
        for n in 3..3 + members {
            told.join(n, Tracing::default(), None);
        }
        assert_eq!(feed(&mut told, &t), [16], "the neighbour does not share a network: the global address alone");
        told.group.set_ifaces(changed(9000, false), &mut Advance::default());
        assert!(!told.group.wants_page(), "nothing that was told depends on an MTU");
        told.group.set_ifaces(changed(9000, true), &mut Advance::default());
        assert_eq!(feed(&mut told, &t), [32], "now both addresses are needed, and told once");
        assert_eq!(feed(&mut told, &t), []);
    }
}

#[test]
fn what_lacks_a_link_local_next_hop_counts_as_told_and_can_not_be_sent() {
    let (t, mut told) = told_over_ipv6(MissingLladdr::Drop);
    told.group.set_ifaces(changed(1500, true), &mut Advance::default());
    let member = told.join(3, Tracing::default(), None);
    told.feed(&t);
    let sets: Vec<_> = told.advance.runs.iter().filter_map(|r| r.attrs.as_ref()).collect();
    assert_eq!(sets.iter().map(|a| a.get(route::attr::code::NEXT_HOP)).collect::<Vec<_>>(), [None]);
    let why = "Missing link-local next hop address in route 2001:db8:7::/48";
    assert!(matches!(&*told.advance.remarks, [Remark::Untold(text)] if text == why), "{:?}", told.advance.remarks);
    let (stats, exported) = told.group.stats(member).expect("a member");
    assert_eq!((stats.updates_rejected, stats.updates_accepted, exported), (0, 1, 1), "as BIRD 1.6.8 counts");
}

#[test]
fn ipv4_without_filters_depends_on_no_link() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.table.seal();
    let mut told = Told::new(key(Policy::Accept));
    told.join(3, Tracing::default(), None);
    feed(&mut told, &t);
    told.group.set_ifaces(Arc::default(), &mut Advance::default());
    assert!(!told.group.wants_page());
}
