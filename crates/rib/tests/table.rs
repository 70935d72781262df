//! A table by its public face: what a channel does to it, and what can be seen of it.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use rib::batch::{Deed, Limit, LimitAction, LimitKind, NetId, Reading, TableEvent, What};
use rib::stats::{ImportStats, RouteCounts};
use rib::table::{Reason, Table};
use route::{ChannelId, Dest, Family, Hop, IfIndex, Moment, Resolved, SourceKind, TableId};
use std::sync::Arc;
use support::*;

#[test]
fn an_announcement_stands_is_told_once_and_leaves_with_its_withdrawal() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", bgp().path(&[65001]).build());
    let batch = t.table.seal().expect("a change");
    assert_eq!(told(&batch), ["10.0.0.0/8 by 1"]);
    assert!(t.table.seal().is_none());
    assert_eq!(t.paths("10.0.0.0/8"), ["1*"]);
    t.withdraw(1, "10.0.0.0/8");
    let batch = t.table.seal().expect("a change");
    assert_eq!(told(&batch), ["10.0.0.0/8"]);
    assert_eq!(t.table.find(&net("10.0.0.0/8")), None);
    let totals = t.table.totals();
    assert_eq!((totals.networks, totals.routes, totals.attr_sets, totals.hops), (0, 0, 0, 0));
}

#[test]
fn a_number_is_given_again_only_after_its_release_and_a_prefix_that_comes_back_keeps_it() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    let set = bgp().build();
    t.announce(1, "10.0.0.0/8", set.clone());
    t.table.seal();
    t.withdraw(1, "10.0.0.0/8");
    let gone = t.table.seal().expect("a change").seq;
    t.announce(1, "11.0.0.0/8", set.clone());
    assert_eq!(t.table.find(&net("11.0.0.0/8")), Some(NetId(1)));
    t.announce(1, "10.0.0.0/8", set.clone());
    assert_eq!(t.table.find(&net("10.0.0.0/8")), Some(NetId(0)));
    t.table.release(gone);
    assert_eq!(t.paths("10.0.0.0/8"), ["1*"]);
    t.withdraw(1, "10.0.0.0/8");
    t.table.release(u64::MAX);
    let gone = t.table.seal().expect("a change").seq;
    t.announce(1, "12.0.0.0/8", set.clone());
    assert_eq!(t.table.find(&net("12.0.0.0/8")), Some(NetId(2)));
    t.table.release(gone);
    t.announce(1, "13.0.0.0/8", set);
    assert_eq!(t.table.find(&net("13.0.0.0/8")), Some(NetId(0)));
}

#[test]
fn a_large_table_that_lost_most_prefixes_gives_memory_back_once_every_reader_knows() {
    const MANY: u32 = 40_000;
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "11.0.0.0/8", bgp().build());
    t.table.seal();
    let small = t.table.totals().octets;
    for life in 0..2 {
        let nets: Vec<_> = (0..MANY).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect();
        nets.iter().zip(0..).for_each(|(net, n)| t.announce(1, net, bgp().path(&[65001, n + life]).build()));
        t.table.seal();
        let large = t.table.totals().octets;
        nets.iter().for_each(|net| t.withdraw(1, net));
        let gone = t.table.seal().expect("a change").seq;
        t.table.release(gone - 1);
        assert_eq!(t.paths("11.0.0.0/8"), ["1*"]);
        assert!(t.table.totals().octets > small + 24 * u64::from(MANY), "somebody may still ask by number");
        assert!(t.table.release(gone));
        assert!(t.table.totals().octets < small + large / 5);
        assert_eq!(t.paths("11.0.0.0/8"), ["1*"]);
        assert_eq!(t.table.find(&net("10.0.0.0/24")), None);
    }
}

#[test]
fn an_unchanged_announcement_keeps_its_time_and_counts_as_ignored() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.now = Moment(1000);
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.table.seal();
    t.now = Moment(9000);
    t.announce(1, "10.0.0.0/8", bgp().build());
    assert!(t.table.seal().is_none());
    let id = t.table.find(&net("10.0.0.0/8")).unwrap();
    assert_eq!(t.table.show(id).unwrap().paths[0].since, Moment(1000));
    let stats = t.table.import_stats(ChannelId(1));
    assert_eq!((stats.updates_received, stats.updates_ignored, stats.updates_accepted), (2, 1, 1));
}

#[test]
fn a_rejected_announcement_withdraws_what_stood_and_counts_as_bird_does() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.row(1, "10.0.0.0/8", What::Filtered(0), Some(bgp().build()));
    // Of an unknown prefix: also one ignored withdrawal.
    let stats = ImportStats { updates_received: 1, updates_filtered: 1, withdraws_ignored: 1, ..Default::default() };
    assert_eq!(t.table.import_stats(ChannelId(1)), stats);
    assert_eq!(t.table.find(&net("10.0.0.0/8")), None);
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.row(1, "10.0.0.0/8", What::Filtered(0), Some(bgp().build()));
    assert_eq!(t.table.find(&net("10.0.0.0/8")), None);
    assert_eq!(t.table.import_stats(ChannelId(1)).withdraws_accepted, 1);
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.row(1, "10.0.0.0/8", What::Invalid(0), None);
    let stats = t.table.import_stats(ChannelId(1));
    assert_eq!((stats.updates_rejected, stats.withdraws_received, stats.withdraws_accepted), (1, 0, 2));
}

#[test]
fn kept_filtered_routes_stand_marked_and_nobody_is_told() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec().keeping_filtered());
    t.row(1, "10.0.0.0/8", What::Filtered(0), Some(bgp().build()));
    assert!(t.table.seal().is_none());
    assert_eq!(t.paths("10.0.0.0/8"), ["1f"]);
    assert_eq!(t.table.counts(ChannelId(1)), RouteCounts { filtered: 1, ..Default::default() });
    assert_eq!(t.table.longest_match(&net("10.1.0.0/16")), None);
    t.announce(1, "10.0.0.0/8", bgp().build());
    assert_eq!(t.paths("10.0.0.0/8"), ["1*"]);
    let counts = RouteCounts { imported: 1, preferred: 1, ..Default::default() };
    assert_eq!(t.table.counts(ChannelId(1)), counts);
    assert_eq!(t.table.longest_match(&net("10.1.0.0/16")), Some(NetId(0)));
}

#[test]
fn a_limit_that_blocked_opens_with_a_reload_and_not_with_withdrawals() {
    let mut t = Lab::new(Family::Ipv4);
    let limit = Some(Limit { routes_max: 1, action: LimitAction::Block });
    t.up(1, rib::batch::ChannelSpec { import_limit: limit, ..spec() });
    let set = bgp().path(&[65001]).build();
    t.announce(1, "10.0.0.0/8", set.clone());
    t.announce(1, "11.0.0.0/8", set.clone());
    t.withdraw(1, "10.0.0.0/8");
    t.announce(1, "11.0.0.0/8", set.clone());
    assert!(t.paths("11.0.0.0/8").is_empty(), "it stays shut");
    t.act(1, Deed::OpenLimits);
    t.announce(1, "11.0.0.0/8", set.clone());
    assert_eq!(t.paths("11.0.0.0/8"), ["1*"]);
    t.announce(1, "12.0.0.0/8", set);
    assert!(t.paths("12.0.0.0/8").is_empty(), "and is a limit still");
}

/// What `reference/fsm/1.6.8/limit-block.txt` shows: four announcements, the limit is two.
#[test]
fn an_import_limit_that_blocks_keeps_the_first_and_counts_the_others_as_ignored() {
    for receive in [false, true] {
        let mut t = Lab::new(Family::Ipv4);
        let limit = Some(Limit { routes_max: 2, action: LimitAction::Block });
        let mut spec = spec();
        if receive {
            spec.receive_limit = limit
        } else {
            spec.import_limit = limit
        }
        t.up(1, spec);
        for n in 1..=4 {
            t.announce(1, &format!("192.0.{n}.0/24"), bgp().build());
        }
        let stats = t.table.import_stats(ChannelId(1));
        assert_eq!((stats.updates_received, stats.updates_ignored, stats.updates_accepted), (4, 2, 2));
        let which = if receive { LimitKind::Receive } else { LimitKind::Import };
        assert!(matches!(&t.events[..], [TableEvent::Limit { which: w, .. }] if *w == which));
        assert_eq!(t.table.limits_passed(ChannelId(1)), (receive, !receive));
        t.withdraw(1, "192.0.1.0/24");
        t.announce(1, "192.0.3.0/24", bgp().build());
        assert_eq!(t.table.counts(ChannelId(1)).imported, 1);
    }
}

#[test]
fn a_blocked_route_stays_as_filtered_where_filtered_ones_are_kept() {
    let mut t = Lab::new(Family::Ipv4);
    let mut spec = spec().keeping_filtered();
    spec.import_limit = Some(Limit { routes_max: 1, action: LimitAction::Block });
    t.up(1, spec);
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.announce(1, "11.0.0.0/8", bgp().build());
    assert_eq!(t.paths("11.0.0.0/8"), ["1f"]);
    let counts = RouteCounts { imported: 1, filtered: 1, preferred: 1, ..Default::default() };
    assert_eq!(t.table.counts(ChannelId(1)), counts);
}

#[test]
fn a_new_best_goes_to_the_front_and_any_other_behind_the_best() {
    let mut t = Lab::new(Family::Ipv4);
    for n in 1..=4 {
        t.up(n, spec());
    }
    t.announce(1, "10.0.0.0/8", bgp().local_pref(100).build());
    t.announce(2, "10.0.0.0/8", bgp().local_pref(90).build());
    t.announce(3, "10.0.0.0/8", bgp().local_pref(95).build());
    assert_eq!(t.paths("10.0.0.0/8"), ["1*", "3", "2"]);
    t.announce(4, "10.0.0.0/8", bgp().local_pref(200).build());
    assert_eq!(t.paths("10.0.0.0/8"), ["4*", "1", "3", "2"]);
    t.withdraw(4, "10.0.0.0/8");
    assert_eq!(t.paths("10.0.0.0/8"), ["1*", "3", "2"]);
    t.announce(1, "10.0.0.0/8", bgp().local_pref(91).build());
    assert_eq!(t.paths("10.0.0.0/8"), ["3*", "1", "2"]);
    let id = t.table.find(&net("10.0.0.0/8")).unwrap();
    assert_eq!(t.table.explain(id), [Reason::LocalPref, Reason::LocalPref]);
}

#[test]
fn a_sorted_table_keeps_its_paths_in_the_order_of_the_decision() {
    let mut t = Lab::sorted(Family::Ipv4);
    for n in 1..=4 {
        t.up(n, spec());
        t.announce(n, "10.0.0.0/8", bgp().local_pref([50, 200, 100, 150][n as usize - 1]).build());
    }
    assert_eq!(t.paths("10.0.0.0/8"), ["2*", "4", "3", "1"]);
    t.announce(2, "10.0.0.0/8", bgp().local_pref(120).build());
    assert_eq!(t.paths("10.0.0.0/8"), ["4*", "2", "3", "1"]);
}

#[test]
fn a_recursive_next_hop_follows_the_table_and_its_paths_keep_their_times() {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_ifaces(Arc::new(links()));
    t.up(1, spec());
    t.up_as(9, SourceKind::Device, spec());
    t.now = Moment(5);
    t.announce(1, "10.0.0.0/8", bgp().recursive("192.168.0.7").build());
    t.settle();
    assert_eq!(t.hop("10.0.0.0/8"), (Resolved::Unreachable, None));
    t.table.seal();
    t.now = Moment(70);
    t.announce(9, "192.168.0.0/24", local(SourceKind::Device, 240, Dest::Via(Hop::dev(IfIndex(2)))));
    t.settle();
    let here = Resolved::Unicast(Hop::via("192.168.0.7".parse().unwrap(), IfIndex(2)));
    assert_eq!(t.hop("10.0.0.0/8"), (here, Some(0)));
    let batch = t.table.seal().expect("both changed");
    assert_eq!(told(&batch), ["192.168.0.0/24 by 9", "10.0.0.0/8 by 1"]);
    assert_eq!(batch.paths[1].since, Moment(5));
    // A longer route over a gateway takes over; its metric is not known.
    t.announce(9, "192.168.0.6/31", local(SourceKind::Static, 200, via("192.168.0.1")));
    t.settle();
    let over = Resolved::Unicast(Hop::via("192.168.0.1".parse().unwrap(), IfIndex(2)));
    assert_eq!(t.hop("10.0.0.0/8"), (over, Some(route::hop::IGP_METRIC_UNKNOWN)));
    t.withdraw(9, "192.168.0.6/31");
    t.withdraw(9, "192.168.0.0/24");
    t.settle();
    assert_eq!(t.hop("10.0.0.0/8"), (Resolved::Unreachable, None));
}

#[test]
fn a_recursive_next_hop_never_resolves_over_a_recursive_route_nor_to_our_own_address() {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_ifaces(Arc::new(links()));
    t.up(1, spec());
    t.up_as(9, SourceKind::Device, spec());
    t.announce(9, "192.168.0.0/24", local(SourceKind::Device, 240, Dest::Via(Hop::dev(IfIndex(2)))));
    t.announce(1, "20.0.0.0/8", bgp().recursive("192.168.0.7").build());
    t.announce(1, "30.0.0.0/8", bgp().recursive("20.1.1.1").build());
    t.announce(1, "40.0.0.0/8", bgp().recursive("192.168.0.254").build());
    t.settle();
    assert!(matches!(t.hop("20.0.0.0/8").0, Resolved::Unicast(_)));
    assert_eq!(t.hop("30.0.0.0/8"), (Resolved::Unreachable, None));
    assert_eq!(t.hop("40.0.0.0/8"), (Resolved::Unreachable, None));
}

#[test]
fn a_lost_next_hop_hands_the_prefix_to_the_path_that_can_be_reached() {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_ifaces(Arc::new(links()));
    t.up(1, spec());
    t.up(2, spec());
    t.up_as(9, SourceKind::Device, spec());
    t.announce(9, "192.168.0.0/24", local(SourceKind::Device, 240, Dest::Via(Hop::dev(IfIndex(2)))));
    t.announce(1, "10.0.0.0/8", bgp().local_pref(200).recursive("192.168.0.7").build());
    t.announce(2, "10.0.0.0/8", bgp().build());
    assert_eq!(t.paths("10.0.0.0/8"), ["1*", "2"]);
    t.withdraw(9, "192.168.0.0/24");
    t.settle();
    assert_eq!(t.paths("10.0.0.0/8"), ["2*", "1"]);
    assert_eq!(t.table.counts(ChannelId(1)).preferred, 0);
    assert_eq!(t.table.counts(ChannelId(2)).preferred, 1);
    assert_eq!(t.reasons("10.0.0.0/8"), [Reason::Resolvable]);
}

#[test]
fn a_refresh_removes_what_was_not_said_again() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.announce(1, "11.0.0.0/8", bgp().build());
    t.table.seal();
    t.act(1, Deed::MarkStale);
    t.announce(1, "11.0.0.0/8", bgp().build());
    assert!(t.table.seal().is_none());
    t.act(1, Deed::Sweep);
    t.settle();
    assert_eq!(told(&t.table.seal().unwrap()), ["10.0.0.0/8"]);
    let stats = t.table.import_stats(ChannelId(1));
    assert_eq!((stats.withdraws_received, stats.withdraws_accepted), (0, 1));
    assert_eq!(t.table.counts(ChannelId(1)).imported, 1);
}

#[test]
fn a_restarting_peer_keeps_its_routes_until_the_sweep_and_its_counters_too() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.announce(1, "11.0.0.0/8", bgp().build());
    t.act(1, Deed::DownRetaining);
    t.settle();
    assert_eq!(t.table.counts(ChannelId(1)).imported, 2);
    let id = t.table.find(&net("10.0.0.0/8")).unwrap();
    assert!(t.table.show(id).unwrap().paths[0].stale);
    t.up(1, spec());
    t.announce(1, "11.0.0.0/8", bgp().build());
    t.act(1, Deed::Sweep);
    t.settle();
    assert_eq!(t.table.find(&net("10.0.0.0/8")), None);
    assert_eq!(t.paths("11.0.0.0/8"), ["1*"]);
    assert_eq!(t.table.counts(ChannelId(1)).imported, 1);
}

#[test]
fn long_lived_stale_routes_are_marked_lose_and_those_that_forbid_it_go() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.up(2, spec());
    t.announce(1, "10.0.0.0/8", bgp().local_pref(200).build());
    t.announce(2, "10.0.0.0/8", bgp().build());
    t.announce(1, "11.0.0.0/8", bgp().community(route::community::NO_LLGR.0).build());
    t.act(1, Deed::DownRetaining);
    t.act(1, Deed::LongLived);
    t.settle();
    assert_eq!(t.paths("10.0.0.0/8"), ["2*", "1"]);
    assert_eq!(t.reasons("10.0.0.0/8"), [Reason::Stale]);
    assert_eq!(t.table.find(&net("11.0.0.0/8")), None);
    t.act(1, Deed::Sweep);
    t.settle();
    assert_eq!(t.paths("10.0.0.0/8"), ["2*"]);
}

#[test]
fn rows_of_an_earlier_life_are_dropped_and_a_fallen_channel_counts_nothing() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.act(1, Deed::Down);
    assert_eq!(t.table.counts(ChannelId(1)), RouteCounts::default());
    assert_eq!(t.table.import_stats(ChannelId(1)), ImportStats::default());
    t.announce(1, "11.0.0.0/8", bgp().build());
    assert_eq!(t.table.find(&net("11.0.0.0/8")), None);
    // A new life begins before the old paths are gone: the same words are a new route.
    t.up(1, spec());
    t.now = Moment(50);
    t.announce(1, "10.0.0.0/8", bgp().build());
    assert_eq!(t.table.counts(ChannelId(1)).preferred, 1);
    t.settle();
    let id = t.table.find(&net("10.0.0.0/8")).unwrap();
    assert_eq!(t.table.show(id).unwrap().paths[0].since, Moment(50));
    assert_eq!(t.table.import_stats(ChannelId(1)).updates_accepted, 1);
}

#[test]
fn a_second_way_for_one_source_is_a_pipe_collision_and_the_first_stays() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.up_from(2, 1, spec());
    t.announce_from(2, 1, "10.0.0.0/8", bgp().local_pref(500).build());
    assert_eq!(t.paths("10.0.0.0/8"), ["1*"]);
    let text = "Pipe collision detected when sending 10.0.0.0/8 to table master".to_owned();
    assert_eq!(t.events, [TableEvent::Log { channel: ChannelId(2), text }]);
    t.withdraw_from(2, 1, "10.0.0.0/8");
    assert_eq!((t.paths("10.0.0.0/8"), t.events.len()), (vec!["1*".to_owned()], 1));
}

#[test]
fn a_feed_in_pages_says_what_stands_and_all_paths_when_asked() {
    let mut t = Lab::new(Family::Ipv6);
    t.up(1, spec());
    t.up(2, spec());
    for n in 0..10 {
        t.announce(1, &format!("2001:db8:{n}::/48"), bgp().build());
    }
    t.announce(2, "2001:db8:3::/48", bgp().build());
    t.withdraw(1, "2001:db8:4::/48");
    let mut all = Vec::new();
    let mut next = Some(NetId(0));
    while let Some(from) = next {
        let (page, more) = t.table.page(from, 4, Reading::All);
        all.extend(told(&page));
        next = more;
    }
    assert_eq!(all.len(), 9);
    assert_eq!(all[3], "2001:db8:3::/48 by 1 2");
    let current = t.table.current(&[NetId(4), NetId(3), NetId(77)], Reading::Best);
    assert_eq!(told(&current), ["2001:db8:4::/48", "2001:db8:3::/48 by 1"]);
    let mut listed = Vec::new();
    assert_eq!(t.table.nets(NetId(0), 5, &mut listed), Some(NetId(5)));
    assert_eq!(t.table.nets(NetId(5), 100, &mut listed), None);
    assert_eq!(listed.len(), 9);
}

#[test]
fn routes_of_one_attribute_set_stay_together_in_pages_and_in_what_is_told_by_number() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    for n in 0..12u32 {
        t.announce(1, &format!("10.0.{n}.0/24"), bgp().local_pref(100 + n / 3).build());
    }
    let mut pages = Vec::new();
    let mut next = Some(NetId(0));
    while let Some(from) = next {
        let (page, more) = t.table.page(from, 5, Reading::Best);
        pages.push(page.rows.len());
        next = more;
    }
    assert_eq!(pages, [3, 3, 3, 3]);
    assert_eq!(t.table.page(NetId(0), 2, Reading::Best).0.rows.len(), 2, "a set that is longer than the page is cut");
    let ids = |n: std::ops::Range<u32>| n.map(NetId).collect::<Vec<_>>();
    assert_eq!([0..5, 3..6, 1..2, 0..7].map(|n| t.table.together(&ids(n))), [3, 3, 1, 6]);
    t.withdraw(1, "10.0.4.0/24");
    assert_eq!(t.table.together(&ids(0..5)), 5, "what is gone belongs to no set");
    let missed = t.table.missed(&ids(0..3), Reading::All, |id| id.0 as u8);
    assert_eq!(missed.rows.iter().map(|r| r.unmoved).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn who_reads_only_the_best_is_not_told_of_changes_behind_it() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.up(2, spec());
    t.announce(1, "10.0.0.0/8", bgp().local_pref(200).build());
    t.table.seal();
    t.announce(2, "10.0.0.0/8", bgp().build());
    assert!(t.table.seal().is_none());
    t.table.set_reading(Reading::All);
    t.withdraw(2, "10.0.0.0/8");
    assert_eq!(told(&t.table.seal().unwrap()), ["10.0.0.0/8 by 1"]);
}

#[test]
fn refreshes_beyond_the_range_of_the_mark_leave_every_route_right() {
    let mut t = Lab::new(Family::Ipv4);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", bgp().build());
    t.announce(1, "11.0.0.0/8", bgp().build());
    for _ in 0..600 {
        t.act(1, Deed::MarkStale);
        t.announce(1, "11.0.0.0/8", bgp().build());
    }
    assert_eq!(t.table.counts(ChannelId(1)).imported, 2);
    t.act(1, Deed::Sweep);
    t.settle();
    assert_eq!(t.table.find(&net("10.0.0.0/8")), None);
    assert_eq!(t.paths("11.0.0.0/8"), ["1*"]);
}

#[test]
fn a_multipath_route_keeps_the_ways_that_lie_on_a_link_heavier_first() {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_ifaces(Arc::new(links()));
    t.up_as(9, SourceKind::Static, spec());
    let hop = |gw: &str, weight| Hop { weight, ..Hop::via(gw.parse().unwrap(), IfIndex(0)) };
    let all = Dest::Multipath([hop("192.168.0.9", 0), hop("192.168.0.5", 1), hop("203.0.113.1", 3)].into());
    t.announce(9, "10.0.0.0/8", local(SourceKind::Static, 200, all));
    let Resolved::Multipath(ways) = t.hop("10.0.0.0/8").0 else { panic!("two ways are left") };
    assert_eq!(ways.iter().map(|h| (h.weight, h.iface.0)).collect::<Vec<_>>(), [(1, 2), (0, 2)]);
    let _: &Table = &t.table;
    assert_eq!(t.table.spec().id, TableId(0));
}

/// Carries letters between two tables until there are none.
fn carry(tables: [&mut Lab; 2]) {
    let [a, b] = tables;
    loop {
        let (from_a, from_b) = (a.table.take_mail(), b.table.take_mail());
        if from_a.is_empty() && from_b.is_empty() {
            return;
        }
        from_a.into_iter().for_each(|m| b.table.receive(m, b.now));
        from_b.into_iter().for_each(|m| a.table.receive(m, a.now));
        a.settle();
        b.settle();
    }
}

#[test]
fn a_next_hop_of_another_table_follows_that_table_and_is_forgotten_with_its_last_use() {
    let mut igp = Lab::new(Family::Ipv4);
    let mut own = Lab::numbered(1, Family::Ipv4);
    for lab in [&mut igp, &mut own] {
        lab.table.set_ifaces(Arc::new(links()));
        lab.up(1, spec());
    }
    igp.up_as(2, SourceKind::Static, spec());
    // What the own table says about the address does not count.
    own.up_as(2, SourceKind::Static, spec());
    own.announce(2, "10.9.0.0/16", local(SourceKind::Static, 200, Dest::Blackhole));
    own.announce(1, "20.0.0.0/8", bgp().recursive("10.9.0.1").build());
    carry([&mut own, &mut igp]);
    assert_eq!(own.hop("20.0.0.0/8"), (Resolved::Unreachable, None));
    igp.announce(2, "10.9.0.0/16", local(SourceKind::Static, 200, via("192.168.0.7")));
    igp.settle();
    carry([&mut own, &mut igp]);
    let Resolved::Unicast(hop) = own.hop("20.0.0.0/8").0 else { panic!("reached") };
    assert_eq!(hop.gateway, Some("192.168.0.7".parse().unwrap()));
    // A second use asks nobody, and is answered at once.
    own.announce(1, "21.0.0.0/8", bgp().recursive("10.9.0.1").med(5).build());
    assert_eq!(own.table.take_mail(), []);
    assert_eq!(own.hop("21.0.0.0/8"), own.hop("20.0.0.0/8"));
    igp.withdraw(2, "10.9.0.0/16");
    igp.settle();
    carry([&mut own, &mut igp]);
    assert_eq!(own.hop("21.0.0.0/8"), (Resolved::Unreachable, None));
    own.withdraw(1, "20.0.0.0/8");
    own.withdraw(1, "21.0.0.0/8");
    carry([&mut own, &mut igp]);
    assert_eq!(igp.table.totals().hops, 0);
}
