//! UPDATE messages, received: what stands where, and what RFC 7606 makes of errors.
//!
//! Bodies named after a test are those of reference/fsm/1.6.8/rx-update-TEST.txt.

mod octets;

use octets::hex;
use rbird_wire::update::{Remark, Wrong};
use rbird_wire::{Decoded, Nlri, Notification, PerFamily, Update, UpdateContext};
use route::Family;
use route::attr::Treat;

const EXTERNAL: UpdateContext = UpdateContext {
    as4: true,
    add_path_rx: PerFamily { ipv4: false, ipv6: false },
    families: PerFamily { ipv4: true, ipv6: true },
    extended_next_hop: PerFamily { ipv4: false, ipv6: false },
    internal: false,
    confederation: false,
    local_pref_allowed: false,
    recent_attributes: true,
};
const INTERNAL: UpdateContext = UpdateContext { internal: true, ..EXTERNAL };
const OLD: UpdateContext = UpdateContext { as4: false, ..EXTERNAL };

/// ORIGIN, AS_PATH 65002, NEXT_HOP 10.1.1.2 as they stand in messages.
const ORIGIN: &str = "40010100";
const AS_PATH: &str = "40020602010000fdea";
const NEXT_HOP: &str = "4003040a010102";
/// The same in canonical octets.
const CANONICAL: &str = "4001000100 4002000602010000fdea 400300040a010102";
/// 192.0.2.0/24.
const NET: &str = "18c00002";

/// An UPDATE body of attributes and NLRI.
fn body(attributes: &str, nlri: &str) -> Vec<u8> {
    let attributes = hex(attributes);
    let mut body = vec![0, 0];
    body.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    body.extend(hex(nlri));
    body
}

/// What became of the only announcement of a message.
#[derive(Debug, PartialEq)]
enum Became {
    Route(Vec<u8>),
    Withdrawal,
    Reset(u8, u8, Vec<u8>),
}
use Became::{Reset, Route, Withdrawal};

fn route(octets: &str) -> Became {
    Route(hex(octets))
}

fn became(body: &[u8], context: &UpdateContext) -> (Became, Vec<Remark>) {
    let mut decoded = Decoded::new();
    let result = Update::split(body, context).and_then(|update| {
        let announced: Vec<_> = update.announced().collect();
        let [announced] = announced.as_slice() else { panic!("{announced:?}") };
        announced.attributes(context, &mut decoded)
    });
    let became = match result {
        Err(Notification { code, subcode, data }) => Reset(code, subcode, data),
        Ok(()) if decoded.is_withdrawal() => Withdrawal,
        Ok(()) => Route(decoded.octets().to_vec()),
    };
    (became, decoded.remarks().to_vec())
}

/// `check(attributes, what becomes of 192.0.2.0/24, log lines)`.
fn check(context: &UpdateContext, attributes: &str, wanted: Became, lines: &[&str]) {
    let (became, remarks) = became(&body(attributes, NET), context);
    assert_eq!(became, wanted, "{attributes}");
    assert_eq!(remarks.iter().map(Remark::to_string).collect::<Vec<_>>(), lines, "{attributes}");
}

/// The three mandatory attributes and others behind them.
fn and(others: &str) -> String {
    format!("{ORIGIN} {AS_PATH} {NEXT_HOP} {others}")
}

fn canonical_and(others: &str) -> Became {
    route(&format!("{CANONICAL} {others}"))
}

fn nets(nlris: impl IntoIterator<Item = Nlri>) -> Vec<String> {
    nlris.into_iter().map(|n| n.net.to_string()).collect()
}

#[test]
fn announced_and_withdrawn_nets_are_told_apart() {
    // tx-updates: "<- UPDATE 000818c6336418cb00710000", and its first
    let octets = hex("000818c6336418cb00710000");
    let update = Update::split(&octets, &EXTERNAL).unwrap();
    let withdrawn: Vec<_> = update.withdrawn().flat_map(|n| nets(n.iter())).collect();
    assert_eq!(withdrawn, ["198.51.100.0/24", "203.0.113.0/24"]);
    assert_eq!(update.announced().count(), 0);
    assert_eq!(update.end_of_rib(), None);

    let octets = hex("000000144001010040020602010000fde94003040a010101180a010118cb0071");
    let update = Update::split(&octets, &EXTERNAL).unwrap();
    let announced: Vec<_> = update.announced().flat_map(|a| nets(a.nlris.iter())).collect();
    assert_eq!(announced, ["10.1.1.0/24", "203.0.113.0/24"]);
    assert_eq!(update.withdrawn().count(), 0);
}

#[test]
fn host_bits_of_a_net_are_masked() {
    // nlri-host-bits: shown as 10.1.16.0/20
    let octets = body(&and(""), "140a011f");
    let update = Update::split(&octets, &EXTERNAL).unwrap();
    let announced: Vec<_> = update.announced().flat_map(|a| nets(a.nlris.iter())).collect();
    assert_eq!(announced, ["10.1.16.0/20"]);
}

#[test]
fn path_identifiers_are_read_where_they_were_negotiated() {
    let context = UpdateContext { add_path_rx: PerFamily { ipv4: true, ipv6: false }, ..EXTERNAL };
    let octets = body(&and(""), "00000007 18c00002 ffffffff 00");
    let update = Update::split(&octets, &context).unwrap();
    let found: Vec<_> = update.announced().flat_map(|a| a.nlris.iter()).collect();
    let wanted = [("192.0.2.0/24", 7), ("0.0.0.0/0", u32::MAX)];
    assert_eq!(found, wanted.map(|(net, path_id)| Nlri { net: net.parse().unwrap(), path_id }));
}

#[test]
fn end_of_rib_is_known_by_family() {
    let ends = [
        ("00000000", Some(Family::Ipv4)),
        ("00000006800f03000101", Some(Family::Ipv4)), // mp-unreach-eor
        ("00000006800f03000201", Some(Family::Ipv6)),
        ("00000007900f0003000201", Some(Family::Ipv6)),
        ("00000006800f03000202", None), // multicast
        ("000118c000020000", None),
    ];
    for (octets, family) in ends {
        let octets = hex(octets);
        let ends = Update::split(&octets, &EXTERNAL).map(|u| u.end_of_rib()).unwrap_or(None);
        assert_eq!(ends, family, "{octets:02x?}");
    }
    let only6 = UpdateContext { families: PerFamily { ipv4: false, ipv6: true }, ..EXTERNAL };
    assert_eq!(Update::split(&[0; 4], &only6).unwrap().end_of_rib(), None);
}

#[test]
fn clean_attributes_become_canonical() {
    check(&EXTERNAL, &and(""), route(CANONICAL), &[]);
    // ext-length-flag; out of order
    check(&EXTERNAL, &format!("{NEXT_HOP} {AS_PATH} 5001000100"), route(CANONICAL), &[]);
    // aspath-empty
    let empty = "4001000100 40020000 400300040a010102";
    check(&EXTERNAL, &format!("{ORIGIN} 400200 {NEXT_HOP}"), route(empty), &[]);
    // med, atomic, aggregator, communities, ext-communities, large-communities
    check(&EXTERNAL, &and("80040400000064"), canonical_and("8004000400000064"), &[]);
    check(&EXTERNAL, &and("400600"), canonical_and("40060000"), &[]);
    check(&EXTERNAL, &and("c007080000fdea0a010102"), canonical_and("c00700080000fdea0a010102"), &[]);
    check(&EXTERNAL, &and("c0080400010002"), canonical_and("c008000400010002"), &[]);
    check(&EXTERNAL, &and("e010080002fdea00000001"), canonical_and("e01000080002fdea00000001"), &[]);
    let large = "0000fdea0000000100000002";
    check(&EXTERNAL, &and(&format!("c0200c{large}")), canonical_and(&format!("c020000c{large}")), &[]);
}

#[test]
fn unknown_attributes_are_carried_on_when_transitive_and_marked_partial() {
    // unknown-opt-trans, unknown-opt-nontrans, unknown-wellknown
    check(&EXTERNAL, &and("c06303616263"), canonical_and("e0630003616263"), &[]);
    check(&EXTERNAL, &and("806303616263"), canonical_and(""), &[]);
    let reset = Reset(3, 2, hex("406303616263"));
    check(&EXTERNAL, &and("406303616263"), reset, &[]);
}

#[test]
fn unused_flag_bits_and_a_partial_bit_out_of_place_vanish() {
    // RFC 4271 4.3: the lower four bits "MUST be ignored when received"
    check(&EXTERNAL, &format!("6f010100 {AS_PATH} {NEXT_HOP}"), route(CANONICAL), &[]);
    check(&EXTERNAL, &and("a0040400000064"), canonical_and("8004000400000064"), &[]);
}

/// RFC 7606, clause by clause: attributes, what becomes of the route, the line in the log.
#[test]
fn errors_are_treated_by_rfc_7606() {
    let withdrawn = |what: &str| format!("Attribute {what}, withdrawing update");
    let broken = |name: &str| withdrawn(&format!("{name} is malformed"));
    let cases: &[(&str, String, Became, String)] = &[
        (
            "3 c) origin-flags",
            format!("c0010100 {AS_PATH} {NEXT_HOP}"),
            Withdrawal,
            withdrawn("origin has invalid flags"),
        ),
        ("3 c) MED transitive", and("c0040400000064"), Withdrawal, withdrawn("med has invalid flags")),
        ("3 d) missing-origin", format!("{AS_PATH} {NEXT_HOP}"), Withdrawal, withdrawn("origin is missing")),
        ("3 d) missing-aspath", format!("{ORIGIN} {NEXT_HOP}"), Withdrawal, withdrawn("as_path is missing")),
        ("3 d) missing-nexthop", format!("{ORIGIN} {AS_PATH}"), Withdrawal, withdrawn("next_hop is missing")),
        ("3 g) origin-twice", and("40010101"), route(CANONICAL), "Attribute origin is repeated, ignoring it".into()),
        ("4 attr-overrun", and("c0633201"), Withdrawal, "Attribute list is malformed, withdrawing update".into()),
        ("4 one octet too many", and("40"), Withdrawal, "Attribute list is malformed, withdrawing update".into()),
        ("7.1 origin-3", format!("40010103 {AS_PATH} {NEXT_HOP}"), Withdrawal, broken("origin")),
        ("7.1 origin-len-2", format!("4001020000 {AS_PATH} {NEXT_HOP}"), Withdrawal, broken("origin")),
        ("7.2 aspath-2byte", format!("{ORIGIN} 4002040201fdea {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("7.2 aspath-bad-segtype", format!("{ORIGIN} 40020609010000fdea {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("7.2 aspath-overrun", format!("{ORIGIN} 40020602050000fdea {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("7.2 an empty segment", format!("{ORIGIN} 4002020200 {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("7.2 half a segment", format!("{ORIGIN} 40020702010000fdea02 {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("RFC 5065 5 aspath-confed", format!("{ORIGIN} 40020603010000fdea {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("RFC 7607 2 aspath-as0", format!("{ORIGIN} 4002060201 00000000 {NEXT_HOP}"), Withdrawal, broken("as_path")),
        ("7.3 nexthop-len-5", format!("{ORIGIN} {AS_PATH} 4003050a01010200"), Withdrawal, broken("next_hop")),
        (
            "7.3 an IPv6 address",
            format!("{ORIGIN} {AS_PATH} 400310 20010db8000000000000000000000001"),
            Withdrawal,
            broken("next_hop"),
        ),
        ("RFC 4271 6.3 nexthop-zero", format!("{ORIGIN} {AS_PATH} 40030400000000"), Withdrawal, broken("next_hop")),
        ("RFC 4271 6.3 nexthop-loopback", format!("{ORIGIN} {AS_PATH} 4003047f000001"), Withdrawal, broken("next_hop")),
        (
            "RFC 4271 6.3 nexthop-multicast",
            format!("{ORIGIN} {AS_PATH} 400304e0000005"),
            Withdrawal,
            broken("next_hop"),
        ),
        ("RFC 4271 6.3 240/4", format!("{ORIGIN} {AS_PATH} 400304f0000001"), Withdrawal, broken("next_hop")),
        ("7.4 med-len", and("8004020064"), Withdrawal, broken("med")),
        ("7.6 a value", and("40060100"), route(CANONICAL), "Attribute atomic_aggr is malformed, ignoring it".into()),
        (
            "7.7 aggregator-short",
            and("c00706fdea0a010102"),
            route(CANONICAL),
            "Attribute aggregator is malformed, ignoring it".into(),
        ),
        (
            "RFC 7607 2 aggregator",
            and("c00708000000000a010102"),
            route(CANONICAL),
            "Attribute aggregator is malformed, ignoring it".into(),
        ),
        ("7.8 communities-len", and("c00803000100"), Withdrawal, broken("community")),
        ("7.8 no community", and("c00800"), Withdrawal, broken("community")),
        ("7.14 length", and("c01004 0002fdea"), Withdrawal, broken("ext_community")),
        ("RFC 8092 6", and("c02008 0000fdea00000001"), Withdrawal, broken("large_community")),
        (
            "RFC 6793 6 as4-path",
            and("c0110602010001000 0"),
            route(CANONICAL),
            "Unexpected AS4_* attributes received".into(),
        ),
    ];
    for (clause, attributes, wanted, line) in cases {
        let (became, remarks) = became(&body(attributes, NET), &EXTERNAL);
        assert_eq!(became, *wanted, "{clause}");
        let lines: Vec<_> = remarks.iter().map(Remark::to_string).collect();
        assert_eq!(lines, [line.as_str()], "{clause}");
    }
}

#[test]
fn a_message_without_attributes_withdraws() {
    // no-attrs; RFC 7606 3 d)
    check(
        &EXTERNAL,
        "",
        Withdrawal,
        &[
            "Attribute origin is missing, withdrawing update",
            "Attribute as_path is missing, withdrawing update",
            "Attribute next_hop is missing, withdrawing update",
        ],
    );
}

#[test]
fn what_only_our_own_as_may_say_is_ignored_from_outside_whatever_it_holds() {
    // RFC 7606 7.5, 7.9, 7.10; localpref-ebgp, originator-ebgp, cluster-list-ebgp
    for attribute in ["40050400000064", "4005020064", "8009040a000001", "800900", "800a040a000001", "800a03000000"] {
        check(&EXTERNAL, &and(attribute), route(CANONICAL), &[]);
    }
    check(&INTERNAL, &and("40050400000064"), canonical_and("4005000400000064"), &[]);
    check(&INTERNAL, &and("8009040a000001"), canonical_and("800900040a000001"), &[]);
    check(&INTERNAL, &and("800a040a000001"), canonical_and("800a00040a000001"), &[]);
    for (attribute, name) in
        [("4005020064", "local_pref"), ("800900", "originator_id"), ("800a03000000", "cluster_list")]
    {
        let line = format!("Attribute {name} is malformed, withdrawing update");
        check(&INTERNAL, &and(attribute), Withdrawal, &[&line]);
    }
    let allowed = UpdateContext { local_pref_allowed: true, ..EXTERNAL };
    check(&allowed, &and("40050400000064"), canonical_and("4005000400000064"), &[]);
}

#[test]
fn confederation_segments_are_read_inside_the_confederation() {
    let context = UpdateContext { confederation: true, ..EXTERNAL };
    let path = "03010000fdea02010000fdeb";
    let wanted = route(&format!("4001000100 4002000c{path} 400300040a010102"));
    check(&context, &format!("{ORIGIN} 40020c{path} {NEXT_HOP}"), wanted, &[]);
}

#[test]
fn broken_lengths_and_nets_end_the_session() {
    let cases = [
        ("short", "00", (1, 2, "0014")),
        ("withdrawn-overrun", "00500000", (3, 1, "")),
        ("attrs-len-overrun", "000001004001010040020602010000fdea4003040a010102", (3, 1, "")),
        ("nlri-truncated", "000000144001010040020602010000fdea4003040a010102180a00", (3, 1, "")),
        ("nlri-len-33", "000000144001010040020602010000fdea4003040a0101022 1c000020180", (3, 10, "")),
        ("a withdrawn net of 33 bits", "000621c0000201800000", (3, 10, "")),
    ];
    for (name, octets, (code, subcode, data)) in cases {
        let wanted = Notification::with_data(code, subcode, hex(data));
        assert_eq!(Update::split(&hex(octets), &EXTERNAL).unwrap_err(), wanted, "{name}");
    }
}

/// ORIGIN, AS_PATH, then MP_REACH_NLRI with a next hop of so many octets and 2001:db8::/32.
fn reach6(hop: &str) -> Vec<u8> {
    let hop = hex(hop);
    let mut value = hex("000201");
    value.push(hop.len() as u8);
    value.extend(&hop);
    value.extend(hex("00 20 20010db8"));
    let mut attributes = hex(&format!("800e{:02x}", value.len()));
    attributes.extend(value);
    attributes.extend(hex(&format!("{ORIGIN} {AS_PATH}")));
    let mut body = vec![0, 0];
    body.extend_from_slice(&(attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    body
}

const GLOBAL: &str = "20010db8000000000000000000000001";
const LINK_LOCAL: &str = "fe800000000000000000000000000001";

#[test]
fn the_next_hop_of_mp_reach_becomes_next_hop() {
    let hop = |octets: &str| {
        let octets = hex(octets);
        let mut all = hex("4001000100 4002000602010000fdea 4003");
        all.extend_from_slice(&(octets.len() as u16).to_be_bytes());
        all.extend(octets);
        Route(all)
    };
    let both = format!("{GLOBAL}{LINK_LOCAL}");
    assert_eq!(became(&reach6(GLOBAL), &EXTERNAL).0, hop(GLOBAL));
    assert_eq!(became(&reach6(&both), &EXTERNAL).0, hop(&both));
    assert_eq!(became(&reach6(LINK_LOCAL), &EXTERNAL).0, hop(LINK_LOCAL));
    // A second address that is not link-local says nothing; `::` before one that is does.
    assert_eq!(became(&reach6(&format!("{GLOBAL}{GLOBAL}")), &EXTERNAL).0, hop(GLOBAL));
    let unnumbered = format!("{}{LINK_LOCAL}", "00".repeat(16));
    assert_eq!(became(&reach6(&unnumbered), &EXTERNAL).0, hop(&unnumbered));
    for bad in ["00".repeat(16), format!("{}01", "00".repeat(15)), format!("ff02{}", "00".repeat(14))] {
        assert_eq!(became(&reach6(&bad), &EXTERNAL).0, Withdrawal);
    }
}

#[test]
fn a_next_hop_of_another_length_leaves_the_nets_unknown() {
    // RFC 7606 7.11
    let octets = reach6("0a010102");
    let error = Update::split(&octets, &EXTERNAL).unwrap_err();
    assert_eq!((error.code, error.subcode), (3, 9));
    assert_eq!(error.data, octets[4..4 + 3 + 14]);
}

#[test]
fn attributes_with_nets_must_not_be_there_twice() {
    // RFC 7606 3 g)
    let unreach = "800f03000201";
    let error = Update::split(&body(&format!("{unreach}{unreach}"), ""), &EXTERNAL).unwrap_err();
    assert_eq!(error, Notification::new(3, 1));
}

#[test]
fn wrong_flags_of_mp_reach_withdraw_its_nets() {
    let mut octets = reach6(GLOBAL);
    octets[4] = 0xc0;
    let (became, remarks) = became(&octets, &EXTERNAL);
    assert_eq!(became, Withdrawal);
    assert_eq!(remarks, [Remark { code: 14, wrong: Wrong::Flags, treat: Treat::Withdraw }]);
}

#[test]
fn ipv4_in_mp_reach_is_ipv4() {
    // mp-reach-ipv4
    let octets = hex("0000001d4001010040020602010000fdea800e0d000101040a0101020018c00002");
    assert_eq!(became(&octets, &EXTERNAL).0, route(CANONICAL));
}

#[test]
fn both_places_of_one_message_have_their_own_next_hop() {
    let reach = format!("800e1a 000201 10 {GLOBAL} 00 20 20010db8");
    let octets = body(&format!("{} {reach}", and("")), NET);
    let update = Update::split(&octets, &EXTERNAL).unwrap();
    let mut decoded = Decoded::new();
    let mut keys = Vec::new();
    let found: Vec<_> = update
        .announced()
        .map(|announced| {
            announced.attributes(&EXTERNAL, &mut decoded).unwrap();
            keys.push(announced.key(&mut Vec::new()).to_vec());
            (announced.nlris.family(), decoded.octets().to_vec())
        })
        .collect();
    let hop6 = hex(&format!("4001000100 4002000602010000fdea 40030010 {GLOBAL}"));
    assert_eq!(found, [(Family::Ipv4, hex(CANONICAL)), (Family::Ipv6, hop6)]);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn families_that_were_not_negotiated_are_passed_over() {
    let only4 = UpdateContext { families: PerFamily { ipv4: true, ipv6: false }, ..EXTERNAL };
    let octets = reach6(GLOBAL);
    let update = Update::split(&octets, &only4).unwrap();
    assert_eq!(update.announced().count(), 0);
    let vpn = body("800f07 000180 18c00002", "");
    let update = Update::split(&vpn, &EXTERNAL).unwrap();
    assert_eq!((update.withdrawn().count(), update.end_of_rib()), (0, None));
}

#[test]
fn attribute_errors_without_any_net_end_the_session() {
    // RFC 7606 5.2
    let error = Update::split(&body("c0010100", ""), &EXTERNAL).unwrap_err();
    assert_eq!(error, Notification::new(3, 1));
    // good-no-nlri-eor, and what only leads to "attribute discard"
    assert!(Update::split(&body(&and(""), ""), &EXTERNAL).is_ok());
    assert!(Update::split(&body(&and("c00706fdea0a010102"), ""), &EXTERNAL).is_ok());
}

#[test]
fn two_octet_paths_are_widened_and_merged() {
    let old = |attributes: &str| became(&body(attributes, NET), &OLD);
    let path = |octets: &str| {
        let octets = hex(octets);
        let mut all = hex("4001000100 4002");
        all.extend_from_slice(&(octets.len() as u16).to_be_bytes());
        all.extend(octets);
        all.extend(hex("400300040a010102"));
        Route(all)
    };
    let attributes = |as_path: &str, as4_path: &str| format!("{ORIGIN} {as_path} {NEXT_HOP} {as4_path}");
    let trans = "400208 0203 0001 5ba0 5ba0";
    let cases = [
        ("no AS4_PATH", attributes("400204 0201fdea", ""), "0201 0000fdea"),
        // RFC 6793 4.2.3: the last hops come from AS4_PATH
        ("merged", attributes(trans, "c0110a 0202 00010000 00010001"), "0203 00000001 00010000 00010001"),
        ("all of it", attributes("400206 0202 5ba0 5ba0", "c0110a 0202 00010000 00010001"), "0202 00010000 00010001"),
        ("AS4_PATH longer", attributes("400204 0201 5ba0", "c0110a 0202 00010000 00010001"), "0201 00005ba0"),
        (
            "a set at the end",
            attributes("40020a 0202 0001 5ba0 0101 0007", "c0110c 0201 00010000 0101 00000007"),
            "0202 00000001 00010000 0101 00000007",
        ),
        (
            "confederation segments in AS4_PATH are left out",
            attributes(trans, "c01110 0301 0000fde8 0202 00010000 00010001"),
            "0203 00000001 00010000 00010001",
        ),
    ];
    for (name, attributes, wanted) in cases {
        assert_eq!(old(&attributes), (path(wanted), vec![]), "{name}");
    }
    let (became, remarks) = old(&attributes(trans, "c01103 020200"));
    assert_eq!(became, path("0203 00000001 00005ba0 00005ba0"));
    assert_eq!(remarks[0].to_string(), "Attribute as4_path is malformed, ignoring it");
}

#[test]
fn a_two_octet_aggregator_decides_whether_as4_attributes_count() {
    let attributes = |aggregator: &str| {
        let path = "400204 0201 5ba0";
        let as4 = "c01106 0201 00010000 c01208 00010000 0a010102";
        let attributes = format!("{ORIGIN} {path} {NEXT_HOP} {aggregator} {as4}");
        became(&body(&attributes, NET), &OLD).0
    };
    let wanted = |asn: &str, aggregator: &str| {
        route(&format!("4001000100 40020006 0201 {asn} 400300040a010102 c0070008 {aggregator} 0a010102"))
    };
    assert_eq!(attributes("c00706 5ba0 0a010102"), wanted("00010000", "00010000"));
    assert_eq!(attributes("c00706 fdea 0a010102"), wanted("00005ba0", "0000fdea"));
}

#[test]
fn remarks_are_few_and_said_once() {
    let many: String = (0..200).map(|_| "400101000000".get(..8).unwrap()).collect();
    let (_, remarks) = became(&body(&and(&many), NET), &EXTERNAL);
    assert_eq!(remarks.len(), 1);
    let codes: String = (1..=32).flat_map(|c| [format!("00{c:02x}00"), format!("00{c:02x}00")]).collect();
    let octets = body(&codes, NET);
    if let Ok(update) = Update::split(&octets, &EXTERNAL) {
        let mut decoded = Decoded::new();
        for announced in update.announced() {
            let _ = announced.attributes(&EXTERNAL, &mut decoded);
        }
        assert!(decoded.remarks().len() <= 8);
    }
}

#[test]
fn what_1_6_does_not_know_is_carried_there_as_any_unknown_attribute() {
    let old = UpdateContext { recent_attributes: false, ..EXTERNAL };
    check(&EXTERNAL, &and("c0230400 00fde9"), canonical_and("c02300040000fde9"), &[]);
    check(&old, &and("c0230400 00fde9"), canonical_and("e02300040000fde9"), &[]);
    // RFC 9234 5: "If the length is not 4, the route is treated as withdrawn".
    check(&EXTERNAL, &and("c02301 00"), Withdrawal, &["Attribute otc is malformed, withdrawing update"]);
    check(&old, &and("c02301 00"), canonical_and("e023000100"), &[]);
}
