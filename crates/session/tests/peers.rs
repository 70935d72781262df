//! Two of our peers against each other over loopback.
#![allow(clippy::expect_used, reason = "tests")]

mod world;

use rbird_session::peer::*;
use rib::batch::LimitAction;
use route::ChannelId;
use std::net::SocketAddr;
use world::*;

const BGP: ChannelId = ChannelId(2);

/// Two worlds with a peer each, towards each other.
fn pair(change: impl Fn(&mut PeerSpec, &mut PeerSpec)) -> (World, PeerHandle, World, PeerHandle) {
    let (a, b) = (World::new(), World::new());
    let (at_a, at_b): (SocketAddr, SocketAddr) = (address(), address());
    let mut spec_a = spec("a", (65001, 65002), at_a, at_b);
    let mut spec_b = spec("b", (65002, 65001), at_b, at_a);
    change(&mut spec_a, &mut spec_b);
    let (peer_a, peer_b) = (a.peer(spec_a), b.peer(spec_b));
    peer_a.start();
    peer_b.start();
    (a, peer_a, b, peer_b)
}

#[tokio::test]
async fn a_thousand_routes_go_each_way_and_come_back_when_the_peer_is_disabled() {
    let (a, peer_a, b, peer_b) = pair(|_, _| {});
    a.announce([10, 1], 1000);
    b.announce([10, 8], 1000);
    until(&peer_a, "up Established").await;
    until(&peer_b, "up Established").await;
    a.imported(BGP, 1000).await;
    b.imported(BGP, 1000).await;
    assert!(a.has("10.11.231.0/24").await);
    peer_b.stop(StopReason::Disable, Some("planned work".into())).await;
    assert_eq!(shown(&peer_b.status.borrow()), "down");
    until(&peer_a, "start Active Received: Administrative shutdown").await;
    a.imported(BGP, 0).await;
    b.imported(BGP, 0).await;
    peer_b.start();
    until(&peer_a, "up Established").await;
    a.imported(BGP, 1000).await;
}

#[tokio::test]
async fn routes_announced_and_withdrawn_later_are_told() {
    let (a, peer_a, b, _peer_b) = pair(|_, _| {});
    until(&peer_a, "up Established").await;
    a.announce([10, 1], 3);
    b.imported(BGP, 3).await;
}

#[tokio::test]
async fn both_sides_connecting_at_once_end_with_one_session() {
    // The one with the higher identifier keeps the connection that it opened.
    let (a, peer_a, b, peer_b) = pair(|_, _| {});
    until(&peer_a, "up Established").await;
    until(&peer_b, "up Established").await;
    a.announce([10, 1], 3);
    b.imported(BGP, 3).await;
    assert_eq!(shown(&peer_a.status.borrow()), "up Established");
    assert_eq!(shown(&peer_b.status.borrow()), "up Established");
}

#[tokio::test]
async fn equal_passwords_meet_and_different_ones_do_not() {
    let (_a, peer_a, _b, _peer_b) = pair(|a, b| {
        a.password = Some("secret".into());
        b.password = Some("secret".into());
    });
    until(&peer_a, "up Established").await;

    let before = wrong_signatures();
    let (_a, peer_a, _b, peer_b) = pair(|a, b| {
        a.password = Some("secret".into());
        b.password = Some("other".into());
    });
    until(&peer_a, "start Connect").await;
    until(&peer_b, "start Connect").await;
    // Each side has tried, and the kernel has refused both.
    for _ in 0..3000 {
        if wrong_signatures() >= before + 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(wrong_signatures() >= before + 2, "no segment with a wrong signature was seen");
    assert_eq!(shown(&peer_a.status.borrow()), "start Connect");
}

/// Segments that the kernel has dropped for their MD5 signature (`TCPMD5Failure`).
fn wrong_signatures() -> u64 {
    let text = std::fs::read_to_string("/proc/net/netstat").expect("the kernel's counters");
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let counter = names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == "TCPMD5Failure");
    counter.and_then(|(_, value)| value.parse().ok()).expect("a kernel that counts TCPMD5Failure")
}

#[tokio::test]
async fn ttl_security_holds_on_one_link() {
    let (_a, peer_a, _b, peer_b) = pair(|a, b| {
        a.ttl_security = true;
        b.ttl_security = true;
    });
    until(&peer_a, "up Established").await;
    until(&peer_b, "up Established").await;
}

#[tokio::test]
async fn an_as_that_is_not_the_one_configured_is_refused_on_both_sides() {
    let (_a, peer_a, _b, peer_b) = pair(|_, b| b.local_as = 65099);
    until(&peer_a, "start Idle BGP Error: Bad peer AS").await;
    until(&peer_b, "start Idle Received: Bad peer AS").await;
    assert_eq!(peer_a.status.borrow().error_wait.map(|t| t.total_s), Some(60));
}

#[tokio::test]
async fn a_limit_disables_the_session() {
    let (a, peer_a, b, peer_b) = pair(|a, _| a.channels[0].import_limit = limit(2, LimitAction::Disable));
    b.announce([10, 8], 4);
    until(&peer_a, "down Automatic shutdown: Route limit exceeded").await;
    until(&peer_b, "start Active Received: Maximum number of prefixes reached").await;
    a.imported(BGP, 0).await;
    assert!(peer_a.status.borrow().disabled);
}

#[tokio::test]
async fn a_reload_opens_a_limit_that_blocked() {
    let (a, peer_a, b, _peer_b) = pair(|a, _| a.channels[0].import_limit = limit(2, LimitAction::Block));
    b.announce([10, 8], 4);
    a.imported(BGP, 2).await;
    until(&peer_a, "up Established").await;
    // Room for others, but the limit stays shut until the operator says otherwise.
    b.withdraw([10, 8], 2);
    b.announce_more([10, 9], 2);
    a.imported(BGP, 0).await;
    assert!(peer_a.reload_in());
    a.imported(BGP, 2).await;
}

#[tokio::test]
async fn with_an_import_table_a_reload_asks_the_neighbour_for_nothing() {
    let (a, peer_a, b, _peer_b) = pair(|a, b| {
        a.channels[0].import_table = true;
        b.offer.route_refresh = false;
    });
    // More than one slice.
    b.announce([10, 8], 10_000);
    a.imported(BGP, 10_000).await;
    until(&peer_a, "up Established").await;
    let seen = peer_a.received(route::Family::Ipv4, WhichReceived::Behind(None), 20_000).await;
    assert_eq!(seen.len(), 10_000);
    assert!(peer_a.reload_in(), "though the neighbour cannot be asked");
    let stats = || a.deps.tables.query(TABLE, |t| t.import_stats(BGP));
    for _ in 0..1000 {
        if stats().await.unwrap().updates_received >= 20_000 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(stats().await.unwrap().updates_received, 20_000);
    a.imported(BGP, 10_000).await;
}

#[tokio::test]
async fn a_refresh_brings_the_same_routes_again() {
    let (a, peer_a, b, _peer_b) = pair(|_, _| {});
    b.announce([10, 8], 100);
    a.imported(BGP, 100).await;
    until(&peer_a, "up Established").await;
    assert!(peer_a.reload_in());
    let stats = |w: &World| {
        let tables = w.deps.tables.clone();
        async move { tables.query(TABLE, |t| t.import_stats(BGP)).await.unwrap() }
    };
    for _ in 0..1000 {
        if stats(&a).await.updates_received >= 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(stats(&a).await.updates_received, 200);
    a.imported(BGP, 100).await;
}

#[tokio::test]
async fn a_neighbour_that_vanishes_from_the_link_is_lost_and_found() {
    let (a, peer_a, _b, peer_b) = pair(|_, _| {});
    until(&peer_a, "up Established").await;
    a.ifaces.send_replace(std::sync::Arc::default());
    until(&peer_a, "start Idle Error: Neighbor lost").await;
    until(&peer_b, "start Connect Received: Cease").await;
    a.ifaces.send_replace(std::sync::Arc::new(lo()));
    until(&peer_a, "up Established").await;
}

#[tokio::test]
async fn the_status_tells_what_show_protocols_all_prints() {
    let (_a, peer_a, _b, _peer_b) = pair(|_, _| {});
    until(&peer_a, "up Established").await;
    let status = peer_a.status.borrow().clone();
    assert_eq!(status.caps.join(" "), "refresh enhanced-refresh restart-aware llgr-aware AS4");
    assert_eq!(status.session.join(" "), "external AS4");
    assert_eq!(status.hold.map(|t| t.total_s), Some(240));
    assert_eq!(status.keepalive.map(|t| t.total_s), Some(80));
    assert!(status.channels[0].member.is_some());
}
