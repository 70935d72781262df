//! Whatever a peer sends: an answer, never a panic, and answers that agree with each other.

mod octets;

use octets::hex;
use proptest::prelude::*;
use rbird_wire::frame::{EXTENDED_OCTETS_MAX, next};
use rbird_wire::{Decoded, Notification, Open, PerFamily, RouteRefresh, Update, UpdateContext};
use route::AttrSet;
use route::attrs::{Local, Records};
use route::{SourceKind, hop::Dest};

fn contexts() -> impl Strategy<Value = UpdateContext> {
    any::<[bool; 10]>().prop_map(|[as4, id4, id6, ipv4, ipv6, hop4, hop6, internal, confederation, allowed]| {
        UpdateContext {
            as4,
            add_path_rx: PerFamily { ipv4: id4, ipv6: id6 },
            families: PerFamily { ipv4, ipv6 },
            extended_next_hop: PerFamily { ipv4: hop4, ipv6: hop6 },
            internal,
            confederation,
            local_pref_allowed: allowed,
            recent_attributes: true,
        }
    })
}

/// Bodies that are right, from reference/fsm/1.6.8, to be made wrong.
const BODIES: &[&str] = &[
    "000000144001010040020602010000fde94003040a010101180a010118cb0071",
    "000818c6336418cb00710000",
    "0000001d4001010040020602010000fdea800e0d000101040a0101020018c00002",
    "0000001f4001010040020602010000fdea4003040a010102c007080000fdea0a01010218c00002",
    "0000001d4001010040020602010000fdea4003040a010102c0110602010001000018c00002",
    "0000001a4001010040020602010000fdea4003040a010102c0630361626318c00002",
    "00000006800f03000101",
    "0000002a800e1a000201 10 20010db8000000000000000000000001 00 20 20010db8 40010100 40020602010000fdea",
];

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (prop::sample::select(BODIES), prop::collection::vec(change, 0..6), any::<Option<u8>>()).prop_map(
        |(body, changes, cut)| {
            let mut octets = hex(body);
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            octets.truncate(octets.len() - usize::from(cut.unwrap_or(0)) % octets.len());
            octets
        },
    )
}

/// Reads an UPDATE to the end and checks what every reader relies on.
fn read(body: &[u8], context: &UpdateContext) {
    let Ok(update) = Update::split(body, context) else { return };
    let mut decoded = Decoded::new();
    for nlris in update.withdrawn() {
        assert!(nlris.iter().all(|n| n.net.family() == nlris.family()));
    }
    for announced in update.announced() {
        assert!(announced.nlris.iter().count() > 0);
        let key = announced.key(&mut Vec::new()).to_vec();
        assert!(key.len() <= body.len() + 64);
        if announced.attributes(context, &mut decoded).is_err() || decoded.is_withdrawal() {
            continue;
        }
        // Panics in a debug build when the octets are not canonical.
        let set = AttrSet::from_canonical(decoded.octets(), Local::new(SourceKind::Bgp, 100, Dest::Unreachable));
        assert!(set.next_hop().is_some() && set.origin().is_some());
        let walked: usize = Records::new(decoded.octets()).map(|r| 4 + r.value.len()).sum();
        assert_eq!(walked, decoded.octets().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_octets_have_an_answer(octets in prop::collection::vec(any::<u8>(), 0..300), context in contexts()) {
        let _ = next(&octets, EXTENDED_OCTETS_MAX);
        let _ = Open::decode(&octets);
        let _ = RouteRefresh::decode(&octets);
        if let Ok(notification) = Notification::decode(&octets) {
            prop_assert!(!notification.to_string().chars().any(char::is_control));
        }
        read(&octets, &context);
    }

    #[test]
    fn any_attributes_have_an_answer(raw in prop::collection::vec(any::<u8>(), 0..300), context in contexts()) {
        let mut body = vec![0, 0];
        body.extend_from_slice(&(raw.len() as u16).to_be_bytes());
        body.extend(raw);
        body.extend(hex("18c00002"));
        read(&body, &context);
    }

    #[test]
    fn a_right_update_made_wrong_has_an_answer(body in mutated(), context in contexts()) {
        read(&body, &context);
    }

    #[test]
    fn an_open_reads_the_same_after_it_was_written(octets in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut body = hex("04fdea005a0a010102");
        body.push(octets.len() as u8);
        body.extend(octets);
        if let Ok(open) = Open::decode(&body) {
            let mut out = Vec::new();
            open.encode(&mut out);
            // Families beyond ours and repeated capabilities are not said again.
            let again = Open::decode(&out[19..]).unwrap();
            prop_assert_eq!((again.asn, again.hold_time_s), (open.asn, open.hold_time_s));
        }
    }
}
