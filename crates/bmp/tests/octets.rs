//! Messages octet by octet; the integration tests have tshark read them.

#![allow(clippy::unwrap_used, reason = "tests")]

use rbird_bmp::{Counters, Down, Gauges, Peer, Reason, Routes, View};
use rbird_bmp::{put_initiation, put_peer_down, put_statistics, put_termination, put_update, put_updates};
use route::attr::{code, origin};
use route::attrs::{AttrSet, AttrSetBuilder, Local};
use route::{Dest, Family, Prefix, SourceKind};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    out.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn peer(addr: &str, as4: bool) -> Peer {
    Peer { addr: addr.parse().unwrap(), asn: 65002, router_id: 0x0a09_0002, as4 }
}

/// The per-peer header, without times.
fn header(flags: &str, addr: &str) -> String {
    format!("00{flags}0000000000000000{addr}0000fdea0a090002")
}

const FOUR: &str = "0000000000000000000000000a090002";
const NO_TIME: &str = "0000000000000000";

#[test]
fn a_connection_begins_with_who_we_are_and_ends_with_why() {
    assert_eq!(written(|out| put_initiation(out, "ab", "c")), "0300000011040001000261620002000163");
    assert_eq!(written(|out| put_termination(out, Reason::Administrative)), "030000000c05000100020000");
    assert_eq!(written(|out| put_termination(out, Reason::OutOfResources)), "030000000c05000100020002");
    // A text is cut between letters, to what an object of MIB-II holds.
    let long = "\u{e9}".repeat(200);
    assert_eq!(written(|out| put_initiation(out, &long, "")).len() / 2, 6 + 4 + 254 + 4);
}

#[test]
fn a_session_ends_for_one_of_four_reasons() {
    let end = |down| written(|out| put_peer_down(out, &peer("10.9.0.2", true), down)).split_off(2 * 6);
    let head = header("00", FOUR) + NO_TIME;
    assert_eq!(end(Down::Notified(&[0xaa, 0xbb])), format!("{head}01aabb"));
    assert_eq!(end(Down::Silently(2)), format!("{head}020002"));
    assert_eq!(end(Down::WasNotified(&[0xaa])), format!("{head}03aa"));
    assert_eq!(end(Down::Lost), format!("{head}04"));
    assert_eq!(end(Down::Deconfigured), format!("{head}05"));
}

#[test]
fn a_header_says_family_policy_size_of_as_numbers_and_time() {
    let update = |peer: Peer, view| written(|out| put_update(out, &peer, view, 1_000_002, &[0xff])).split_off(2 * 6);
    let time = "0000000100000002";
    let six = "20010db8000000000000000000000001";
    assert_eq!(update(peer("10.9.0.2", true), View::InPrePolicy), header("00", FOUR) + time + "ff");
    assert_eq!(update(peer("10.9.0.2", false), View::InPrePolicy), header("20", FOUR) + time + "ff");
    assert_eq!(update(peer("10.9.0.2", false), View::InPostPolicy), header("40", FOUR) + time + "ff");
    assert_eq!(update(peer("2001:db8::1", true), View::InPostPolicy), header("c0", six) + time + "ff");
    assert_eq!(update(peer("10.9.0.2", true), View::OutPrePolicy), header("10", FOUR) + time + "ff");
    assert_eq!(update(peer("10.9.0.2", false), View::OutPostPolicy), header("70", FOUR) + time + "ff");
}

#[test]
fn of_messages_that_stand_together_the_updates_are_told_one_by_one() {
    let message = |kind: u8, body: &[u8]| {
        let mut all = vec![0xff; 16];
        all.extend([0, 19 + body.len() as u8, kind]);
        all.extend(body);
        all
    };
    let (keepalive, refresh) = (message(4, &[]), message(5, &[0, 1, 1, 1]));
    let (one, two) = (message(2, &[0, 0, 0, 0]), message(2, &[0, 2, 8, 10, 0, 0]));
    let mut out = Vec::new();
    let all = [refresh, one, keepalive, two].concat();
    put_updates(&mut out, &peer("10.9.0.2", true), View::OutPostPolicy, 0, &all);
    assert_eq!(updates(&out), ["0200000000", "020002080a0000"]);
    // What is cut off, or of no length, is not told.
    let mut none = Vec::new();
    for octets in [&all[..22], &[0; 40], &[0xff; 17]] {
        put_updates(&mut none, &peer("10.9.0.2", true), View::OutPostPolicy, 0, octets);
    }
    assert!(none.is_empty());
}

#[test]
fn a_report_counts_of_all_families_and_of_each() {
    let gauges = |family, n| Gauges { family, adj_in: n, best: n + 1, adj_out: n + 2 };
    let rows = [gauges(Family::Ipv4, 1), gauges(Family::Ipv6, 0x10)];
    let counters = Counters { rejected: (1 << 32) + 5, known: 6 };
    let report = written(|out| put_statistics(out, &peer("10.9.0.2", true), 1_000_002, counters, &rows));
    let (head, body) = report.split_at(2 * (6 + 42));
    assert_eq!(head, format!("030000{:04x}01{}0000000100000002", report.len() / 2, header("00", FOUR)));
    let mut stats = vec!["0000000b".to_owned(), "0000000400000005".into(), "0001000400000006".into()];
    for (of_all, of_one, n) in [(7, 9, 1), (8, 10, 2), (15, 17, 3)] {
        stats.push(format!("{of_all:04x}0008{:016x}", n + n + 0xf));
        stats.push(format!("{of_one:04x}000b000101{n:016x}"));
        stats.push(format!("{of_one:04x}000b000201{:016x}", n + 0xf));
    }
    assert_eq!(body, stats.concat());
}

fn set(med: u32) -> AttrSet {
    let mut attrs = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Unreachable));
    attrs.set(code::ORIGIN, &[origin::IGP]);
    attrs.set(code::AS_PATH, &[]);
    attrs.set(code::NEXT_HOP, &[10, 9, 0, 2]);
    attrs.set_u32(code::MED, med);
    attrs.build()
}

fn net(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// The UPDATEs in messages, each without its marker and length.
fn updates(octets: &[u8]) -> Vec<String> {
    let (mut rest, mut all) = (octets, Vec::new());
    while let Some(length) = rest.get(1..5) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        all.push(rest[6 + 42 + 18..length].iter().map(|octet| format!("{octet:02x}")).collect());
        rest = &rest[length..];
    }
    all
}

#[test]
fn routes_with_one_attribute_list_share_a_message_and_the_order_stays() {
    let mut routes = Routes::new(peer("10.9.0.2", true), Family::Ipv4, false);
    let mut out = Vec::new();
    let (one, two) = (set(1), set(2));
    for (prefix, attrs) in
        [("10.0.0.0/8", Some(&one)), ("11.0.0.0/8", Some(&one)), ("12.0.0.0/8", Some(&two)), ("10.0.0.0/8", None)]
    {
        routes.put(net(prefix), 0, attrs, 0, &mut out).unwrap();
    }
    routes.end_of_rib(0, &mut out).unwrap();
    let attrs = |med: u8| format!("400101004002004003040a090002800404000000{med:02x}");
    let announced = |med: u8, nlri: &str| format!("0200000015{}{nlri}", attrs(med));
    assert_eq!(
        updates(&out),
        [announced(1, "080a080b"), announced(2, "080c"), "020002080a0000".to_owned(), "0200000000".to_owned()]
    );
}

#[test]
fn a_prefix_carries_its_path_identifier_where_the_session_has_them() {
    let mut routes = Routes::new(peer("10.9.0.2", true), Family::Ipv4, true);
    let mut out = Vec::new();
    routes.put(net("10.0.0.0/8"), 7, None, 0, &mut out).unwrap();
    routes.finish(0, &mut out).unwrap();
    assert_eq!(updates(&out), ["02000600000007080a0000"]);
}

#[test]
fn a_route_that_no_message_can_carry_is_named() {
    let mut routes = Routes::new(peer("10.9.0.2", true), Family::Ipv4, false);
    let mut out = Vec::new();
    let bare = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Unreachable)).build();
    routes.put(net("10.0.0.0/8"), 0, Some(&bare), 0, &mut out).unwrap();
    assert_eq!(routes.finish(0, &mut out), Err(net("10.0.0.0/8")));
    assert!(out.is_empty());
}
