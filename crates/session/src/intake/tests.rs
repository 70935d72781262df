//! UPDATEs in octets, and the rows that they come to.

use super::sources::PATH_IDS_MAX;
use super::*;
use crate::peer::{Aigp, Confederation, DecisionRules, GatewayMode};
use route::hop::{Hop, Recursive, Resolved};
use route::iface::{IfaceFlags, Scope};
use route::{ChannelId, Iface, IfaceAddr, ProtocolId, Role, TableId};
use std::sync::atomic::AtomicU32;
fn spec() -> PeerSpec {
    PeerSpec {
        cluster_id: 7,
        decision: DecisionRules { default_local_pref: 120, ..DecisionRules::default() },
        channels: vec![PeerChannel {
            igp_tables: wire::PerFamily { ipv4: TableId(2), ipv6: TableId(2) },
            ..PeerChannel::new(Family::Ipv4, ChannelId(1), TableId(1))
        }],
        ..PeerSpec::new("p1".into(), ProtocolId(1), (65001, 0x0a01_0101), ("10.1.1.2".parse().unwrap(), 65002))
    }
}

fn links() -> Arc<Ifaces> {
    let addr = IfaceAddr {
        addr: "10.1.1.1".parse().unwrap(),
        prefix: "10.1.1.0/24".parse().unwrap(),
        broadcast: None,
        peer: None,
        scope: Scope::Site,
        secondary: false,
    };
    let d0 = Iface {
        index: IfIndex(2),
        name: "d0".into(),
        flags: IfaceFlags { admin_up: true, link_up: true, ..IfaceFlags::default() },
        mtu: 1500,
        master: IfIndex(0),
        addrs: vec![addr],
    };
    Arc::new(Ifaces::new(vec![d0]))
}

fn intake(change: impl Fn(&mut PeerSpec)) -> Intake {
    let mut spec = spec();
    change(&mut spec);
    let origin = Source::of_protocol(SourceId(9), ProtocolId(1), "p1".into(), SourceKind::Bgp);
    let context = UpdateContext {
        as4: true,
        families: PerFamily { ipv4: true, ipv6: false },
        internal: spec.is_internal(),
        confederation: spec.is_confederated(),
        recent_attributes: spec.channels[0].aigp != Aigp::Unknown,
        ..UpdateContext::default()
    };
    let ids = SourceIds::new(Arc::new(AtomicU32::new(100)));
    let roas = tokio::sync::watch::Sender::new(Arc::default()).subscribe();
    Intake::new(Arc::new(spec), context, Arc::new(origin), ids, IfIndex(2), links(), roas)
}

/// An UPDATE: path, next hop, further attributes in octets, prefixes in octets.
fn update(path: &[u32], hop: [u8; 4], more: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut segment = vec![];
    if !path.is_empty() {
        segment.extend([2, path.len() as u8]);
        segment.extend(path.iter().flat_map(|a| a.to_be_bytes()));
    }
    let mut attrs = [&[0x40, 1, 1, 0, 0x40, 2, segment.len() as u8][..], &segment].concat();
    attrs.extend([&[0x40, 3, 4][..], &hop, more].concat());
    [&[0, 0][..], &(attrs.len() as u16).to_be_bytes(), &attrs, nlri].concat()
}

const NET: &[u8] = &[24, 192, 0, 2];
const PEER: [u8; 4] = [10, 1, 1, 2];

fn rows(intake: &mut Intake) -> (Vec<What>, Vec<AttrSet>) {
    let batch = intake.take(Family::Ipv4).map(|c| c.batch).unwrap_or_default();
    (batch.rows.iter().map(|r| r.what).collect(), batch.palette)
}

/// What one UPDATE comes to.
fn take(intake: &mut Intake, octets: &[u8]) -> (Vec<What>, Vec<AttrSet>) {
    assert_eq!(intake.update(octets), Ok(None));
    rows(intake)
}

#[test]
fn a_route_has_the_defaults_of_the_session() {
    let (what, sets) = take(&mut intake(|_| {}), &update(&[65002], PEER, &[], NET));
    assert_eq!(what, [What::Announce(0)]);
    assert_eq!(sets[0].get_u32(code::LOCAL_PREF), Some(120));
    let local = sets[0].local();
    assert_eq!((local.preference, local.kind, local.from), (100, SourceKind::Bgp, Some("10.1.1.2".parse().unwrap())));
}

#[test]
fn the_gateway_is_the_next_hop_on_the_link_or_else_the_neighbour() {
    let gateway = |hop| match take(&mut intake(|_| {}), &update(&[65002], hop, &[], NET)).1[0].local().dest.clone() {
        Dest::Via(hop) => (hop.gateway.unwrap().to_string(), hop.iface),
        other => panic!("{other:?}"),
    };
    // rx-update-nexthop-other-on-link, rx-update-nexthop-offlink
    assert_eq!(gateway([10, 1, 1, 33]), ("10.1.1.33".into(), IfIndex(2)));
    assert_eq!(gateway([172, 16, 0, 1]), ("10.1.1.2".into(), IfIndex(2)));
}

/// fsm/TABLE-2.0.12.md: rx-update-nexthop-offlink, -own, -other-on-link.
#[test]
fn in_2_a_next_hop_lies_on_a_link_of_ours_or_the_route_is_withdrawn_and_the_operator_told() {
    let refused = |hop| {
        let mut intake = intake(|s| s.channels[0].strict_next_hop = true);
        assert_eq!(take(&mut intake, &update(&[65002], hop, &[], NET)).0, [What::Withdraw], "{hop:?}");
        intake.lines()
    };
    let said = |why: &str| {
        let lines = [format!("Invalid NEXT_HOP attribute - {why}"), "Invalid route 192.0.2.0/24 withdrawn".into()];
        lines.map(Line::Remote)
    };
    assert_eq!(refused([10, 77, 0, 1]), said("address 10.77.0.1 not directly reachable"));
    assert_eq!(refused([10, 1, 1, 1]), said("address 10.1.1.1 is local"));
    let mut intake = intake(|s| s.channels[0].strict_next_hop = true);
    let (_, sets) = take(&mut intake, &update(&[65002], [10, 1, 1, 33], &[], NET));
    assert_eq!(sets[0].local().dest, Dest::Via(Hop::via("10.1.1.33".parse().unwrap(), IfIndex(2))));
}

#[test]
fn cost_is_the_distance_of_a_next_hop_that_is_not_looked_up() {
    let mut intake = intake(|s| (s.channels[0].strict_next_hop, s.channels[0].cost) = (true, 5));
    let (_, sets) = take(&mut intake, &update(&[65002], PEER, &[], NET));
    let Dest::Carried(carried) = &sets[0].local().dest else { panic!("{:?}", sets[0].local()) };
    let hop = Hop::via("10.1.1.2".parse().unwrap(), IfIndex(2));
    assert_eq!((&carried.to, carried.igp_metric), (&Resolved::Unicast(hop), Some(5)));
}

#[test]
fn what_was_received_is_judged_again_by_another_filter_without_the_neighbour() {
    let change = |s: &mut PeerSpec| (s.channels[0].import_table, s.channels[0].import) = (true, Policy::Reject);
    let mut intake = intake(change);
    intake.set_now(Moment(7));
    assert_eq!(take(&mut intake, &update(&[65002], PEER, &[], &[24, 10, 0, 1, 24, 10, 0, 2])).0.len(), 2);
    let withdrawn = [&[0, 4, 24, 10, 0, 1, 0, 0][..]].concat();
    assert_eq!(take(&mut intake, &withdrawn).0, [What::Withdraw]);

    let mut spec = PeerSpec::clone(&intake.spec);
    (spec.channels[0].import, spec.channels[0].preference) = (Policy::Accept, 7);
    intake.reconfigure(Arc::new(spec));
    intake.received(Family::Ipv4).unwrap().begin_again();
    assert!(intake.is_judging_again());
    intake.judge_again().unwrap();
    assert!(!intake.is_judging_again());
    let (what, sets) = rows(&mut intake);
    assert_eq!(what, [What::Announce(0)], "the one that is left");
    assert_eq!((sets[0].local().preference, sets[0].get_u32(code::LOCAL_PREF)), (7, Some(120)));

    let shown = intake.show_received(Family::Ipv4, WhichReceived::Behind(None), 9);
    let nets: Vec<_> = shown.iter().map(|row| (row.net.to_string(), row.since, row.source.id)).collect();
    assert_eq!(nets, [("10.0.2.0/24".to_owned(), Moment(7), SourceId(9))]);
    let covering = |net: &str| intake.show_received(Family::Ipv4, WhichReceived::Covering(net.parse().unwrap()), 9);
    assert_eq!((covering("10.0.2.9/32").len(), covering("10.0.3.9/32").len()), (1, 0));
}

#[test]
fn our_own_address_as_next_hop_withdraws() {
    // rx-update-nexthop-own
    assert_eq!(take(&mut intake(|_| {}), &update(&[65002], [10, 1, 1, 1], &[], NET)).0, [What::Withdraw]);
}

#[test]
fn a_recursive_next_hop_is_left_to_the_table() {
    let mut intake = intake(|s| s.channels[0].gateway = GatewayMode::Recursive);
    let (_, sets) = take(&mut intake, &update(&[65002], [172, 16, 0, 1], &[], NET));
    let wanted = Recursive { gateway: "172.16.0.1".parse().unwrap(), table: TableId(2), link_local: None };
    assert_eq!(sets[0].local().dest, Dest::Recursive(wanted));
}

#[test]
fn loops_withdraw_what_stood_before() {
    // rx-update-aspath-own-as-loop
    let path = update(&[65002, 65001], PEER, &[], NET);
    assert_eq!(take(&mut intake(|_| {}), &path).0, [What::Withdraw]);
    assert_eq!(take(&mut intake(|s| s.rules.allow_local_as = 1), &path).0, [What::Announce(0)]);
    // rx-update-ibgp-originator-own
    let originator = update(&[], PEER, &[0x80, 9, 4, 10, 1, 1, 1], NET);
    assert_eq!(take(&mut intake(|s| s.peer_as = 65001), &originator).0, [What::Withdraw]);
    let another = update(&[], PEER, &[0x80, 9, 4, 10, 1, 1, 9], NET);
    assert_eq!(take(&mut intake(|s| s.peer_as = 65001), &another).0, [What::Announce(0)]);
    // rx-update-ibgp-cluster-own: from a client it is a loop
    let cluster = update(&[], PEER, &[0x80, 10, 4, 0, 0, 0, 7], NET);
    assert_eq!(take(&mut intake(|s| s.peer_as = 65001), &cluster).0, [What::Announce(0)]);
    let client = |s: &mut PeerSpec| (s.peer_as, s.rr_client) = (65001, true);
    assert_eq!(take(&mut intake(client), &cluster).0, [What::Withdraw]);
}

#[test]
fn bogus_prefixes_are_invalid_and_said() {
    let nets = [8, 127, 8, 224, 8, 240, 16, 0, 1, 0, 16, 169, 254];
    let mut intake = intake(|_| {});
    let (what, _) = take(&mut intake, &update(&[65002], PEER, &[], &nets));
    let (no, yes) = (What::Invalid(0), What::Announce(1));
    assert_eq!(what, [no, no, no, no, yes, yes], "127/8, 224/8, 240/8, 0.1/16, default, 169.254/16");
    assert!(intake.lines().contains(&Line::Bogus("127.0.0.0/8".parse().unwrap())));
}

/// fsm/2.0.12/rx-update-nlri-multicast
#[test]
fn what_is_reserved_for_later_is_bogus_in_1_6_and_a_route_in_2_but_not_broadcast() {
    let mut intake = intake(|s| s.rules.takes_reserved = true);
    let nets = [4, 224, 4, 240, 32, 255, 255, 255, 255];
    let (what, _) = take(&mut intake, &update(&[65002], PEER, &[], &nets));
    assert_eq!(what, [What::Invalid(0), What::Announce(1), What::Invalid(1)]);
}

#[test]
fn equal_attributes_stand_once_in_the_palette_and_again_in_the_next_batch() {
    let mut intake = intake(|_| {});
    for i in 0..10 {
        intake.update(&update(&[65002], PEER, &[], &[24, 10, 0, i])).unwrap();
    }
    let (what, sets) = rows(&mut intake);
    assert_eq!((what.len(), sets.len()), (10, 1));
    let (what, again) = take(&mut intake, &update(&[65002], PEER, &[], NET));
    assert_eq!(what, [What::Announce(0)]);
    assert!(again[0].is_same(&sets[0]), "not decoded again");
}

#[test]
fn with_import_none_everything_is_filtered() {
    let mut intake = intake(|s| s.channels[0].import = Policy::Reject);
    assert_eq!(take(&mut intake, &update(&[65002], PEER, &[], NET)).0, [What::Filtered(0)]);
}

#[test]
fn what_comes_once_is_not_remembered_and_what_comes_again_is_and_bounded() {
    let mut intake = intake(|_| {});
    let play = |intake: &mut Intake| {
        for i in 0..CACHE_ENTRIES_MAX as u32 + 10 {
            intake.update(&update(&[65002, i + 100_000], PEER, &[], NET)).unwrap();
            if i % 1000 == 0 {
                intake.take(Family::Ipv4);
            }
        }
    };
    play(&mut intake);
    assert_eq!((intake.cache.len(), intake.cache_octets), (0, 0));
    (0..3).for_each(|_| play(&mut intake));
    assert!((1..=CACHE_ENTRIES_MAX).contains(&intake.cache.len()));
    assert!(intake.cache_octets <= CACHE_OCTETS_MAX);
}

#[test]
fn path_identifiers_are_sources_and_bounded() {
    let mut intake = intake(|_| {});
    intake.context.add_path_rx.ipv4 = true;
    intake.update(&update(&[65002], PEER, &[], &[0, 0, 0, 5, 24, 192, 0, 2])).unwrap();
    intake.update(&update(&[65002], PEER, &[], &[0, 0, 0, 5, 24, 192, 0, 3])).unwrap();
    let collected = intake.take(Family::Ipv4).unwrap();
    assert_eq!(collected.sources.iter().map(|s| s.path_id).collect::<Vec<_>>(), [5]);
    assert!(collected.batch.rows.iter().all(|r| r.source == collected.sources[0].id));
    let outcome = (0..PATH_IDS_MAX as u32 + 1).try_for_each(|i| {
        let nlri = [&(i + 1).to_be_bytes()[..], NET].concat();
        intake.update(&update(&[65002], PEER, &[], &nlri)).map(|_| ())
    });
    assert_eq!(outcome, Err(Notification::new(6, 8)));
}

/// As BIRD: a changed table counts for what comes from then on, also for attributes that were seen before.
#[test]
fn roa_tables_count_as_they_are_when_the_update_comes() {
    let text = "roa_check(r) = ROA_VALID;";
    let files = [filter::span::SourceFile { path: "c".into(), text: text.as_bytes().into() }];
    let tokens = filter::syntax::lex(filter::FileId(0), text.as_bytes());
    let mut symbols = filter::Symbols::new(None);
    symbols.define("r", filter::Span::default(), filter::SymbolKind::RoaTable("ROA table")).unwrap();
    let mut cursor = filter::syntax::Cursor::new(&files, &tokens, None);
    let only_valid = filter::language::where_clause(&mut cursor, &symbols).unwrap();

    let sender = tokio::sync::watch::Sender::new(Arc::default());
    let mut intake = intake(|s| s.channels[0].import = Policy::Filter(Arc::clone(&only_valid)));
    intake.roas = sender.subscribe();
    let octets = update(&[65002, 65003], PEER, &[], NET);
    for (asn, expected) in [(65003, What::Announce(0)), (65002, What::Filtered(0)), (65003, What::Announce(0))] {
        let roa = route::Roa { prefix: "192.0.2.0/24".parse().unwrap(), max_len: 24, asn };
        let entry = route::RoaEntry { roa, origin: route::RoaOrigin::Dynamic };
        let table = Arc::new(route::RoaTable::new(vec![entry]));
        sender.send_replace(Arc::new(route::RoaTables::new(vec![("r".into(), table)])));
        assert_eq!(take(&mut intake, &octets).0, [expected], "{roa}");
    }
}

/// An UPDATE whose path has these segments.
fn with_segments(segments: &[(u8, &[u32])]) -> Vec<u8> {
    let mut path = vec![];
    for (kind, asns) in segments {
        path.extend([*kind, asns.len() as u8]);
        path.extend(asns.iter().flat_map(|a| a.to_be_bytes()));
    }
    let attrs = [&[0x40, 1, 1, 0, 0x40, 2, path.len() as u8][..], &path, &[0x40, 3, 4], &PEER].concat();
    [&[0, 0][..], &(attrs.len() as u16).to_be_bytes(), &attrs, NET].concat()
}

/// What a path comes to, and what is said of it.
fn judge_path(change: impl Fn(&mut PeerSpec), segments: &[(u8, &[u32])]) -> (What, Vec<Line>) {
    let mut intake = intake(change);
    let (what, _) = take(&mut intake, &with_segments(segments));
    (what[0], intake.lines())
}

fn path_refused(why: &str) -> (What, Vec<Line>) {
    let lines = [format!("Malformed AS_PATH attribute - {why}"), "Invalid route 192.0.2.0/24 withdrawn".into()];
    (What::Withdraw, lines.map(Line::Remote).into())
}

const TAKEN: (What, Vec<Line>) = (What::Announce(0), vec![]);

/// The lines are those of 2.0.12.
#[test]
fn sets_in_paths_are_refused_where_the_operator_says_so() {
    let set: &[(u8, &[u32])] = &[(2, &[65002]), (1, &[1, 2])];
    assert_eq!(judge_path(|_| {}, set), TAKEN);
    assert_eq!(judge_path(|s| s.rules.allow_as_sets = false, set), path_refused("AS_SET segment (1) at 6"));
    assert_eq!(judge_path(|s| s.rules.allow_as_sets = false, &[(2, &[65002, 7])]), TAKEN);
    let confederated = |s: &mut PeerSpec| {
        (s.rules.allow_as_sets, s.confederation) = (false, Some(Confederation { id: 65000, has_peer: true }));
    };
    let set: &[(u8, &[u32])] = &[(3, &[65002]), (4, &[64903, 64904]), (2, &[7])];
    assert_eq!(judge_path(confederated, set), path_refused("AS_CONFED_SET segment (4) at 6"));
}

#[test]
fn a_path_begins_with_the_neighbour_where_the_operator_says_so() {
    let refused = path_refused("First AS differs from neigbor AS");
    let enforced = |s: &mut PeerSpec| s.rules.enforce_first_as = true;
    assert_eq!(judge_path(|_| {}, &[(2, &[7, 65002])]), TAKEN);
    assert_eq!(judge_path(enforced, &[(2, &[65002, 7])]), TAKEN);
    assert_eq!(judge_path(enforced, &[(2, &[7, 65002])]), refused);
    assert_eq!(judge_path(enforced, &[(1, &[65002]), (2, &[65002])]), refused);
    assert_eq!(judge_path(enforced, &[]), refused);
}

#[test]
fn a_member_of_our_confederation_stands_in_front_of_its_paths_and_our_as_nowhere_in_them() {
    let member = |s: &mut PeerSpec| s.confederation = Some(Confederation { id: 65000, has_peer: true });
    assert_eq!(judge_path(member, &[(3, &[65002, 64903]), (2, &[7])]), TAKEN);
    let missing = path_refused("missing initial AS_CONFED_SEQUENCE");
    assert_eq!(judge_path(member, &[(2, &[65002, 7])]), missing);
    assert_eq!(judge_path(member, &[]), missing);
    assert_eq!(judge_path(member, &[(3, &[65002, 65001])]), (What::Withdraw, vec![]), "a loop");
    // Inside our own AS paths may begin with either.
    let internal = |s: &mut PeerSpec| {
        (s.peer_as, s.confederation) = (65001, Some(Confederation { id: 65000, has_peer: false }));
    };
    assert_eq!(judge_path(internal, &[(3, &[64902]), (2, &[7])]), TAKEN);
    assert_eq!(judge_path(internal, &[(2, &[7])]), TAKEN);
    // Outside the confederation is known by its number: what has been in it is a loop, and its segments are malformed.
    let outside = |s: &mut PeerSpec| s.confederation = Some(Confederation { id: 65000, has_peer: false });
    assert_eq!(judge_path(outside, &[(2, &[65002, 65000])]), (What::Withdraw, vec![]));
    let (what, lines) = judge_path(outside, &[(3, &[65002]), (2, &[7])]);
    assert_eq!((what, lines.len()), (What::Withdraw, 1));
}

/// RFC 9234 5, in the words of BIRD 2.0.12.
#[test]
fn a_route_leak_is_withdrawn_and_said_and_what_comes_down_is_marked() {
    let otc = |asn: u32| [&[0xc0, 35, 4][..], &asn.to_be_bytes()].concat();
    let outcome = |role: Option<Role>, attrs: &[u8]| {
        let mut intake = intake(|s| s.terms.role = role);
        let (what, sets) = take(&mut intake, &update(&[65002], PEER, attrs, NET));
        let mark = sets.first().map(|set| (set.get_u32(code::ONLY_TO_CUSTOMER), set.get_u32(code::LOCAL_PREF)));
        (what, mark, intake.lines())
    };
    let taken = |mark| (vec![What::Announce(0)], Some((mark, Some(120))), vec![]);
    let leak = |why: &str| {
        let lines =
            [format!("Route leak detected - OTC attribute {why}"), "Invalid route 192.0.2.0/24 withdrawn".into()];
        (vec![What::Withdraw], None, Vec::from(lines.map(Line::Remote)))
    };
    for role in [Role::Provider, Role::RsServer] {
        assert_eq!(outcome(Some(role), &otc(65002)), leak("from downstream"), "{role:?}");
        assert_eq!(outcome(Some(role), &[]), taken(None), "{role:?}");
    }
    for role in [Role::Customer, Role::RsClient] {
        assert_eq!(outcome(Some(role), &otc(65077)), taken(Some(65077)), "{role:?}");
        assert_eq!(outcome(Some(role), &[]), taken(Some(65002)), "{role:?}");
    }
    assert_eq!(outcome(Some(Role::Peer), &otc(65077)), leak("with mismatched ASN (65077)"));
    assert_eq!(outcome(Some(Role::Peer), &otc(65002)), taken(Some(65002)));
    assert_eq!(outcome(Some(Role::Peer), &[]), taken(Some(65002)));
    assert_eq!(outcome(None, &otc(65077)), taken(Some(65077)));
}

/// RFC 7311 3.2, 3.3, and the line of 2.0.12.
#[test]
fn an_accumulated_metric_is_taken_where_the_channel_has_it_and_left_out_elsewhere() {
    const SEVEN: &[u8] = &[0x80, 26, 11, 1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 7];
    let came = |aigp, octets: &[u8]| {
        let mut intake = intake(|s| s.channels[0].aigp = aigp);
        let (what, sets) = take(&mut intake, &update(&[65002], PEER, octets, NET));
        assert_eq!(what, [What::Announce(0)], "the route stays");
        assert_eq!(sets[0].get_u32(code::LOCAL_PREF), Some(120));
        (sets[0].get(code::AIGP).and_then(route::aigp::metric), intake.lines().len())
    };
    assert_eq!(came(Aigp::On, SEVEN), (Some(7), 0));
    assert_eq!(came(Aigp::Originate, SEVEN), (Some(7), 0));
    assert_eq!(came(Aigp::Off, SEVEN), (None, 1));
    assert_eq!(came(Aigp::Unknown, SEVEN), (None, 0), "in 1.6 an attribute that nobody knows");
    let wrong_flags = [&[0xc0], &SEVEN[1..]].concat();
    assert_eq!(came(Aigp::On, &wrong_flags), (None, 1));
    assert_eq!(came(Aigp::On, &[0x80, 26, 4, 1, 0, 4, 7]), (None, 1), "a metric of one octet");
    let mut intake = intake(|s| s.channels[0].aigp = Aigp::Off);
    take(&mut intake, &update(&[65002], PEER, SEVEN, NET));
    assert_eq!(intake.lines(), [Line::Remote("Discarding AIGP attribute received on non-AIGP session".into())]);
}
