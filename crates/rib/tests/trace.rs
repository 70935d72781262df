//! Lines about routes on their way, as BIRD 1.6.8 words them: `fsm/1.6.8/tx-updates.txt`, `limit-import-block.txt`.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use filter::run::Policy;
use rib::batch::{Deed, Limit, LimitAction, Reading, What};
use rib::export::{Advance, GroupKey};
use rib::trace::Tracing;
use route::{ChannelId, Dest, Family, SourceKind};
use std::sync::Arc;
use support::*;

fn lab(channels: &[u32]) -> Lab {
    let mut t = Lab::new(Family::Ipv4);
    t.table.set_ifaces(Arc::new(links()));
    for n in channels {
        t.up(*n, spec());
        t.table.set_tracing(ChannelId(*n), ALL);
    }
    t
}

fn lines(t: &mut Lab) -> Vec<String> {
    t.table.traces().take().0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_way_in_says_what_became_of_each_route() {
    let mut t = lab(&[1, 2]);
    t.announce(1, "10.0.0.0/8", given(&[65001, 7]));
    t.announce(1, "10.0.0.0/8", given(&[65001, 7]));
    t.announce(2, "10.0.0.0/8", given(&[65002]));
    t.announce(1, "10.0.0.0/8", given(&[65001, 8]));
    t.withdraw(2, "10.0.0.0/8");
    t.withdraw(1, "10.0.0.0/8");
    t.withdraw(1, "10.0.0.0/8");
    t.row(1, "11.0.0.0/8", What::Filtered(0), Some(given(&[65001])));
    t.row(1, "127.0.0.0/8", What::Invalid(0), Some(given(&[65001])));
    let said = lines(&mut t);
    let wanted = [
        "p1 > added [best] 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > ignored 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p2 > added [best] 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > added 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p2 > removed [replaced] 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > removed [sole] 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > filtered out 11.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > invalid 127.0.0.0/8 via 192.168.0.1 on eth0",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn a_route_that_was_not_the_best_is_only_removed_and_a_rejected_one_removes_what_stood() {
    let mut t = lab(&[1, 2]);
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.announce(2, "10.0.0.0/8", given(&[65002, 7]));
    lines(&mut t);
    t.withdraw(2, "10.0.0.0/8");
    t.row(1, "10.0.0.0/8", What::Filtered(0), Some(given(&[65001, 9])));
    let wanted = [
        "p2 > removed 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > filtered out 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > removed [sole] 10.0.0.0/8 via 192.168.0.1 on eth0",
    ];
    assert_eq!(lines(&mut t), wanted);
}

#[test]
fn a_route_above_the_limit_is_ignored_and_said_to_be() {
    let mut t = lab(&[]);
    let limit = Limit { routes_max: 1, action: LimitAction::Block };
    t.up(1, rib::batch::ChannelSpec { import_limit: Some(limit), ..spec() });
    t.table.set_tracing(ChannelId(1), ALL);
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.announce(1, "11.0.0.0/8", given(&[65001]));
    let wanted = [
        "p1 > added [best] 10.0.0.0/8 via 192.168.0.1 on eth0",
        "p1 > ignored [limit] 11.0.0.0/8 via 192.168.0.1 on eth0",
    ];
    assert_eq!(lines(&mut t), wanted);
}

#[test]
fn what_leads_nowhere_says_so_and_nothing_is_said_of_a_class_that_is_not_wanted() {
    let mut t = lab(&[]);
    t.up_as(1, SourceKind::Static, spec());
    t.table.set_tracing(ChannelId(1), Tracing { filters: false, ..ALL });
    for (net, dest) in [("10.0.0.0/8", Dest::Blackhole), ("11.0.0.0/8", Dest::Prohibit)] {
        t.announce(1, net, local(SourceKind::Static, 200, dest));
    }
    t.row(1, "12.0.0.0/8", What::Filtered(0), Some(local(SourceKind::Static, 200, Dest::Unreachable)));
    assert_eq!(lines(&mut t), ["p1 > added [best] 10.0.0.0/8 blackhole", "p1 > added [best] 11.0.0.0/8 prohibited"]);
    t.table.set_tracing(ChannelId(1), Tracing::default());
    t.withdraw(1, "10.0.0.0/8");
    assert!(lines(&mut t).is_empty());
}

#[test]
fn a_protocol_that_is_taken_away_says_that_its_routes_go() {
    let mut t = lab(&[1]);
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    lines(&mut t);
    t.act(1, Deed::Down);
    t.table.set_tracing(ChannelId(1), Tracing::default());
    t.settle();
    assert_eq!(lines(&mut t), ["p1 > removed [sole] 10.0.0.0/8 via 192.168.0.1 on eth0"]);
    t.up(1, spec());
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    assert!(lines(&mut t).is_empty(), "nobody asked for lines of its next life");
}

#[test]
fn the_way_out_says_what_a_member_is_told_and_what_not() {
    let mut t = lab(&[]);
    t.up(1, spec());
    t.up(3, spec());
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.announce(3, "11.0.0.0/8", given(&[65003]));
    t.table.seal();
    let mut told = Told::new(key(Policy::Accept));
    let slot = told.join(3, ALL, None);
    told.join(4, Tracing::default(), None);
    told.feed(&t);
    let at = "via 192.168.0.1 on eth0";
    assert_eq!(
        told.said(),
        [format!("p3 < added 10.0.0.0/8 {at}"), format!("p3 < rejected by protocol 11.0.0.0/8 {at}")]
    );
    t.announce(1, "10.0.0.0/8", given(&[65001, 8]));
    told.changes(&mut t);
    t.withdraw(1, "10.0.0.0/8");
    told.changes(&mut t);
    assert_eq!(told.said(), [format!("p3 < replaced 10.0.0.0/8 {at}"), format!("p3 < removed 10.0.0.0/8 {at}")]);
    // reload out: what is told again is replaced.
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    told.changes(&mut t);
    told.said();
    told.group.refresh(slot, false, &mut Advance::default());
    told.feed(&t);
    assert_eq!(
        told.said(),
        [format!("p3 < replaced 10.0.0.0/8 {at}"), format!("p3 < rejected by protocol 11.0.0.0/8 {at}")]
    );
    told.group.set_tracing(slot, Tracing::default());
    t.withdraw(1, "10.0.0.0/8");
    told.changes(&mut t);
    assert!(told.said().is_empty());
}

/// As 2.0.12 words them: the channel is named, and who gave the route.
#[test]
fn in_dialect_2_lines_name_the_channel_and_the_source() {
    let mut t = lab(&[]);
    let tracing = Tracing { channel: Some("ipv4"), ..ALL };
    t.up(1, spec());
    t.table.set_tracing(ChannelId(1), tracing);
    t.announce(1, "10.0.0.0/8", given(&[65001]));
    t.table.seal();
    let mut told = Told::new(key(Policy::Accept));
    told.join(3, tracing, None);
    told.feed(&t);
    t.withdraw(1, "10.0.0.0/8");
    told.changes(&mut t);
    let at = "10.0.0.0/8 0L 1G unicast";
    assert_eq!(lines(&mut t), [format!("p1.ipv4 > added [best] {at}"), format!("p1.ipv4 > removed [sole] {at}")]);
    assert_eq!(told.said(), [format!("p3.ipv4 < added {at}"), format!("p3.ipv4 < removed {at}")]);
}

#[test]
fn an_export_filter_and_an_export_limit_are_said_with_the_classes_that_ask_for_them() {
    let mut t = lab(&[]);
    t.up(1, spec());
    for net in ["10.0.0.0/8", "11.0.0.0/8"] {
        t.announce(1, net, given(&[65001]));
    }
    t.table.seal();
    let at = "via 192.168.0.1 on eth0";
    let mut filtered = Told::new(key(Policy::Reject));
    filtered.join(3, Tracing { routes: false, ..ALL }, None);
    filtered.feed(&t);
    assert_eq!(
        filtered.said(),
        [format!("p3 < filtered out 10.0.0.0/8 {at}"), format!("p3 < filtered out 11.0.0.0/8 {at}")]
    );
    let mut limited = Told::new(key(Policy::Accept));
    limited.join(3, ALL, Some(Limit { routes_max: 1, action: LimitAction::Block }));
    limited.feed(&t);
    assert_eq!(
        limited.said(),
        [format!("p3 < added 10.0.0.0/8 {at}"), format!("p3 < rejected [limit] 11.0.0.0/8 {at}")]
    );
}

#[test]
fn with_add_path_each_path_has_its_line() {
    let mut t = lab(&[]);
    t.table.set_reading(Reading::All);
    t.up(1, spec());
    t.up(2, spec());
    t.up(3, spec());
    let mut told = Told::new(GroupKey { add_path: true, ..key(Policy::Accept) });
    told.join(3, ALL, None);
    told.feed(&t);
    for n in [1, 2, 3] {
        t.announce(n, "10.0.0.0/8", given(&[65000 + n]));
    }
    told.changes(&mut t);
    let at = "10.0.0.0/8 via 192.168.0.1 on eth0";
    let mut said = told.said();
    said.sort();
    assert_eq!(
        said,
        [format!("p3 < added {at}"), format!("p3 < added {at}"), format!("p3 < rejected by protocol {at}")]
    );
    t.withdraw(2, "10.0.0.0/8");
    told.changes(&mut t);
    assert!(told.said().contains(&format!("p3 < removed {at}")));
}
