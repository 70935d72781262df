//! Frames, ROUTE-REFRESH and KEEPALIVE.
//!
//! What the daemon answered is from reference/fsm/TABLE-1.6.8.md, one row each.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod octets;

use octets::hex;
use rbird_wire::frame::{EXTENDED_OCTETS_MAX, KEEPALIVE, MESSAGE_OCTETS_MAX, Next, next};
use rbird_wire::refresh::{RouteRefresh, Subtype};
use rbird_wire::{Kind, Message, Notification};
use route::Family;

fn framed(length: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xff; 16];
    octets.extend_from_slice(&length.to_be_bytes());
    octets.push(kind);
    octets.extend_from_slice(body);
    octets
}

fn refused(octets: &[u8]) -> Notification {
    next(octets, MESSAGE_OCTETS_MAX).unwrap_err()
}

#[test]
fn frames_are_cut_one_after_the_other() {
    let mut buffer = KEEPALIVE.to_vec();
    buffer.extend(framed(23, 2, &[0; 4]));
    buffer.extend_from_slice(&KEEPALIVE[..18]);

    let Ok(Next::Frame(first)) = next(&buffer, MESSAGE_OCTETS_MAX) else { panic!() };
    assert_eq!((first.kind, first.octets()), (Kind::Keepalive, 19));
    let rest = &buffer[first.octets()..];
    let Ok(Next::Frame(second)) = next(rest, MESSAGE_OCTETS_MAX) else { panic!() };
    assert_eq!((second.kind, second.body), (Kind::Update, [0; 4].as_slice()));
    let rest = &rest[second.octets()..];
    assert_eq!(next(rest, MESSAGE_OCTETS_MAX), Ok(Next::NeedMore(19)));
    assert_eq!(next(&framed(23, 2, &[0; 3]), MESSAGE_OCTETS_MAX), Ok(Next::NeedMore(23)));
}

#[test]
fn a_wrong_marker_is_told_before_the_length_is_looked_at() {
    // rx-open-bad-marker
    let mut octets = framed(9, 9, &[]);
    octets[3] = 0xfe;
    assert_eq!(refused(&octets), Notification::new(1, 1));
}

#[test]
fn a_length_that_no_message_has_is_quoted() {
    // rx-open-length-18, rx-open-length-5000
    assert_eq!(refused(&framed(18, 1, &[])), Notification::with_data(1, 2, hex("0012")));
    assert_eq!(refused(&framed(5000, 1, &[])), Notification::with_data(1, 2, hex("1388")));
    assert_eq!(refused(&framed(4097, 2, &[])), Notification::with_data(1, 2, hex("1001")));
}

#[test]
fn an_unknown_type_is_quoted() {
    // rx-open-type-0, rx-open-type-9, rx-update-type-6
    for kind in [0, 6, 9] {
        assert_eq!(refused(&framed(19, kind, &[])), Notification::with_data(1, 3, [kind]));
    }
}

#[test]
fn extended_messages_are_for_all_but_open_and_keepalive() {
    // RFC 8654 4: "applies to all messages except for the OPEN and KEEPALIVE messages"
    let mut headers = [0; 6].map(|_: u8| Vec::new());
    for (kind, header) in headers.iter_mut().enumerate() {
        *header = framed(65_535, kind as u8, &[]);
    }
    let length = |kind: usize| next(&headers[kind], EXTENDED_OCTETS_MAX);
    for kind in [2, 3, 5] {
        assert_eq!(length(kind), Ok(Next::NeedMore(65_535)));
    }
    for kind in [1, 4] {
        assert_eq!(length(kind), Err(Notification::with_data(1, 2, hex("ffff"))));
    }
}

#[test]
fn a_keepalive_with_a_body_is_a_keepalive() {
    // rx-update-keepalive-length-20: the session stays up
    let octets = framed(20, 4, &[0]);
    let Ok(Next::Frame(frame)) = next(&octets, MESSAGE_OCTETS_MAX) else { panic!() };
    assert_eq!(frame.message(), Ok(Message::Keepalive));
}

#[test]
fn a_route_refresh_reads_as_it_was_written() {
    for family in [Family::Ipv4, Family::Ipv6] {
        for subtype in [Subtype::Request, Subtype::Begin, Subtype::End] {
            let mut octets = Vec::new();
            RouteRefresh::encode(family, subtype, &mut octets);
            let Ok(Next::Frame(frame)) = next(&octets, MESSAGE_OCTETS_MAX) else { panic!() };
            let wanted = RouteRefresh { family: Some(family), subtype };
            assert_eq!(frame.message(), Ok(Message::RouteRefresh(wanted)));
        }
    }
}

#[test]
fn a_route_refresh_is_octet_for_octet_that_of_bird() {
    // pcap/1.6.8/fsm-rx-update-refresh-borr-eorr.pcap
    let mut octets = Vec::new();
    RouteRefresh::encode(Family::Ipv4, Subtype::Begin, &mut octets);
    RouteRefresh::encode(Family::Ipv4, Subtype::End, &mut octets);
    let marker = "ffffffffffffffffffffffffffffffff";
    assert_eq!(octets, hex(&format!("{marker} 0017 05 00010101 {marker} 0017 05 00010201")));
}

#[test]
fn a_route_refresh_for_another_family_or_of_another_subtype_says_so() {
    let refresh = RouteRefresh::decode(&hex("0019 07 80")).unwrap();
    assert_eq!(refresh, RouteRefresh { family: None, subtype: Subtype::Unknown(7) });
}

#[test]
fn a_route_refresh_of_another_length_is_an_error() {
    // rx-update-refresh-badlen
    let short = RouteRefresh::decode(&hex("000100")).unwrap_err();
    assert_eq!(short, Notification::with_data(1, 2, hex("0016")));
    // RFC 7313 5: "the error code is 7, subcode 1, the Data field MUST contain the complete message"
    let long = RouteRefresh::decode(&hex("0001000100")).unwrap_err();
    assert_eq!((long.code, long.subcode), (7, 1));
    assert_eq!(long.data, framed(24, 5, &hex("0001000100")));
}
