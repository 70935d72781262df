//! UPDATE messages, sent: octets as BIRD sends them, and what is sent reads the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod octets;

use octets::hex;
use proptest::prelude::*;
use rbird_wire::encode::CannotSend;
use rbird_wire::frame::{EXTENDED_OCTETS_MAX, MESSAGE_OCTETS_MAX, Next, next};
use rbird_wire::{Decoded, EncodeContext, Encoder, Frame, Kind, Nlri, PerFamily, Update, UpdateContext};
use route::{Family, Prefix};

const CONTEXT: EncodeContext =
    EncodeContext { as4: true, add_path_tx: PerFamily { ipv4: false, ipv6: false }, octets_max: MESSAGE_OCTETS_MAX };
const READER: UpdateContext = UpdateContext {
    as4: true,
    add_path_rx: PerFamily { ipv4: false, ipv6: false },
    families: PerFamily { ipv4: true, ipv6: true },
    extended_next_hop: PerFamily { ipv4: true, ipv6: true },
    internal: true,
    confederation: true,
    local_pref_allowed: false,
    recent_attributes: true,
};
/// ORIGIN IGP, AS_PATH 65001, NEXT_HOP 10.1.1.1.
const CANONICAL: &str = "4001000100 4002000602010000fde9 400300040a010101";

fn nlri(net: &str) -> Nlri {
    Nlri { net: net.parse().unwrap(), path_id: 0 }
}

/// Cuts whole messages apart; all must be UPDATEs and nothing may be left.
fn frames(mut octets: &[u8], octets_max: usize) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    while !octets.is_empty() {
        let Ok(Next::Frame(frame)) = next(octets, octets_max) else { panic!("{octets:02x?}") };
        assert_eq!(frame.kind, Kind::Update);
        octets = &octets[frame.octets()..];
        frames.push(frame);
    }
    frames
}

fn announced(context: EncodeContext, family: Family, canonical: &[u8], nlris: &[Nlri]) -> Result<Vec<u8>, CannotSend> {
    let mut encoder = Encoder::new(context);
    encoder.set_attributes(family, canonical)?;
    let mut out = Vec::new();
    let written = encoder.announce(nlris.iter().copied(), &mut out);
    assert_eq!(written.routes as usize, nlris.len());
    assert_eq!(written.messages as usize, frames(&out, context.octets_max).len());
    Ok(out)
}

#[test]
fn announcements_and_withdrawals_are_octet_for_octet_those_of_bird() {
    // fsm/1.6.8/tx-updates.txt, "<- UPDATE"
    let nets = [nlri("10.1.1.0/24"), nlri("203.0.113.0/24")];
    let out = announced(CONTEXT, Family::Ipv4, &hex(CANONICAL), &nets).unwrap();
    let wanted = "000000144001010040020602010000fde94003040a010101180a010118cb0071";
    assert_eq!(frames(&out, MESSAGE_OCTETS_MAX)[0].body, hex(wanted));

    let mut out = Vec::new();
    let nets = [nlri("198.51.100.0/24"), nlri("203.0.113.0/24")];
    Encoder::new(CONTEXT).withdraw(Family::Ipv4, nets, &mut out);
    Encoder::end_of_rib(Family::Ipv4, &mut out);
    let frames = frames(&out, MESSAGE_OCTETS_MAX);
    assert_eq!(frames[0].body, hex("000818c6336418cb00710000"));
    assert_eq!(frames[1].body, hex("00000000"));
}

#[test]
fn an_internal_announcement_is_that_of_bird() {
    // fsm/1.6.8/rx-update-ibgp-good.txt, "<- UPDATE"
    let canonical = hex("4001000100 40020000 400300040a010101 4005000400000064");
    let nets = [nlri("10.1.1.0/24"), nlri("203.0.113.0/24")];
    let out = announced(CONTEXT, Family::Ipv4, &canonical, &nets).unwrap();
    let wanted = "00000015400101004002004003040a01010140050400000064180a010118cb0071";
    assert_eq!(frames(&out, MESSAGE_OCTETS_MAX)[0].body, hex(wanted));
}

#[test]
fn nothing_to_tell_is_no_message() {
    assert_eq!(announced(CONTEXT, Family::Ipv4, &hex(CANONICAL), &[]), Ok(vec![]));
}

#[test]
fn a_next_hop_of_the_other_family_goes_and_comes_in_mp_reach_nlri() {
    let there_and_back = |family, net: &str, next_hop: &str| {
        let canonical = hex(&format!("4001000100 4002000602010000fde9 {next_hop}"));
        let out = announced(CONTEXT, family, &canonical, &[nlri(net)]).unwrap();
        let body = frames(&out, MESSAGE_OCTETS_MAX)[0].body;
        let update = Update::split(body, &READER).unwrap();
        let mut decoded = Decoded::new();
        let all: Vec<_> = update.announced().collect();
        all[0].attributes(&READER, &mut decoded).unwrap();
        assert_eq!(decoded.octets(), canonical, "{net}");
        body.to_vec()
    };
    // RFC 8950 3: AFI 1, SAFI 1, a next hop of 16 or 32 octets.
    let global = "20010db8000000000000000000000001";
    let octets = there_and_back(Family::Ipv4, "10.1.1.0/24", &format!("40030010{global}"));
    assert!(octets.windows(20).any(|w| w == hex(&format!("00010110{global}"))));
    there_and_back(Family::Ipv4, "10.1.1.0/24", &format!("40030020{global}fe800000000000000000000000000001"));
    // RFC 4798 2: an IPv4-mapped address.
    let octets = there_and_back(Family::Ipv6, "2001:db8::/32", "400300040a010102");
    assert!(octets.windows(20).any(|w| w == hex("0002011000000000000000000000ffff0a010102")));
}

#[test]
fn end_of_rib_is_read_as_such() {
    for family in [Family::Ipv4, Family::Ipv6] {
        let mut out = Vec::new();
        Encoder::end_of_rib(family, &mut out);
        let body = frames(&out, MESSAGE_OCTETS_MAX)[0].body;
        assert_eq!(Update::split(body, &READER).unwrap().end_of_rib(), Some(family));
    }
}

#[test]
fn messages_are_filled_to_the_last_octet_that_fits() {
    let nets: Vec<Nlri> = (0..3000u32)
        .map(|i| Nlri { net: Prefix::new((i << 8).to_be_bytes().into(), 24).unwrap(), path_id: 0 })
        .collect();
    for octets_max in [MESSAGE_OCTETS_MAX, EXTENDED_OCTETS_MAX] {
        let context = EncodeContext { octets_max, ..CONTEXT };
        let out = announced(context, Family::Ipv4, &hex(CANONICAL), &nets).unwrap();
        let frames = frames(&out, octets_max);
        let (_, full) = frames.split_last().unwrap();
        assert!(full.iter().all(|f| (octets_max - 3..=octets_max).contains(&f.octets())));
        assert_eq!(frames.len(), if octets_max == MESSAGE_OCTETS_MAX { 3 } else { 1 });
    }
}

#[test]
fn an_old_peer_is_told_long_as_numbers_in_attributes_of_their_own() {
    // RFC 6793 4.2.2
    let canonical =
        hex("4001000100 4002000a 0202 0000fde9 00010000 400300040a010101 c0070008 00010000 0a010102 c008000400010002");
    let context = EncodeContext { as4: false, ..CONTEXT };
    let out = announced(context, Family::Ipv4, &canonical, &[nlri("192.0.2.0/24")]).unwrap();
    let wanted = "0000 003c 40010100 400206 0202fde95ba0 4003040a010101 c00706 5ba00a010102 c00804 00010002 \
                  c0110a 0202 0000fde9 00010000 c01208 00010000 0a010102 18c00002";
    assert_eq!(frames(&out, MESSAGE_OCTETS_MAX)[0].body, hex(wanted));

    let old_reader = UpdateContext { as4: false, ..READER };
    let mut decoded = Decoded::new();
    let update = Update::split(frames(&out, MESSAGE_OCTETS_MAX)[0].body, &old_reader).unwrap();
    for announced in update.announced() {
        announced.attributes(&old_reader, &mut decoded).unwrap();
    }
    assert_eq!((decoded.octets(), decoded.remarks()), (canonical.as_slice(), [].as_slice()));
}

#[test]
fn an_old_peer_is_told_short_as_numbers_alone() {
    let context = EncodeContext { as4: false, ..CONTEXT };
    let out = announced(context, Family::Ipv4, &hex(CANONICAL), &[nlri("192.0.2.0/24")]).unwrap();
    let wanted = "0000 0012 40010100 4002040201fde9 4003040a010101 18c00002";
    assert_eq!(frames(&out, MESSAGE_OCTETS_MAX)[0].body, hex(wanted));
}

#[test]
fn as4_attributes_stand_before_larger_codes() {
    let canonical = hex("4001000100 40020006 0201 00010000 400300040a010101 c020000c 000000010000000200000003");
    let context = EncodeContext { as4: false, ..CONTEXT };
    let out = announced(context, Family::Ipv4, &canonical, &[nlri("0.0.0.0/0")]).unwrap();
    let wanted =
        "0000 002a 40010100 400204 02015ba0 4003040a010101 c01106 0201 00010000 c0200c 000000010000000200000003 00";
    assert_eq!(frames(&out, MESSAGE_OCTETS_MAX)[0].body, hex(wanted));
}

#[test]
fn attributes_that_leave_no_room_are_refused() {
    let mut canonical = hex(CANONICAL);
    canonical.extend(hex("c0080fd8"));
    canonical.extend(vec![1; 0x0fd8]);
    let net = [nlri("192.0.2.0/24")];
    let result = announced(CONTEXT, Family::Ipv4, &canonical, &net);
    assert_eq!(result.map(|out| out.len()), Err(CannotSend::TooLong));
    let context = EncodeContext { octets_max: EXTENDED_OCTETS_MAX, ..CONTEXT };
    assert!(announced(context, Family::Ipv4, &canonical, &net).is_ok());
    let origin = hex("4001000100");
    assert_eq!(announced(CONTEXT, Family::Ipv4, &origin, &net), Err(CannotSend::NoNextHop));
}

fn prefixes(family: Family) -> BoxedStrategy<Prefix> {
    match family {
        Family::Ipv4 => (any::<u32>(), 0..=32u8)
            .prop_map(|(a, len)| Prefix::new(std::net::Ipv4Addr::from(a).into(), len).unwrap())
            .boxed(),
        Family::Ipv6 => (any::<u128>(), 0..=128u8)
            .prop_map(|(a, len)| Prefix::new(std::net::Ipv6Addr::from(a).into(), len).unwrap())
            .boxed(),
    }
}

/// Canonical octets of a well-formed set.
fn canonical(family: Family) -> impl Strategy<Value = Vec<u8>> {
    let segment = (1..=4u8, prop::collection::vec(1..=u32::MAX, 1..6)).prop_map(|(kind, asns)| {
        let mut octets = vec![kind, asns.len() as u8];
        octets.extend(asns.iter().flat_map(|a| a.to_be_bytes()));
        octets
    });
    let path = prop::collection::vec(segment, 0..4).prop_map(|all| all.concat());
    let hop = match family {
        Family::Ipv4 => hex("0a010101"),
        Family::Ipv6 => hex("20010db8000000000000000000000001"),
    };
    let communities = prop::collection::vec(any::<u8>(), 0..200).prop_map(|mut v| {
        v.truncate(v.len() / 4 * 4);
        v
    });
    let unknown = prop::collection::vec(any::<u8>(), 0..400);
    (0..3u8, path, any::<Option<u32>>(), communities, any::<bool>(), unknown).prop_map(
        move |(origin, path, med, communities, partial, unknown)| {
            let mut octets = Vec::new();
            let mut put = |flags: u8, code: u8, value: &[u8]| {
                octets.extend_from_slice(&[flags, code]);
                octets.extend_from_slice(&(value.len() as u16).to_be_bytes());
                octets.extend_from_slice(value);
            };
            put(0x40, 1, &[origin]);
            put(0x40, 2, &path);
            put(0x40, 3, &hop);
            if let Some(med) = med {
                put(0x80, 4, &med.to_be_bytes());
            }
            if !communities.is_empty() {
                put(if partial { 0xe0 } else { 0xc0 }, 8, &communities);
            }
            put(0xe0, 99, &unknown);
            octets
        },
    )
}

fn families() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)]
}

proptest! {
    #[test]
    fn what_is_announced_reads_the_same(
        (family, canonical, nets) in families().prop_flat_map(|family| (
            Just(family),
            canonical(family),
            prop::collection::vec((prefixes(family), any::<u32>()), 1..2000),
        )),
        add_path in any::<bool>(),
    ) {
        let paths = PerFamily { ipv4: add_path, ipv6: add_path };
        let context = EncodeContext { add_path_tx: paths, ..CONTEXT };
        let reader = UpdateContext { add_path_rx: paths, ..READER };
        let sent: Vec<Nlri> = nets
            .into_iter()
            .map(|(net, id)| Nlri { net, path_id: if add_path { id } else { 0 } })
            .collect();
        let out = announced(context, family, &canonical, &sent).unwrap();
        let mut received = Vec::new();
        let mut decoded = Decoded::new();
        for frame in frames(&out, MESSAGE_OCTETS_MAX) {
            let update = Update::split(frame.body, &reader).unwrap();
            for announced in update.announced() {
                announced.attributes(&reader, &mut decoded).unwrap();
                prop_assert_eq!(decoded.octets(), &canonical);
                prop_assert!(!decoded.is_withdrawal() && decoded.remarks().is_empty());
                received.extend(announced.nlris.iter());
            }
        }
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn what_is_withdrawn_reads_the_same(
        (family, nets) in families().prop_flat_map(|family| (
            Just(family),
            prop::collection::vec((prefixes(family), any::<u32>()), 1..3000),
        )),
    ) {
        let paths = PerFamily { ipv4: true, ipv6: true };
        let encoder = Encoder::new(EncodeContext { add_path_tx: paths, ..CONTEXT });
        let reader = UpdateContext { add_path_rx: paths, ..READER };
        let sent: Vec<_> = nets.into_iter().map(|(net, path_id)| Nlri { net, path_id }).collect();
        let mut out = Vec::new();
        encoder.withdraw(family, sent.iter().copied(), &mut out);
        let mut received = Vec::new();
        for frame in frames(&out, MESSAGE_OCTETS_MAX) {
            let update = Update::split(frame.body, &reader).unwrap();
            prop_assert_eq!(update.announced().count(), 0);
            received.extend(update.withdrawn().flat_map(|n| n.iter()));
        }
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn paths_survive_an_old_peer_in_the_middle(canonical in canonical(Family::Ipv4)) {
        let context = EncodeContext { as4: false, ..CONTEXT };
        let reader = UpdateContext { as4: false, ..READER };
        let out = announced(context, Family::Ipv4, &canonical, &[nlri("192.0.2.0/24")]).unwrap();
        let mut decoded = Decoded::new();
        let frames = frames(&out, MESSAGE_OCTETS_MAX);
        let update = Update::split(frames[0].body, &reader).unwrap();
        for announced in update.announced() {
            announced.attributes(&reader, &mut decoded).unwrap();
        }
        let hops = |octets: &[u8]| {
            let path = route::attrs::Records::new(octets).find(|r| r.code == 2).unwrap();
            let path = route::AsPath::new(path.value);
            let plain = |k| matches!(k, 1 | 2);
            let asns: Vec<u32> =
                path.segments().filter(|s| plain(s.kind)).flat_map(|s| s.asns()).collect();
            (path.hop_count(), asns)
        };
        prop_assert_eq!(hops(decoded.octets()), hops(&canonical));
    }
}
