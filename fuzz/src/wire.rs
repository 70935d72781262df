//! Messages of a peer.

use ::wire::frame::{EXTENDED_OCTETS_MAX, MESSAGE_OCTETS_MAX, Next, next};
use ::wire::{Decoded, EncodeContext, Encoder, Kind, Message, Nlris, Open, PerFamily, Update, UpdateContext};
use route::attrs::{Local, Records};
use route::hop::Dest;
use route::{AttrSet, SourceKind};
use std::cell::RefCell;
use std::collections::HashMap;

/// A stream of messages: it is cut to its end or refused, and progress is made with every frame.
pub fn frame(octets: &[u8]) {
    for octets_max in [MESSAGE_OCTETS_MAX, EXTENDED_OCTETS_MAX] {
        let mut rest = octets;
        loop {
            match next(rest, octets_max) {
                Ok(Next::Frame(frame)) => {
                    assert!((19..=octets_max).contains(&frame.octets()));
                    if let Ok(Message::Notification(notification)) = frame.message() {
                        assert!(!notification.to_string().chars().any(char::is_control));
                    }
                    rest = &rest[frame.octets()..];
                }
                Ok(Next::NeedMore(wanted)) => {
                    assert!(wanted > rest.len() && wanted <= octets_max);
                    break;
                }
                Err(notification) => {
                    assert_eq!(notification.code, 1);
                    break;
                }
            }
        }
    }
}

/// The body of an OPEN: what we understood of it can be sent, and is then understood in the same way.
pub fn open(octets: &[u8]) {
    let Ok(open) = Open::decode(octets) else { return };
    let mut out = Vec::new();
    open.encode(&mut out);
    if out.len() > MESSAGE_OCTETS_MAX {
        return; // many small unknown capabilities in the longest OPEN
    }
    let Ok(Next::Frame(frame)) = next(&out, MESSAGE_OCTETS_MAX) else { panic!("{open:?}") };
    assert_eq!(frame.kind, Kind::Open);
    let Ok(mut again) = Open::decode(frame.body) else { panic!("{open:?}") };
    // "If only for families that we do not know": those are not said again.
    if let (Some(said), Some(heard)) = (&open.capabilities, &mut again.capabilities) {
        heard.multiprotocol = said.multiprotocol;
    }
    if open.capabilities.as_ref().is_some_and(|c| !is_bare(c)) {
        assert_eq!(open, again);
    }
}

/// Whether nothing would be written for these capabilities.
fn is_bare(capabilities: &::wire::Capabilities) -> bool {
    let multiprotocol = capabilities.multiprotocol;
    *capabilities == ::wire::Capabilities { multiprotocol, ..Default::default() }
}

/// Two octets that say what was negotiated, then the body of an UPDATE.
pub fn update(octets: &[u8]) {
    let [low, high, body @ ..] = octets else { return };
    let bits = u16::from_le_bytes([*low, *high]);
    let bit = |n: u16| bits & (1 << n) != 0;
    let context = UpdateContext {
        as4: !bit(0),
        add_path_rx: PerFamily { ipv4: bit(1), ipv6: bit(2) },
        families: PerFamily { ipv4: !bit(3), ipv6: !bit(4) },
        internal: bit(5),
        confederation: bit(6),
        local_pref_allowed: bit(7),
        recent_attributes: bit(10),
        extended_next_hop: PerFamily { ipv4: bit(8), ipv6: bit(9) },
    };
    let Ok(update) = Update::split(body, &context) else { return };
    for nlris in update.withdrawn() {
        assert!(nlris.iter().all(|n| n.net.family() == nlris.family()));
    }
    let mut decoded = Decoded::new();
    for announced in update.announced() {
        assert!(!announced.nlris.is_empty());
        let mut scratch = Vec::new();
        let key = announced.key(&mut scratch);
        let result = announced.attributes(&context, &mut decoded);
        if result.is_ok() && !decoded.is_withdrawal() && decoded.remarks().is_empty() {
            keys_decide(bits, key, decoded.octets());
        }
        if result.is_ok() && !decoded.is_withdrawal() {
            let canonical = decoded.octets().to_vec();
            is_complete(&canonical);
            reads_the_same(&context, &canonical, announced.nlris);
        }
    }
}

/// Equal keys must have equal attributes.
fn keys_decide(bits: u16, key: &[u8], canonical: &[u8]) {
    type Seen = HashMap<(u16, Vec<u8>), Vec<u8>>;
    thread_local!(static SEEN: RefCell<Seen> = RefCell::default());
    SEEN.with_borrow_mut(|seen| {
        if seen.len() > 50_000 {
            seen.clear();
        }
        let before = seen.entry((bits, key.to_vec())).or_insert_with(|| canonical.to_vec());
        assert_eq!(before, canonical);
    });
}

/// Canonical octets have what every route must have. `from_canonical` asserts that they are canonical.
fn is_complete(canonical: &[u8]) {
    let local = Local::new(SourceKind::Bgp, 100, Dest::Unreachable);
    let set = AttrSet::from_canonical(canonical, local);
    assert!(set.next_hop().is_some() && set.origin().is_some());
    let walked: usize = Records::new(canonical).map(|r| 4 + r.value.len()).sum();
    assert_eq!(walked, canonical.len());
}

/// What is sent on is read in the same way by a peer who negotiated the same, four-octet AS numbers included.
fn reads_the_same(context: &UpdateContext, canonical: &[u8], nlris: Nlris<'_>) {
    let mut encoder =
        Encoder::new(EncodeContext { as4: true, add_path_tx: context.add_path_rx, octets_max: MESSAGE_OCTETS_MAX });
    if encoder.set_attributes(nlris.family(), canonical).is_err() {
        return;
    }
    let context = UpdateContext { as4: true, ..*context };
    let mut out = Vec::new();
    encoder.announce(nlris.iter(), &mut out);
    let mut heard = Vec::new();
    let mut rest = out.as_slice();
    let mut decoded = Decoded::new();
    while let Ok(Next::Frame(frame)) = next(rest, MESSAGE_OCTETS_MAX) {
        let Ok(update) = Update::split(frame.body, &context) else { panic!("{frame:02x?}") };
        for announced in update.announced() {
            assert_eq!(announced.attributes(&context, &mut decoded), Ok(()));
            assert!(!decoded.is_withdrawal());
            assert_eq!(decoded.octets(), canonical);
            heard.extend(announced.nlris.iter());
        }
        rest = &rest[frame.octets()..];
    }
    assert!(rest.is_empty());
    assert!(heard.into_iter().eq(nlris.iter()));
}
