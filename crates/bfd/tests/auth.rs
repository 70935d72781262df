//! Authentication against packets that BIRD 1.6.8 sent.
//!
//! Captured with `tcpdump -i v0 udp port 3784` beside a BIRD with
//! `protocol bfd { interface "v*" { authentication METHOD; password "PASSWORD" { id 7; }; }; neighbor 10.55.0.2; }`.

#![allow(clippy::unwrap_used, reason = "a test that fails by panic")]

use rbird_bfd::auth::{Auth, Forged, Key, Method, Sequence, Window};
use rbird_bfd::packet::decode;
use std::sync::Arc;

const SHORT: &str = "secret";
const LONG: &str = "averyveryverylongpassword1";

const BY_BIRD: &[(Method, &str, &str)] = &[
    (Method::Simple, SHORT, "2044052132173d1c00000000000f42400000271000000000010907736563726574"),
    (Method::Simple, LONG, "2044052b68fd27c700000000000f42400000271000000000011307617665727976657279766572796c6f6e"),
    (
        Method::KeyedMd5,
        SHORT,
        "20440530ae80a99100000000000f424000002710000000000218070054810379643acca60d030842ee0ebc34908a3bf9",
    ),
    (
        Method::KeyedMd5,
        LONG,
        "204405301546c10c00000000000f4240000027100000000002180700732061efc221c38b3c31150865d87de03b67b2c1",
    ),
    (
        Method::MeticulousMd5,
        SHORT,
        "2044053083b9ea7200000000000f42400000271000000000031807005b5eb31ca70e5685f2935e2ef89d2de458b93525",
    ),
    (
        Method::MeticulousMd5,
        LONG,
        "20440530669d475100000000000f4240000027100000000003180700a25131dc81d8bb7a5bc05a248750d1b009c1dab8",
    ),
    (
        Method::KeyedSha1,
        SHORT,
        "20440534409686ac00000000000f42400000271000000000041c0700a3a4220ae4f469d21c43683fa5d7526292d3c0e2ca554503",
    ),
    (
        Method::KeyedSha1,
        LONG,
        "20440534f655f52000000000000f42400000271000000000041c0700210de871dbd83e6bd259151c263bd74b8ff1f4e1fbbb763b",
    ),
    (
        Method::MeticulousSha1,
        SHORT,
        "20440534cc5ae4a100000000000f42400000271000000000051c0700a8e10c72cc4d1d38314262a298584d6b8152cba834cd2591",
    ),
    (
        Method::MeticulousSha1,
        LONG,
        "204405348081959400000000000f42400000271000000000051c0700f02267fc6452b1bcd3b9bc67df692229018c2226b0d5db42",
    ),
];

fn octets(hex: &str) -> Vec<u8> {
    let hex: String = hex.chars().filter(char::is_ascii_hexdigit).collect();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn key(id: u8, secret: &str) -> Key {
    Key { id, secret: Arc::from(secret.as_bytes()), generate: Window::default(), accept: Window::default() }
}

fn auth(method: Method, secret: &str) -> Auth {
    Auth { method, keys: vec![key(7, secret)] }
}

fn check(auth: &Auth, octets: &[u8], unix_s: i64, seen: &mut Sequence) -> Result<(), Forged> {
    let received = decode(octets).unwrap();
    auth.check(received.octets, received.authenticated, received.packet.detect_mult, unix_s, seen)
}

fn words(outcome: Result<(), Forged>) -> String {
    match outcome {
        Ok(()) => "fine".to_owned(),
        Err(Forged::Fault(fault)) => format!("{} ({})", fault.words, fault.value),
        Err(Forged::Sequence(came, last)) => format!("{came} after {last}"),
    }
}

/// A packet of ours with this number.
fn sealed(auth: &Auth, sequence: u32, unix_s: i64) -> Option<Vec<u8>> {
    let packet = rbird_bfd::Packet { detect_mult: 3, my_discriminator: 9, ..Default::default() };
    let mut out = Vec::new();
    auth.seal(sequence, unix_s, &mut out, |n, out| packet.encode(n, out)).then_some(out)
}

#[test]
fn what_bird_signed_is_authentic_and_signed_again_is_the_same() {
    for (method, secret, hex) in BY_BIRD {
        let (sent, auth) = (octets(hex), auth(*method, secret));
        assert_eq!(check(&auth, &sent, 0, &mut Sequence::default()), Ok(()), "{method:?} {secret}");
        let received = decode(&sent).unwrap();
        let sequence = sent.get(28..32).map_or(0, |n| u32::from_be_bytes(n.try_into().unwrap()));
        let mut again = Vec::new();
        assert!(auth.seal(sequence, 0, &mut again, |n, out| received.packet.encode(n, out)));
        assert_eq!(again, sent, "{method:?} {secret}");
    }
}

#[test]
fn a_single_changed_bit_makes_a_packet_forged() {
    for (method, secret, hex) in BY_BIRD.iter().filter(|(method, ..)| *method != Method::Simple) {
        let sent = octets(hex);
        for bit in 0..sent.len() * 8 {
            let mut changed = sent.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(received) = decode(&changed) else { continue };
            let auth = auth(*method, secret);
            let outcome = auth.check(received.octets, received.authenticated, 5, 0, &mut Sequence::default());
            assert!(outcome.is_err(), "{method:?} bit {bit}");
        }
    }
}

#[test]
fn each_fault_is_told_in_birds_words() {
    let simple = auth(Method::Simple, SHORT);
    let md5 = auth(Method::MeticulousMd5, SHORT);
    let outcome = |auth: &Auth, octets: &[u8]| words(check(auth, octets, 0, &mut Sequence::default()));
    let good = sealed(&md5, 1, 0).unwrap();
    let with = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        octets
    };
    assert_eq!(outcome(&md5, &good), "fine");
    assert_eq!(outcome(&simple, &good), "authentication method mismatch (3)");
    assert_eq!(outcome(&Auth::default(), &good), "authentication method mismatch (3)");
    assert_eq!(outcome(&md5, &sealed(&Auth::default(), 0, 0).unwrap()), "authentication method mismatch (0)");
    assert_eq!(outcome(&md5, &with(24, 0)), "reserved authentication type (0)");
    assert_eq!(outcome(&md5, &with(25, 23)), "wrong authentication length (23)");
    assert_eq!(outcome(&md5, &with(26, 8)), "no suitable password found (8)");
    assert_eq!(outcome(&md5, &with(40, !good[40])), "wrong authentication code (7)");
    assert_eq!(outcome(&auth(Method::Simple, "other"), &sealed(&simple, 0, 0).unwrap()), "wrong password (7)");
}

/// RFC 5880 6.7.3 and 6.7.4.
#[test]
fn numbers_go_forward_and_not_too_far() {
    for (method, same) in [(Method::KeyedSha1, true), (Method::MeticulousSha1, false)] {
        let auth = auth(method, SHORT);
        for last in [0, 100, u32::MAX - 2] {
            let mut seen = Sequence::default();
            assert_eq!(check(&auth, &sealed(&auth, last, 0).unwrap(), 0, &mut seen), Ok(()), "the first is any");
            let takes = |ahead: i32| {
                let octets = sealed(&auth, last.wrapping_add_signed(ahead), 0).unwrap();
                check(&auth, &octets, 0, &mut seen.clone()).is_ok()
            };
            assert_eq!(takes(0), same, "the same number again");
            assert!(takes(1) && takes(9), "up to three times the multiplier ahead");
            assert!(!takes(10) && !takes(-1), "too far ahead, and back");
        }
    }
}

#[test]
fn a_forged_packet_does_not_move_the_number() {
    let auth = auth(Method::MeticulousMd5, SHORT);
    let mut seen = Sequence::default();
    check(&auth, &sealed(&auth, 5, 0).unwrap(), 0, &mut seen).unwrap();
    let mut forged = sealed(&auth, 9, 0).unwrap();
    forged[47] ^= 1;
    assert!(check(&auth, &forged, 0, &mut seen).is_err());
    assert_eq!(check(&auth, &sealed(&auth, 6, 0).unwrap(), 0, &mut seen), Ok(()));
}

#[test]
fn keys_have_their_times() {
    let between = |from, to| Window { from, to };
    let old = Key { generate: between(0, 100), accept: between(0, 110), ..key(1, "old") };
    let new = Key { generate: between(90, 200), accept: between(80, 200), ..key(2, "new") };
    let auth = Auth { method: Method::KeyedMd5, keys: vec![old, new] };
    let id_at = |unix_s| sealed(&auth, 0, unix_s).map(|octets| octets[26]);
    assert_eq!(id_at(50), Some(1));
    assert_eq!(id_at(95), Some(2), "the key that began last");
    assert_eq!(id_at(200), None, "no key, no packet");
    let by_old = sealed(&auth, 0, 50).unwrap();
    assert_eq!(words(check(&auth, &by_old, 109, &mut Sequence::default())), "fine");
    assert_eq!(words(check(&auth, &by_old, 110, &mut Sequence::default())), "no suitable password found (1)");
}
