//! What an UPDATE costs, per route: full messages of 4,096 octets with typical attributes.
//!
//! `cargo bench -p rbird-wire`; items are routes.

use divan::{Bencher, black_box, counter::ItemsCount};
use rbird_wire::frame::{HEADER_OCTETS, MESSAGE_OCTETS_MAX};
use rbird_wire::{Decoded, EncodeContext, Encoder, Nlri, PerFamily, Update, UpdateContext};
use route::{Family, Prefix};

fn main() {
    divan::main();
}

/// How many routes share their attributes: 5 is what the full table of the Internet has on average.
const ROUTES: &[usize] = &[1, 5, 500];

const ENCODE: EncodeContext =
    EncodeContext { as4: true, add_path_tx: PerFamily { ipv4: false, ipv6: false }, octets_max: MESSAGE_OCTETS_MAX };
const DECODE: UpdateContext = UpdateContext {
    as4: true,
    add_path_rx: PerFamily { ipv4: false, ipv6: false },
    families: PerFamily { ipv4: true, ipv6: true },
    extended_next_hop: PerFamily { ipv4: false, ipv6: false },
    internal: false,
    confederation: false,
    local_pref_allowed: false,
    recent_attributes: true,
};

/// ORIGIN, AS_PATH of four, NEXT_HOP, MED, three communities, two large ones.
fn canonical() -> Vec<u8> {
    let mut octets = Vec::new();
    let mut put = |flags: u8, code: u8, value: &[u8]| {
        octets.extend_from_slice(&[flags, code, 0, value.len() as u8]);
        octets.extend_from_slice(value);
    };
    put(0x40, 1, &[0]);
    put(0x40, 2, &[2, 4, 0, 0, 253, 233, 0, 0, 13, 28, 0, 0, 27, 27, 0, 3, 0, 1]);
    put(0x40, 3, &[10, 1, 1, 1]);
    put(0x80, 4, &[0, 0, 0, 100]);
    put(0xc0, 8, &[1; 12]);
    put(0xc0, 32, &[1; 24]);
    octets
}

fn nlris(count: usize) -> Vec<Nlri> {
    (0..count as u32)
        .filter_map(|i| {
            let net = Prefix::new(((i + 65_536) << 8).to_be_bytes().into(), 24)?;
            Some(Nlri { net, path_id: 0 })
        })
        .collect()
}

fn message(count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(ENCODE);
    if encoder.set_attributes(Family::Ipv4, &canonical()).is_ok() {
        encoder.announce(nlris(count), &mut out);
    }
    out.split_off(HEADER_OCTETS)
}

/// Split, attributes, every NLRI.
#[divan::bench(args = ROUTES)]
fn decode(bencher: Bencher<'_, '_>, routes: usize) {
    let body = message(routes);
    let mut decoded = Decoded::new();
    bencher.counter(ItemsCount::new(routes)).bench_local(|| {
        let Ok(update) = Update::split(black_box(&body), &DECODE) else { return };
        for announced in update.announced() {
            let _ = black_box(announced.attributes(&DECODE, &mut decoded));
            announced.nlris.iter().for_each(|n| {
                black_box(n);
            });
        }
    });
}

/// Split, the key of attributes that are known already, every NLRI.
#[divan::bench(args = ROUTES)]
fn decode_known_attributes(bencher: Bencher<'_, '_>, routes: usize) {
    let body = message(routes);
    let mut scratch = Vec::new();
    bencher.counter(ItemsCount::new(routes)).bench_local(|| {
        let Ok(update) = Update::split(black_box(&body), &DECODE) else { return };
        for announced in update.announced() {
            black_box(route::attrs::hash_octets(announced.key(&mut scratch)));
            announced.nlris.iter().for_each(|n| {
                black_box(n);
            });
        }
    });
}

/// Attributes in the peer's form, and messages.
#[divan::bench(args = ROUTES)]
fn encode(bencher: Bencher<'_, '_>, routes: usize) {
    let (canonical, nlris) = (canonical(), nlris(routes));
    let mut encoder = Encoder::new(ENCODE);
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(routes)).bench_local(|| {
        out.clear();
        let _ = encoder.set_attributes(Family::Ipv4, black_box(&canonical));
        black_box(encoder.announce(nlris.iter().copied(), &mut out));
    });
}
