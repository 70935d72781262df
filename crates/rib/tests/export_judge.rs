//! What a route looks like for a neighbour, as BIRD 1.6.8 and the RFCs have it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

mod support;

use filter::run::Policy;
use filter::span::SourceFile;
use filter::syntax::{Cursor, lex};
use filter::{FileId, Symbols};
extern crate rbird_rib as rib;
use rib::batch::ResolvedHop;
use rib::export::{ExportVerdict, GroupKey, Judge, LinkLocalFormat, MissingLladdr, NextHopRules, Offer, RoutesOf};
use route::aigp;
use route::aigp::Aigp;
use route::attr::code;
use route::attrs::{Local, LocalAttr, LocalValue, Records};
use route::iface::IfaceFlags;
use route::{
    AttrSet, AttrSetBuilder, BgpSource, Dest, Family, Hop, IfIndex, Iface, Ifaces, ProtocolId, Resolved, Role, Source,
    SourceId, SourceKind, Speaker, Within,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const LINK: IfIndex = IfIndex(3);
const OTHER_LINK: IfIndex = IfIndex(4);

fn addr(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

/// Towards an external neighbour on `LINK`, where we are 192.0.2.1 in AS 65000.
fn external() -> GroupKey {
    GroupKey { local_addr: addr(1), link: LINK, cluster_id: 0x0101_0101, ..support::key(Policy::Accept) }
}

fn internal() -> GroupKey {
    GroupKey { internal: true, ..external() }
}

fn bgp_source(internal: bool) -> Source {
    let peer_as = if internal { 65000 } else { 65001 };
    Source {
        kind: SourceKind::Bgp,
        bgp: Some(BgpSource {
            internal,
            cluster_id: 0x0101_0101,
            ..BgpSource::between(
                Speaker { addr: addr(1), asn: 65000, id: 0x0101_0101 },
                Speaker { addr: addr(9), asn: peer_as, id: 0x0909_0909 },
            )
        }),
        ..static_source()
    }
}

fn static_source() -> Source {
    Source::of_protocol(SourceId(1), ProtocolId(1), "s".into(), SourceKind::Static)
}

/// Received from AS 65001 with next hop 192.0.2.9, and MED 50.
fn received() -> AttrSetBuilder {
    let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Via(Hop::via(addr(9), LINK))));
    b.set(code::ORIGIN, &[0]);
    b.set(code::AS_PATH, &[2, 1, 0, 0, 0xfd, 0xe9]);
    b.set(code::NEXT_HOP, &[192, 0, 2, 9]);
    b.set_u32(code::MED, 50);
    b.set_u32(code::LOCAL_PREF, 100);
    b
}

fn hop(link: IfIndex) -> ResolvedHop {
    ResolvedHop { to: Resolved::Unicast(Hop::via(addr(9), link)), igp_metric: None, recursive: false }
}

fn tell(key: GroupKey, attrs: &AttrSetBuilder, source: &Source, hop: &ResolvedHop) -> Result<AttrSet, ExportVerdict> {
    let offer = Offer { net: "198.51.100.0/24".parse().unwrap(), attrs: &attrs.build(), source, hop };
    Judge::new(Arc::new(key), Arc::new(Ifaces::default())).outgoing(&offer)
}

fn path(set: &AttrSet) -> String {
    set.as_path().to_string()
}

#[test]
fn our_as_stands_in_front_for_external_neighbours_and_med_is_zeroed_as_in_1_6() {
    let told = tell(external(), &received(), &bgp_source(false), &hop(LINK)).unwrap();
    assert_eq!(path(&told), "65000 65001");
    assert_eq!(told.get_u32(code::MED), Some(0));
    assert_eq!(told.get(code::LOCAL_PREF), None);
    let key = GroupKey { med_to_external: true, ..external() };
    assert_eq!(tell(key, &received(), &bgp_source(false), &hop(LINK)).unwrap().get_u32(code::MED), Some(50));
    let key = GroupKey { rewrite_before_filter: false, ..external() };
    assert_eq!(tell(key, &received(), &bgp_source(false), &hop(LINK)).unwrap().get_u32(code::MED), None, "as BIRD 2");
    let told = tell(internal(), &received(), &bgp_source(false), &hop(LINK)).unwrap();
    assert_eq!((path(&told), told.get_u32(code::MED)), ("65001".into(), Some(50)));
    assert_eq!(told.get_u32(code::LOCAL_PREF), Some(100));
}

/// RFC 5065 4, and what 2.0.12 tells. Our AS is 65000 in the confederation 64999.
#[test]
fn a_confederation_has_segments_of_its_own_inside_and_is_one_as_outside() {
    let two = |key: GroupKey| GroupKey { rewrite_before_filter: false, ..key };
    let outside = || two(GroupKey { local_as: 64999, ..external() });
    let member = || two(GroupKey { confederation: true, ..external() });
    let inside = || two(GroupKey { confederation: true, ..internal() });
    let from = |internal, confederation| {
        let mut source = bgp_source(internal);
        source.bgp.as_mut().unwrap().confederation = confederation;
        source
    };
    let mut route = received();
    let told = |key, route: &AttrSetBuilder, source: &Source| {
        let set = tell(key, route, source, &hop(OTHER_LINK)).unwrap();
        let next_hop = set.next_hop().unwrap().0;
        (path(&set), set.get_u32(code::MED), set.get_u32(code::LOCAL_PREF), next_hop == addr(1))
    };
    let external = from(false, false);
    let (med, pref) = (Some(50), Some(100));
    assert_eq!(told(outside(), &route, &external), ("64999 65001".into(), None, None, true));
    assert_eq!(told(member(), &route, &external), ("( 65000 ) 65001".into(), med, pref, false));
    assert_eq!(told(inside(), &route, &external), ("65001".into(), med, pref, false));

    route.set(code::AS_PATH, &[3, 1, 0, 0, 0xfd, 0xe9, 2, 1, 0, 0, 0, 7]);
    let member_source = from(false, true);
    assert_eq!(told(outside(), &route, &member_source), ("64999 7".into(), None, None, true));
    assert_eq!(told(member(), &route, &member_source), ("( 65000 65001 ) 7".into(), med, pref, false));
    assert_eq!(told(inside(), &route, &member_source).0, "( 65001 ) 7");
    // An external neighbour's client of a route server hears the path without what is ours alone.
    let client = GroupKey { rs_client: true, ..outside() };
    assert_eq!(told(client, &route, &member_source).0, "7");

    let mut kept = |community: u32, key| {
        route.set_u32(code::COMMUNITY, community);
        tell(key, &route, &external, &hop(LINK)).is_err()
    };
    let (no_export, no_subconfed) = (0xffff_ff01, 0xffff_ff03);
    assert!(kept(no_export, outside()) && !kept(no_export, member()) && !kept(no_export, inside()));
    assert!(kept(no_subconfed, outside()) && kept(no_subconfed, member()) && !kept(no_subconfed, inside()));
}

/// RFC 7311 3.4, and the octets that 2.0.12 tells.
#[test]
fn the_accumulated_metric_grows_by_the_way_to_the_next_hop_where_packets_come_through_us() {
    let key = |aigp| GroupKey { rewrite_before_filter: false, aigp, ..external() };
    let ours = |aigp| GroupKey { next_hop: NextHopRules { own: RoutesOf::All, ..Default::default() }, ..key(aigp) };
    let far = |igp_metric| ResolvedHop { igp_metric, ..hop(LINK) };
    let mut route = received();
    let of = |key, route: &AttrSetBuilder, source: &Source, hop: &ResolvedHop| {
        let set = tell(key, route, source, hop).unwrap();
        set.get(code::AIGP).map(|value| aigp::metric(value).unwrap())
    };
    let bgp = bgp_source(false);
    for wanted in [Aigp::Unknown, Aigp::Off, Aigp::On, Aigp::Originate] {
        assert_eq!(of(ours(wanted), &route, &bgp, &far(Some(5))), None, "a route of BGP without one gets none");
    }
    route.set(code::AIGP, &aigp::with_metric(&[9, 0, 4, 7], 100));
    assert_eq!(of(ours(Aigp::Unknown), &route, &bgp, &far(Some(5))), None);
    assert_eq!(of(ours(Aigp::Off), &route, &bgp, &far(Some(5))), None);
    assert_eq!(of(ours(Aigp::On), &route, &bgp, &far(Some(5))), Some(105));
    assert_eq!(of(ours(Aigp::On), &route, &bgp, &far(Some(0))), Some(101));
    assert_eq!(of(ours(Aigp::On), &route, &bgp, &far(None)), Some(101), "a next hop that was not looked up");
    assert_eq!(of(ours(Aigp::On), &route, &bgp, &far(Some(u32::MAX))), Some(u64::MAX), "of unknown distance");
    // Packets do not come through us: as it is.
    assert_eq!(of(key(Aigp::On), &route, &bgp, &far(Some(5))), Some(100));
    let told = tell(ours(Aigp::On), &route, &bgp, &far(Some(5))).unwrap();
    let record = told.iter().find(|r| r.code == code::AIGP).unwrap();
    assert_eq!((record.flags, record.value), (0x80, &[1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 105, 9, 0, 4, 7][..]));

    // A route of ours begins with its own distance, where it has one and the operator says so.
    let metric = |metric| {
        let mut b = AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Blackhole));
        b.local.set_extra(LocalAttr::IgpMetric, Some(LocalValue::Int(metric)));
        b
    };
    let from = static_source();
    assert_eq!(of(key(Aigp::Originate), &metric(30), &from, &hop(OTHER_LINK)), Some(30));
    assert_eq!(of(key(Aigp::On), &metric(30), &from, &hop(OTHER_LINK)), None);
    assert_eq!(of(key(Aigp::Originate), &metric(0x8000_0000), &from, &hop(OTHER_LINK)), None);
    let plain = AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Blackhole));
    assert_eq!(of(key(Aigp::Originate), &plain, &from, &hop(OTHER_LINK)), None);
    let direct = Source { kind: SourceKind::Device, ..static_source() };
    let device = AttrSetBuilder::new(Local::new(SourceKind::Device, 240, Dest::Blackhole));
    assert_eq!(of(key(Aigp::Originate), &device, &direct, &hop(OTHER_LINK)), Some(0));
}

#[test]
fn a_client_of_a_route_server_is_told_path_and_med_unchanged() {
    let key = GroupKey { rs_client: true, ..external() };
    let told = tell(key, &received(), &bgp_source(false), &hop(LINK)).unwrap();
    assert_eq!((path(&told), told.get_u32(code::MED)), ("65001".into(), Some(50)));
}

#[test]
fn what_a_route_server_itself_gives_has_its_as_in_1_6_alone() {
    let key = GroupKey { rs_client: true, ..external() };
    let told = |key| {
        path(
            &tell(
                key,
                &AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Blackhole)),
                &static_source(),
                &hop(LINK),
            )
            .unwrap(),
        )
    };
    assert_eq!(told(key.clone()), "65000");
    assert_eq!(told(of_2(key)), "");
}

#[test]
fn the_next_hop_is_kept_on_the_shared_link_and_inside_and_is_ours_elsewhere() {
    let next_hop =
        |key, hop: &ResolvedHop| tell(key, &received(), &bgp_source(false), hop).unwrap().next_hop().unwrap().0;
    assert_eq!(next_hop(external(), &hop(LINK)), addr(9));
    assert_eq!(next_hop(external(), &hop(OTHER_LINK)), addr(1));
    assert_eq!(next_hop(internal(), &hop(OTHER_LINK)), addr(9));
    let multihop = GroupKey { link: IfIndex(0), ..external() };
    assert_eq!(next_hop(multihop.clone(), &hop(LINK)), addr(1));
    assert_eq!(next_hop(with(multihop, RoutesOf::Nobody, RoutesOf::All), &hop(OTHER_LINK)), addr(9));
    assert_eq!(next_hop(with(internal(), RoutesOf::All, RoutesOf::Nobody), &hop(LINK)), addr(1));
}

/// `next hop self` and `next hop keep`.
fn with(key: GroupKey, own: RoutesOf, keep: RoutesOf) -> GroupKey {
    GroupKey { next_hop: NextHopRules { own, keep, ..key.next_hop }, ..key }
}

/// The same in the order of BIRD 2.
fn of_2(key: GroupKey) -> GroupKey {
    GroupKey { rewrite_before_filter: false, missing_lladdr: MissingLladdr::Untouched, ..key }
}

#[test]
fn next_hop_self_and_keep_may_speak_of_routes_of_one_kind_of_neighbour() {
    let client = GroupKey { rr_client: true, ..internal() };
    let next_hop = |own, keep, from: bool, key: GroupKey| {
        let told = tell(with(of_2(key), own, keep), &received(), &bgp_source(from), &hop(OTHER_LINK));
        told.unwrap().next_hop().unwrap().0
    };
    for (own, of_internal, of_external) in
        [(RoutesOf::Internal, 1, 9), (RoutesOf::External, 9, 1), (RoutesOf::All, 1, 1), (RoutesOf::Nobody, 9, 9)]
    {
        let hops = [true, false].map(|from| next_hop(own, RoutesOf::All, from, client.clone()));
        assert_eq!(hops, [addr(of_internal), addr(of_external)], "self {own:?} counts for more than keep");
    }
    for (keep, of_internal, of_external) in
        [(RoutesOf::Internal, 9, 1), (RoutesOf::External, 1, 9), (RoutesOf::All, 9, 9), (RoutesOf::Nobody, 1, 1)]
    {
        let hops = [true, false].map(|from| next_hop(RoutesOf::Nobody, keep, from, external()));
        assert_eq!(hops, [addr(of_internal), addr(of_external)], "keep {keep:?}");
    }
    let fixed =
        tell(with(of_2(internal()), RoutesOf::External, RoutesOf::Nobody), &received(), &static_source(), &hop(LINK));
    assert_eq!(fixed.unwrap().next_hop().unwrap().0, addr(9), "no neighbour gave it: the route's own stays");
}

#[test]
fn in_2_the_link_that_counts_is_that_of_the_session_which_gave_the_route() {
    let from = |link| {
        let mut source = bgp_source(false);
        source.bgp.as_mut().unwrap().link = link;
        tell(of_2(external()), &received(), &source, &hop(OTHER_LINK)).unwrap().next_hop().unwrap().0
    };
    assert_eq!((from(LINK), from(IfIndex(0))), (addr(9), addr(1)));
}

/// As 2.0.12 does it.
#[test]
fn a_next_hop_of_another_vrf_is_not_told_and_ours_stands_for_it() {
    let [red, blue] = [Within::Vrf(IfIndex(8)), Within::Vrf(IfIndex(9))];
    let in_blue = || of_2(GroupKey { within: blue, ..internal() });
    let from = |within| {
        let mut source = bgp_source(false);
        source.bgp.as_mut().unwrap().within = within;
        source
    };
    let link = |index, master| Iface {
        index,
        name: "l".into(),
        flags: IfaceFlags { admin_up: true, link_up: true, ..IfaceFlags::default() },
        mtu: 1500,
        master,
        addrs: Vec::new(),
    };
    let machine = Arc::new(Ifaces::new(vec![link(LINK, IfIndex(8)), link(OTHER_LINK, IfIndex(9))]));
    let told = |key: GroupKey, attrs: &AttrSetBuilder, source: &Source, hop: &ResolvedHop| {
        let offer = Offer { net: "198.51.100.0/24".parse().unwrap(), attrs: &attrs.build(), source, hop };
        Judge::new(Arc::new(key), Arc::clone(&machine)).outgoing(&offer).unwrap().next_hop().unwrap().0
    };
    let route = received();
    assert_eq!(told(in_blue(), &route, &from(red), &hop(LINK)), addr(1));
    assert_eq!(told(in_blue(), &route, &from(blue), &hop(LINK)), addr(9));
    assert_eq!(told(in_blue(), &route, &from(Within::Machine), &hop(LINK)), addr(9), "who keeps to none is near");
    let keeps = with(in_blue(), RoutesOf::Nobody, RoutesOf::All);
    assert_eq!(told(keeps, &route, &from(red), &hop(LINK)), addr(9), "the operator says so");
    // A gateway counts by the link on which it lies.
    let mut plain = AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Via(Hop::via(addr(9), LINK))));
    plain.set(code::ORIGIN, &[0]);
    assert_eq!(told(in_blue(), &plain, &static_source(), &hop(LINK)), addr(1));
    assert_eq!(told(in_blue(), &plain, &static_source(), &hop(OTHER_LINK)), addr(9));
    assert_eq!(told(of_2(internal()), &plain, &static_source(), &hop(LINK)), addr(9));
}

#[test]
fn a_next_hop_of_another_family_is_told_only_where_that_was_agreed_on() {
    let global: std::net::Ipv6Addr = "2001:db8::9".parse().unwrap();
    let mut attrs = received();
    attrs.set(code::NEXT_HOP, &global.octets());
    let told = |any_family, keep| {
        let key = with(of_2(internal()), RoutesOf::Nobody, keep);
        let key = GroupKey { next_hop: NextHopRules { any_family, ..key.next_hop }, ..key };
        tell(key, &attrs, &bgp_source(false), &hop(OTHER_LINK)).map(|told| told.next_hop().unwrap().0)
    };
    assert_eq!(told(true, RoutesOf::Nobody), Ok(global.into()), "as received, to an internal neighbour");
    assert_eq!(told(false, RoutesOf::Nobody), Ok(addr(9)), "the gateway of the route instead");
    assert_eq!(told(false, RoutesOf::All), Err(ExportVerdict::Vetoed), "not even when it is to be kept");
}

#[test]
fn a_link_local_next_hop_is_told_in_the_format_that_the_neighbour_knows() {
    let link_local: std::net::Ipv6Addr = "fe80::1".parse().unwrap();
    let told = |link_local_format| {
        let next_hop = NextHopRules { own: RoutesOf::All, link_local: link_local_format, ..NextHopRules::default() };
        let ours = (std::net::Ipv6Addr::UNSPECIFIED.into(), Some(link_local));
        let (local_addr, local_link_local, family) = (ours.0, ours.1, route::Family::Ipv6);
        let key = GroupKey { family, next_hop, local_addr, local_link_local, ..of_2(external()) };
        tell(key, &received(), &bgp_source(false), &hop(LINK)).unwrap().get(code::NEXT_HOP).unwrap().to_vec()
    };
    let (none, one) = ([0; 16].to_vec(), link_local.octets().to_vec());
    assert_eq!(told(LinkLocalFormat::Native), [none, one.clone()].concat());
    assert_eq!(told(LinkLocalFormat::Single), one);
    assert_eq!(told(LinkLocalFormat::Double), [one.clone(), one].concat());
}

fn filter_of(text: &str) -> Policy {
    let files = [SourceFile { path: "t".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), text.as_bytes());
    let mut cursor = Cursor::new(&files, &tokens, Some(Family::Ipv4));
    Policy::Filter(filter::language::filter(&mut cursor, &Symbols::new(Some(Family::Ipv4))).expect("a filter"))
}

/// Such an attribute is fresh to BIRD 2, whatever its value.
#[test]
fn what_the_export_filter_sets_is_told_by_2_also_when_it_stood_there() {
    let told = |text: &str| {
        let key = GroupKey { policy: filter_of(text), ..of_2(external()) };
        let set = tell(key, &received(), &bgp_source(false), &hop(OTHER_LINK)).unwrap();
        (set.get_u32(code::MED), set.next_hop().unwrap().0)
    };
    assert_eq!(told("{ accept; }"), (None, addr(1)));
    assert_eq!(told("{ bgp_med = 50; accept; }"), (Some(50), addr(1)));
    assert_eq!(told("{ bgp_med = bgp_med; bgp_next_hop = bgp_next_hop; accept; }"), (Some(50), addr(9)));
    assert_eq!(told("{ unset(bgp_med); accept; }"), (None, addr(1)));
}

#[test]
fn a_static_route_gets_the_attributes_of_bgp_and_keeps_med_and_communities() {
    let mut attrs = AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Blackhole));
    attrs.set_u32(code::MED, 50);
    attrs.set_u32(code::LOCAL_PREF, 300);
    attrs.set(code::COMMUNITY, &[0, 3, 0, 3, 0, 1, 0, 1]);
    let blackhole = ResolvedHop { to: Resolved::Blackhole, igp_metric: None, recursive: false };
    let told = tell(external(), &attrs, &static_source(), &blackhole).unwrap();
    assert_eq!((told.origin(), path(&told), told.next_hop().unwrap().0), (Some(0), "65000".into(), addr(1)));
    assert_eq!(told.get_u32(code::MED), Some(50));
    assert_eq!(told.get(code::COMMUNITY), Some(&[0, 1, 0, 1, 0, 3, 0, 3][..]), "communities are sent sorted");
    let told = tell(internal(), &attrs, &static_source(), &hop(OTHER_LINK)).unwrap();
    assert_eq!((path(&told), told.next_hop().unwrap().0), (String::new(), addr(9)));
    assert_eq!(told.get_u32(code::LOCAL_PREF), Some(100), "1.6 makes it anew, whatever an import filter has set");
    let told = tell(external(), &attrs, &static_source(), &hop(OTHER_LINK)).unwrap();
    assert_eq!(told.next_hop().unwrap().0, addr(1));
}

#[test]
fn internal_routes_reach_internal_neighbours_by_reflection_only() {
    let source = bgp_source(true);
    assert_eq!(tell(internal(), &received(), &source, &hop(LINK)), Err(ExportVerdict::Vetoed));
    let mut attrs = received();
    attrs.set(code::CLUSTER_LIST, &[2, 2, 2, 2]);
    let key = GroupKey { rr_client: true, ..internal() };
    let told = tell(key.clone(), &attrs, &source, &hop(LINK)).unwrap();
    assert_eq!(told.get_u32(code::ORIGINATOR_ID), Some(0x0909_0909));
    assert_eq!(told.get(code::CLUSTER_LIST), Some(&[1, 1, 1, 1, 2, 2, 2, 2][..]), "our cluster stands in front");
    attrs.set(code::CLUSTER_LIST, &[2, 2, 2, 2, 1, 1, 1, 1]);
    assert_eq!(tell(key, &attrs, &source, &hop(LINK)), Err(ExportVerdict::Vetoed), "it has been in this cluster");
    let told = tell(external(), &attrs, &source, &hop(LINK)).unwrap();
    assert_eq!((told.get(code::ORIGINATOR_ID), told.get(code::CLUSTER_LIST)), (None, None));
}

#[test]
fn well_known_communities_keep_a_route_inside_or_here() {
    let with = |community: u32, key| {
        let mut attrs = received();
        attrs.set(code::COMMUNITY, &community.to_be_bytes());
        tell(key, &attrs, &bgp_source(false), &hop(LINK)).is_ok()
    };
    let deaf = GroupKey { interpret_communities: false, ..external() };
    for (community, to_external, to_internal) in
        [(0xffff_ff01, false, true), (0xffff_ff02, false, false), (0xffff_ff03, false, true)]
    {
        assert_eq!(with(community, external()), to_external);
        assert_eq!(with(community, internal()), to_internal);
        assert!(with(community, deaf.clone()));
    }
    assert!(with(0xffff_0006, external()));
    assert!(!with(0xffff_0006, GroupKey { llgr_aware: false, ..external() }), "LLGR_STALE, RFC 9494 4.3");
}

#[test]
fn unknown_attributes_go_on_with_the_partial_bit_if_they_are_transitive() {
    let mut attrs = received();
    attrs.set_with_flags(0xc0, 63, b"ab");
    attrs.set_with_flags(0x80, 64, b"cd");
    let told = tell(external(), &attrs, &bgp_source(false), &hop(LINK)).unwrap();
    let unknown: Vec<_> = Records::new(told.octets()).filter(|r| r.code > 32).map(|r| (r.flags, r.code)).collect();
    assert_eq!(unknown, [(0xe0, 63)]);
}

#[test]
fn a_route_that_lacks_what_every_route_has_is_not_told() {
    let mut attrs = received();
    attrs.unset(code::ORIGIN);
    assert_eq!(tell(external(), &attrs, &bgp_source(false), &hop(LINK)), Err(ExportVerdict::Vetoed));
}

#[test]
fn the_filter_rejects_what_the_veto_let_pass() {
    let key = GroupKey { policy: Policy::Reject, ..external() };
    assert_eq!(tell(key, &received(), &bgp_source(false), &hop(LINK)), Err(ExportVerdict::Filtered));
}

#[test]
fn before_the_filter_stands_the_rewritten_route_in_1_6_and_the_route_itself_in_2() {
    let before = |rewrite_before_filter| {
        let key = GroupKey { rewrite_before_filter, ..external() };
        let (attrs, source) = (received().build(), bgp_source(false));
        let offer = Offer { net: "198.51.100.0/24".parse().unwrap(), attrs: &attrs, source: &source, hop: &hop(LINK) };
        path(&Judge::new(Arc::new(key), Arc::new(Ifaces::default())).explain(&offer).before_filter)
    };
    assert_eq!((before(true), before(false)), ("65000 65001".into(), "65001".into()));
}

#[test]
fn what_is_for_customers_only_goes_down_alone_and_what_goes_down_is_marked() {
    // RFC 9234 5
    let towards = |role| GroupKey { role, ..of_2(external()) };
    let mark = |role, attrs: &AttrSetBuilder| {
        let told = tell(towards(role), attrs, &bgp_source(false), &hop(LINK));
        told.map(|set| set.get_u32(code::ONLY_TO_CUSTOMER))
    };
    let mut marked = received();
    marked.set_u32(code::ONLY_TO_CUSTOMER, 65001);
    for role in [Role::Customer, Role::RsClient, Role::Peer] {
        assert_eq!(mark(Some(role), &marked), Err(ExportVerdict::Vetoed), "{role:?}");
    }
    for role in [Some(Role::Provider), Some(Role::RsServer), None] {
        assert_eq!(mark(role, &marked), Ok(Some(65001)), "{role:?}");
    }
    for role in [Role::Provider, Role::RsServer, Role::Peer] {
        assert_eq!(mark(Some(role), &received()), Ok(Some(65000)), "{role:?}");
    }
    for role in [Some(Role::Customer), Some(Role::RsClient), None] {
        assert_eq!(mark(role, &received()), Ok(None), "{role:?}");
    }
    let ours = tell(towards(Some(Role::Customer)), &marked, &static_source(), &hop(LINK));
    assert_eq!(ours, Err(ExportVerdict::Vetoed), "whoever has marked it");
}
