//! OPEN messages. Octets are bodies from reference/fsm/1.6.8/TEST.txt, the test's name beside them.

mod octets;

use octets::hex;
use rbird_wire::capability::{AddPath, GracefulRestart, LongLivedFamily};
use rbird_wire::frame::{HEADER_OCTETS, MESSAGE_OCTETS_MAX, Next, next};
use rbird_wire::{Capabilities, Notification, Open};
use route::Family;

/// What BIRD 1.6.8 announces by default.
fn bird_capabilities() -> Capabilities {
    Capabilities {
        families: vec![Family::Ipv4],
        multiprotocol: true,
        route_refresh: true,
        graceful_restart: Some(GracefulRestart::default()),
        as4: Some(65_001),
        enhanced_refresh: true,
        long_lived: Some(Vec::new()),
        ..Capabilities::default()
    }
}

/// The body of an OPEN of AS 65001, hold time 240, identifier 1.1.1.1.
fn body_of(capabilities: Option<Capabilities>) -> Vec<u8> {
    let mut out = Vec::new();
    Open::new(65_001, 240, 0x0101_0101, capabilities).encode(&mut out);
    assert!(matches!(next(&out, MESSAGE_OCTETS_MAX), Ok(Next::Frame(_))));
    out.split_off(HEADER_OCTETS)
}

#[test]
fn an_open_is_octet_for_octet_that_of_bird() {
    // rx-open-optparam-unknown, "<- OPEN", but for the identifier
    let wanted = hex("04 fde9 00f0 01010101 18 0216 010400010001 0200 40020000 41040000fde9 4600 4700");
    assert_eq!(body_of(Some(bird_capabilities())), wanted);
}

#[test]
fn further_capabilities_stand_where_bird_puts_them() {
    // bird 1.6.8 with `graceful restart; graceful restart time 77; long lived graceful restart;
    // add paths on; enable extended messages`, read from its socket
    let capabilities = Capabilities {
        graceful_restart: Some(GracefulRestart {
            restarting: false,
            time_s: 77,
            families: vec![(Family::Ipv4, false)],
        }),
        add_paths: vec![AddPath { family: Family::Ipv4, receive: true, send: true }],
        extended_messages: true,
        long_lived: Some(vec![LongLivedFamily { family: Family::Ipv4, forwarding: false, stale_time_s: 3600 }]),
        ..bird_capabilities()
    };
    let wanted = hex(
        "04fde900f0010101012b022901040001000102004006004d0001010041040000fde945040001010346000600470700010100000e10",
    );
    assert_eq!(body_of(Some(capabilities.clone())), wanted);
    assert_eq!(Open::decode(&wanted).unwrap().capabilities, Some(capabilities));
}

#[test]
fn ipv6_next_hops_of_ipv4_are_a_row_of_three_numbers() {
    // RFC 8950 4: AFI, SAFI and AFI of the next hop, two octets each; other rows mean nothing to us.
    let able = Capabilities { extended_next_hop: vec![Family::Ipv4], ..bird_capabilities() };
    let octets = body_of(Some(able.clone()));
    assert!(octets.windows(8).any(|w| w == hex("0506000100010002")), "{octets:02x?}");
    assert_eq!(Open::decode(&octets).unwrap().capabilities, Some(able.clone()));
    let others = hex("04fde900f001010101 16 0214 010400010001 050c 000100800002 000100010002");
    let read = Open::decode(&others).unwrap().capabilities.unwrap();
    assert_eq!(read.extended_next_hop, [Family::Ipv4]);
}

#[test]
fn without_capabilities_there_is_no_parameter() {
    // bird 1.6.8 with `capabilities off`
    assert_eq!(body_of(None), hex("04fde900f00101010100"));
    assert_eq!(body_of(Some(Capabilities::default())), hex("04fde900f00101010100"));
    assert_eq!(Open::decode(&hex("04fde900f00101010100")).unwrap().capabilities, None);
}

#[test]
fn the_as_is_the_one_of_the_capability() {
    // rx-open-as-trans-4byte: 23456 in the field
    let open = Open::decode(&hex("04 5ba0 005a 0a010102 08 0206 4104 00010000")).unwrap();
    assert_eq!((open.asn, open.is_inconsistent()), (65_536, false));
    // rx-open-as-cap-mismatch
    let open = Open::decode(&hex("04fdea005a0a010102100206010400010001020641040000fdeb")).unwrap();
    assert_eq!((open.asn, open.as_field, open.is_inconsistent()), (65_003, 65_002, true));
    assert_eq!(Open::new(4_200_000_000, 90, 1, None).as_field, 23_456);
}

#[test]
fn capabilities_may_be_spread_over_parameters_and_unknown_ones_are_kept() {
    let open = Open::decode(&hex("04fdea005a0a01010212 0206010400020001 0202 0200 0204 c802abcd")).unwrap();
    let capabilities = open.capabilities.unwrap();
    assert_eq!(capabilities.families, [Family::Ipv6]);
    assert!(capabilities.route_refresh);
    assert_eq!(capabilities.unknown, [(0xc8, vec![0xab, 0xcd])]);
}

#[test]
fn a_family_that_we_do_not_carry_still_counts_as_multiprotocol() {
    let open = Open::decode(&hex("04fdea005a0a01010208 0206 010400190046")).unwrap();
    let capabilities = open.capabilities.unwrap();
    assert!(capabilities.multiprotocol && capabilities.families.is_empty());
}

#[test]
fn long_parameters_have_two_octets_of_length() {
    // RFC 9072 2
    let open = Open::decode(&hex("04fdea005a0a010102 ff ff 0005 02 0002 0200")).unwrap();
    assert!(open.capabilities.unwrap().route_refresh);

    let many = Capabilities { unknown: (0..4).map(|i| (200 + i, vec![i; 100])).collect(), ..bird_capabilities() };
    let body = body_of(Some(many.clone()));
    assert_eq!(body[9..11], [255, 255]);
    assert_eq!(Open::decode(&body).unwrap().capabilities, Some(many));
}

#[test]
fn each_broken_open_has_the_answer_of_bird() {
    let cases = [
        ("short-open", "04fdea005a0a", (1, 2, "0019")),
        ("optlen-too-long", "04fdea005a0a010102ff020601040001000102020200020641040000fdea", (1, 2, "0031")),
        ("version-3", "03fdea005a0a01010200", (2, 1, "03")),
        ("version-5", "05fdea005a0a01010200", (2, 1, "05")),
        ("cap-truncated", "04fdea005a0a010102050203410400", (2, 0, "")),
        ("optparam-truncated", "04fdea005a0a01010203025001", (2, 0, "")),
        ("optparam-auth", "04fdea005a0a0101020401026162", (2, 4, "0102")),
        ("optparam-unknown", "04fdea005a0a0101020463026162", (2, 4, "6302")),
        ("a multiprotocol capability of 3 octets", "04fdea005a0a010102070205 0103000100", (2, 0, "")),
        ("a four-octet AS of 2 octets", "04fdea005a0a010102060204 4102fdea", (2, 0, "")),
    ];
    for (name, body, (code, subcode, data)) in cases {
        let wanted = Notification::with_data(code, subcode, hex(data));
        assert_eq!(Open::decode(&hex(body)), Err(wanted), "{name}");
    }
}

#[test]
fn roles_are_numbers_each_once_and_what_is_no_number_is_255() {
    let roles = |caps: &str| {
        let octets = caps.split_whitespace().collect::<String>().len() / 2;
        let open = Open::decode(&hex(&format!("04fdea005a0a010102{:02x} 02{octets:02x} {caps}", octets + 2)));
        open.unwrap().capabilities.unwrap().roles
    };
    assert_eq!(roles("090104"), [4]);
    assert_eq!(roles("090104 090104 090103"), [4, 3]);
    assert_eq!(roles("0900 09020101"), [255]);
    let told = Capabilities { roles: vec![1], hostname: Some("r1".into()), ..Capabilities::default() };
    let body = body_of(Some(told.clone()));
    assert_eq!(body[9..], hex("0b 02 09 090101 4904 027231 00")[..]);
    assert_eq!(Open::decode(&body).unwrap().capabilities, Some(told));
}

#[test]
fn a_hostname_can_not_move_a_terminal_nor_end_a_session() {
    let hostname = |value: &str| {
        let octets = value.len() / 2;
        let head = format!("04fdea005a0a010102{:02x}02{:02x}49{octets:02x}", octets + 4, octets + 2);
        Open::decode(&hex(&(head + value))).unwrap().capabilities.unwrap().hostname
    };
    assert_eq!(hostname("03611b6200").as_deref(), Some("a b"));
    assert_eq!(hostname("01610162").as_deref(), Some("a"), "a domain stands behind it");
    assert_eq!(hostname("02ff6100").as_deref(), Some("\u{fffd}a"));
    assert_eq!((hostname("0561"), hostname("")), (None, None));
    let long = Capabilities { hostname: Some("\u{e4}".repeat(200).into()), ..Capabilities::default() };
    let told = Open::decode(&body_of(Some(long))).unwrap().capabilities.unwrap().hostname;
    assert_eq!(told, Some("\u{e4}".repeat(126).into()), "cut between characters");
}
