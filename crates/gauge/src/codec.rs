//! UPDATE messages: octets to routes and back.

use crate::Ready;
use crate::feed::{ROUTES, SETS, net, routes_of, set};
use route::{AttrSet, Family};
use std::hint::black_box;
use wire::frame::{HEADER_OCTETS, MESSAGE_OCTETS_MAX};
use wire::{Decoded, EncodeContext, Encoder, Nlri, PerFamily, Update, UpdateContext};

const ENCODE: EncodeContext =
    EncodeContext { as4: true, add_path_tx: PerFamily { ipv4: false, ipv6: false }, octets_max: MESSAGE_OCTETS_MAX };
const DECODE: UpdateContext = UpdateContext {
    as4: true,
    add_path_rx: PerFamily { ipv4: false, ipv6: false },
    families: PerFamily { ipv4: true, ipv6: true },
    extended_next_hop: PerFamily { ipv4: false, ipv6: false },
    internal: false,
    confederation: false,
    local_pref_allowed: true,
    recent_attributes: false,
};

fn put(encoder: &mut Encoder, number: u32, attrs: &AttrSet, out: &mut Vec<u8>) {
    encoder.set_attributes(Family::Ipv4, attrs.octets()).expect("attributes that fit");
    encoder.announce(routes_of(number).map(|n| Nlri { net: net(n), path_id: 0 }), out);
}

/// The body of a message for each attribute set.
fn bodies() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(ENCODE);
    let body = |number| {
        let mut out = Vec::new();
        put(&mut encoder, number, &set(number, 0), &mut out);
        out.split_off(HEADER_OCTETS)
    };
    (0..SETS).map(body).collect()
}

pub fn decode() -> Ready {
    let bodies = bodies();
    Box::new(move || {
        let (mut decoded, mut routes) = (Decoded::new(), 0);
        for body in &bodies {
            let update = Update::split(body, &DECODE).expect("a message of ours");
            for announced in update.announced() {
                let _ = black_box(announced.attributes(&DECODE, &mut decoded));
                routes += announced.nlris.iter().map(black_box).count();
            }
        }
        assert_eq!(routes, ROUTES as usize, "every route is read");
        Box::new((bodies, decoded))
    })
}

pub fn decode_known() -> Ready {
    let bodies = bodies();
    Box::new(move || {
        let (mut scratch, mut routes) = (Vec::new(), 0);
        for body in &bodies {
            let update = Update::split(body, &DECODE).expect("a message of ours");
            for announced in update.announced() {
                black_box(route::attrs::hash_octets(announced.key(&mut scratch)));
                routes += announced.nlris.iter().map(black_box).count();
            }
        }
        assert_eq!(routes, ROUTES as usize, "every route is read");
        Box::new(bodies)
    })
}

pub fn encode() -> Ready {
    let sets: Vec<AttrSet> = (0..SETS).map(|number| set(number, 0)).collect();
    Box::new(move || {
        let (mut encoder, mut out) = (Encoder::new(ENCODE), Vec::new());
        sets.iter().enumerate().for_each(|(number, attrs)| put(&mut encoder, number as u32, attrs, &mut out));
        Box::new((sets, out))
    })
}
