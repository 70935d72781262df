//! What a session asks of its neighbour, between two peers over loopback.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod world;

use rbird_session::peer::*;
use route::Role;
use world::*;

/// Two peers with options of their own; the first one is awaited with `shown`.
async fn meet(
    ours: impl FnOnce(&mut PeerSpec),
    theirs: impl FnOnce(&mut PeerSpec),
    shown: &str,
) -> (World, PeerHandle) {
    let (at_a, at_b) = (address(), address());
    let (a, b) = (World::new(), World::new());
    let (mut spec_a, mut spec_b) = (spec("a", (65001, 65002), at_a, at_b), spec("b", (65002, 65001), at_b, at_a));
    spec_b.passive = true;
    ours(&mut spec_a);
    theirs(&mut spec_b);
    let (peer_a, peer_b) = (a.peer(spec_a), b.peer(spec_b));
    peer_b.start();
    peer_a.start();
    until(&peer_a, shown).await;
    (a, peer_a)
}

const MISSING: &str = "start Idle BGP Error: Required capability missing";

#[tokio::test]
async fn a_capability_that_is_needed_is_asked_for_and_announced_when_it_is_enabled() {
    let asks = |spec: &mut PeerSpec| spec.terms.needed = vec![Needed::EnhancedRefresh];
    meet(asks, |_| {}, "up Established").await;
    meet(asks, |spec| spec.offer.enhanced_refresh = false, MISSING).await;
}

#[tokio::test]
async fn what_both_would_do_for_times_must_be_often_enough() {
    let asks = |spec: &mut PeerSpec| (spec.terms.least_hold_s, spec.terms.least_keepalive_s) = (60, 20);
    meet(asks, |spec| spec.times.hold_s = 59, "start Idle BGP Error: Unacceptable hold time").await;
    let (_world, peer) = meet(asks, |spec| spec.times.hold_s = 60, "up Established").await;
    assert_eq!(peer.status.borrow().keepalive.map(|t| t.total_s), Some(20));
}

#[tokio::test]
async fn the_send_hold_time_is_shown_where_it_was_asked_for() {
    let shown = async |asked| {
        let asks = |spec: &mut PeerSpec| (spec.times.hold_s, spec.terms.send_hold_s) = (240, asked);
        let (_world, peer) = meet(asks, |spec| spec.times.hold_s = 60, "up Established").await;
        let timer = peer.status.borrow().send_hold;
        timer.map(|t| (t.total_s, t.expires > route::Moment(0)))
    };
    assert_eq!(shown(Some(480)).await, Some((120, true)), "lowered as the hold time is");
    assert_eq!(shown(Some(0)).await, Some((0, false)));
    assert_eq!(shown(None).await, None);
}

#[tokio::test]
async fn a_neighbour_of_another_family_has_no_session_in_dialect_2() {
    let strict = |spec: &mut PeerSpec| spec.terms.strict_families = true;
    let ipv6 = |spec: &mut PeerSpec| spec.channels[0].family = route::Family::Ipv6;
    meet(strict, ipv6, MISSING).await;
    meet(|_| {}, ipv6, "up Established").await;
}

#[tokio::test]
async fn roles_that_do_not_fit_have_no_session() {
    let role =
        |role| move |spec: &mut PeerSpec| (spec.terms.role, spec.rules.rewrite_before_filter) = (Some(role), false);
    meet(role(Role::Peer), role(Role::Customer), "start Idle BGP Error: Role mismatch").await;
    meet(role(Role::Customer), |_| {}, "up Established").await;
    let needed = |spec: &mut PeerSpec| (spec.terms.role, spec.terms.role_needed) = (Some(Role::Customer), true);
    meet(needed, |_| {}, "start Idle BGP Error: Role mismatch").await;
    let (_world, peer) = meet(needed, role(Role::Provider), "up Established").await;
    let announced = peer.status.borrow().announced.clone().expect("both have announced something");
    assert_eq!((&*announced.ours.roles, &*announced.theirs.roles), (&[3][..], &[0][..]));
}

#[tokio::test]
async fn a_name_is_told_when_there_is_one_and_may_be_asked_for() {
    let asks = |spec: &mut PeerSpec| spec.terms.needed = vec![Needed::Hostname];
    meet(asks, |_| {}, MISSING).await;
    let (_world, peer) = meet(asks, |spec| spec.hostname = Some("beta".into()), "up Established").await;
    let announced = peer.status.borrow().announced.clone().expect("both have announced something");
    assert_eq!((&announced.ours.hostname, announced.theirs.hostname.as_deref()), (&None, Some("beta")));
}
